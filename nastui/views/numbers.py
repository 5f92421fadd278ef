"""Numbers as text of a fixed width, so that columns line up and digits mean something."""

from __future__ import annotations

import math


def short_number(value: float, width: int = 8) -> str:
    """`value` in at most `width` characters with as many significant digits (up to four) as fit.

    Plain notation from 0.001 to 99,999, else exponents; NaN is a dash. `width` is at least 7.
    """
    if math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if value == 0:
        return "0"
    size = abs(value)
    room = width - (value < 0)
    if 1e-3 <= size < 1e5:
        decimals = min(max(0, 3 - math.floor(math.log10(size))), room - 2)
        text = f"{size:.{decimals}f}"
        if "." in text:
            text = text.rstrip("0").rstrip(".")
    else:
        text = _exponent(size, room)
    return f"−{text}" if value < 0 else text


def _exponent(size: float, width: int) -> str:
    for digits in (2, 1, 0):
        mantissa, exponent = f"{size:.{digits}e}".split("e")
        text = f"{mantissa}e{int(exponent)}"
        if len(text) <= width:
            return text
    return text


def grouped(count: int) -> str:
    """A whole number with commas between thousands."""
    return f"{count:,}"


def compact_count(count: int, width: int) -> str:
    """A count in at most `width` characters: 950, 1.2k, 12k, 3M; empty where even that does not fit."""
    for text in (str(count), _in_thousands(count)):
        if len(text) <= width:
            return text
    return ""


def _in_thousands(count: int) -> str:
    for size, letter in ((1_000_000, "M"), (1_000, "k")):
        if count >= size:
            scaled = count / size
            return f"{scaled:.1f}{letter}" if scaled < 10 else f"{scaled:.0f}{letter}"
    return str(count)


def percent(share: float) -> str:
    """A share from 0 to 1 as whole per cent; what is not quite none or all never reads 0 % or 100 %."""
    if math.isnan(share):
        return "–"
    if 0 < share < 0.01:
        return "<1 %"
    if 0.99 < share < 1:
        return ">99 %"
    return f"{share * 100:.0f} %"
