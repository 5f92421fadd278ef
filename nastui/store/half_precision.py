"""Values as float16: half the bytes, three significant digits, and no value moves onto zero or across it."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nastui.errors import ScanError
from nastui.records import Float32

Float16 = NDArray[np.float16]

_MAGNITUDE = np.uint16(0x7FFF)  # all bits but the sign
_INFINITE = np.uint16(0x7C00)
_SMALLEST = np.float16(2**-24)  # above 0


def to_float16(values: Float32, layer_path: str, first_image: int) -> Float16:
    """The values of consecutive images, (images, U), each rounded to the nearest float16.

    What would become 0 becomes the smallest number on its own side of it: a unit that never is 0 does not seem to be,
    and what is above 0 stays there. NaN and ±inf stay. Raises ScanError for a finite value beyond ±65,504.
    """
    with np.errstate(over="ignore", under="ignore"):
        halves = values.astype(np.float16)
    magnitudes = halves.view(np.uint16) & _MAGNITUDE
    is_lost = (magnitudes == 0) & (values != 0)
    if is_lost.any():
        halves[is_lost] = np.copysign(_SMALLEST, values[is_lost])
    is_infinite = magnitudes == _INFINITE
    if is_infinite.any():
        _check_were_infinite(values, is_infinite & np.isfinite(values), layer_path, first_image)
    return halves


def to_float32(halves: NDArray[Any]) -> Float32:
    """The same numbers as float32, looked up: several times as fast as NumPy converts them."""
    return np.take(_float32_of_bits(), halves.view("<u2"))


@cache
def _float32_of_bits() -> Float32:
    return np.arange(1 << 16, dtype=np.uint16).view(np.float16).astype(np.float32)


def _check_were_infinite(values: Float32, is_too_large: NDArray[np.bool_], layer_path: str, first_image: int) -> None:
    places = np.argwhere(is_too_large)
    if len(places):
        row, unit = places[0].tolist()
        raise ScanError(
            f"{layer_path}:{unit} gave {values[row, unit]:,.6g} for image {first_image + row};"
            " float16 holds nothing beyond ±65,504.",
            hint="Scan with --dtype float32, into another --out or with --force.",
        )
