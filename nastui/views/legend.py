"""The legend: which colour and letter is which class, and what the width of a bar says."""

from __future__ import annotations

from dataclasses import dataclass, replace

from rich.cells import cell_len

from nastui.palette import OTHER
from nastui.views.classes import ClassSlots
from nastui.views.ink import DIM, TEXT
from nastui.views.look import Look
from nastui.views.plain import cut

_GAP = 2
_ENTRY = 3  # pieces of a class: swatch, letter, name


@dataclass(frozen=True, slots=True)
class LegendPiece:
    """A piece of text and the slot or ink it is drawn in; `is_swatch` pieces are drawn as a filled block."""

    text: str
    ink: int
    is_swatch: bool = False


def legend_lines(slots: ClassSlots, look: Look, width: int, max_lines: int) -> list[list[LegendPiece]]:
    """The classes of interest with their letters, then the bar widths, over at most `max_lines` lines.

    Long names are cut before a class is left out; a class that still does not fit is counted in a last `+n`.
    """
    entries = [
        (slots.letter(class_id), slots.names[class_id], OTHER if slots.is_dimmed(class_id) else slot)
        for slot, class_id in enumerate(slots.interest)
    ]
    n_other = len(slots.names) - len(slots.interest)
    entries.append(("·", f"{n_other} other" if n_other else "too rare to draw", OTHER))
    widths = "images: " + "  ".join(f"{glyph} {words}" for glyph, words in zip("▎▌█", look.width_words(), strict=True))
    for longest in (24, 16, 12, 8, 5, 3):
        lines = _flow([(letter, cut(name, longest), slot) for letter, name, slot in entries], widths, width)
        if len(lines) <= max_lines:
            return lines
    return _cut_off(lines, width, max_lines)


def _cut_off(lines: list[list[LegendPiece]], width: int, max_lines: int) -> list[list[LegendPiece]]:
    """The first lines, and how many classes the others name, where a last class has made room for that."""
    kept = lines[:max_lines]
    last = kept[-1]
    hidden = sum(piece.is_swatch for line in lines[max_lines:] for piece in line)
    while hidden and cell_len("".join(piece.text for piece in last).rstrip() + _count(hidden)) > width:
        hidden += last[-_ENTRY].is_swatch
        del last[-_ENTRY:]
    if hidden:
        if last:
            last[-1] = replace(last[-1], text=last[-1].text.rstrip())
        last.append(LegendPiece(_count(hidden), DIM))
    return kept


def _count(hidden: int) -> str:
    return f" +{hidden}"


def _flow(entries: list[tuple[str, str, int]], widths: str, width: int) -> list[list[LegendPiece]]:
    lines: list[list[LegendPiece]] = [[]]
    used = 0
    for letter, name, slot in entries:
        length = 2 + len(letter) + 1 + cell_len(name) + _GAP
        if used + length - _GAP > width and used:
            lines.append([])
            used = 0
        lines[-1] += [
            LegendPiece(" ", slot, is_swatch=True),
            LegendPiece(f" {letter}", DIM),
            LegendPiece(f" {name}" + " " * _GAP, DIM if slot == OTHER else TEXT),
        ]
        used += length
    if used + len(widths) > width and used:
        lines.append([])
    lines[-1].append(LegendPiece(widths, DIM))
    return lines
