"""The bar of one range as character cells: its class shares as a stack, full height, in the order of the slots.

A cell holds two colours and one boundary between them, in eighths. A stack is cut into cells along one axis:

- height 1: along the row, left to right, in left eighths;
- height 2, width 2 and more: along the lower row, then along the upper one;
- else upwards, in lower eighths, the same glyph over the whole width.

With R cells along the axis the shares become 8R eighths by largest remainder. A cell in which more than two classes
meet shows the two that matter most, or one and the neutral *other* where those two fill less than three quarters of it;
what a class lost or gained there is made good in its next cell. So no class is drawn that is not in the range, the
largest one always is, and what is left out is said.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from typing import NamedTuple

import numpy as np

from nastui.palette import BLANK, OTHER, slot_letter
from nastui.views.apportion import Counts, apportion, fold_rare

CELL = 8  # eighths
_MOST_OF_A_CELL = 6  # eighths that two classes must fill to share a cell in which more than two meet
_LOWER = "▁▂▃▄▅▆▇"
_LEFT = "▏▎▍▌▋▊▉"
_BARS_KEPT = 1 << 15


class Cell(NamedTuple):
    """One character. `fg`, `bg`: a slot 0 to OTHER, or BLANK for the background of the screen."""

    glyph: str
    fg: int
    bg: int


EMPTY = Cell(" ", BLANK, BLANK)

Line = tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Bar:
    """A painted range: `lines` from top to bottom, and the slots that are in the range but not in the picture.

    `hidden_share`: the share of the range's images that these slots have.
    """

    lines: tuple[Line, ...]
    hidden: tuple[int, ...]
    hidden_share: float


class _Run(NamedTuple):
    """A stretch of one slot within a cell, in eighths."""

    slot: int
    length: int


def bar_step(count: int, medium: int = 4, full: int = 12) -> int:
    """What the width of a bar says: 0 no image, 1 thin, 2 medium (from `medium` images on), 3 full (from `full`)."""
    return 1 + (count >= medium) + (count >= full) if count else 0


def bar_width(count: int, medium: int = 4, full: int = 12, pitch: int = 4) -> int:
    """The width of a bar in characters, of `pitch` that a range has; at least one of them stays white.

    Below a pitch of 4 there is no room for three widths: medium is as wide as full at 3, all are at 2.
    """
    return min(bar_step(count, medium, full), pitch - 1)


def cells_along(width: int, height: int) -> int:
    """R, the cells along the axis of a bar of this size in characters."""
    return width * height if height == 1 or (height == 2 and width > 1) else height


def paint_bars(counts: Counts, widths: Sequence[int], height: int) -> list[Bar]:
    """The bars of ranges that stand in one row. `counts`: (ranges, OTHER + 1), images per slot; `widths`: characters.

    A range without images gives blank cells.
    """
    eighths = np.array([CELL * cells_along(width, height) for width in widths], dtype=np.int64)
    units = apportion(fold_rare(counts, eighths, OTHER), eighths)
    return [
        _finish(_picture(tuple(unit), _largest(count), width, height), count)
        for unit, count, width in zip(units.tolist(), counts.tolist(), widths, strict=True)
    ]


@lru_cache(maxsize=_BARS_KEPT)
def paint_bar(counts: tuple[int, ...], width: int, height: int) -> Bar:
    """The bar of one range; `counts`: images per slot, OTHER + 1 of them."""
    return paint_bars(np.array([counts]), [width], height)[0]


@lru_cache(maxsize=_BARS_KEPT)
def paint_letters(counts: tuple[int, ...], width: int, height: int) -> Bar:
    """The bar of one range in letters, for terminals without enough colours: one class a character.

    The characters are shared out by largest remainder and filled from the lower left, row by row.
    """
    letters = apportion(np.array(counts), width * height).tolist()
    cells = [Cell(slot_letter(slot), slot, BLANK) for slot, n in enumerate(letters) for _ in range(n)]
    cells = cells or [EMPTY] * (width * height)
    rows = [tuple(cells[start : start + width]) for start in range(0, width * height, width)]
    return _finish(tuple(reversed(rows)), counts)


def paint_letter_bars(counts: Counts, widths: Sequence[int], height: int) -> list[Bar]:
    """The bars of ranges that stand in one row, in letters; as `paint_bars`."""
    return [paint_letters(tuple(count), width, height) for count, width in zip(counts.tolist(), widths, strict=True)]


def _finish(lines: tuple[Line, ...], counts: Sequence[int]) -> Bar:
    shown = {slot for line in lines for cell in line for slot in (cell.fg, cell.bg)}
    hidden = tuple(slot for slot, count in enumerate(counts) if count and slot not in shown)
    return Bar(lines, hidden, sum(counts[slot] for slot in hidden) / max(sum(counts), 1))


def _largest(counts: Sequence[int]) -> int:
    return counts.index(max(counts))


@lru_cache(maxsize=_BARS_KEPT)
def _picture(units: tuple[int, ...], largest: int, width: int, height: int) -> tuple[Line, ...]:
    """The lines of a bar from its eighths per slot; `largest`: the slot that must be seen."""
    if not any(units):
        return ((EMPTY,) * width,) * height
    cells = _fill(units, largest)
    if len(cells) == height and height > 1:
        return tuple((_cell(runs, _LOWER),) * width for runs in reversed(cells))
    row = [_cell(runs, _LEFT) for runs in cells]
    return tuple(tuple(row[start : start + width]) for start in range((height - 1) * width, -1, -width))


def _cell(runs: Sequence[_Run], glyphs: str) -> Cell:
    if len(runs) == 1:
        return Cell(" ", BLANK, runs[0].slot)
    return Cell(glyphs[runs[0].length - 1], runs[0].slot, runs[1].slot)


def _fill(units: Sequence[int], largest: int) -> list[list[_Run]]:
    """One or two runs for every cell along the axis."""
    owed = [0] * len(units)
    cells = _cut(units)
    shown = []
    for runs in cells:
        chosen = runs if len(runs) <= 2 else _choose(runs, owed, units)
        shown.append(chosen)
        for sign, part in ((1, runs), (-1, chosen)):
            for slot, length in part:
                owed[slot] += sign * length
    if not any(run.slot == largest for runs in shown for run in runs):
        _put_in(largest, cells, shown)
    return shown


def _cut(units: Sequence[int]) -> list[list[_Run]]:
    """The stack cut into cells, with as many runs as there are in each."""
    cells: list[list[_Run]] = [[]]
    room = CELL
    for slot, length in enumerate(units):
        while length:
            if not room:
                cells.append([])
                room = CELL
            part = min(length, room)
            cells[-1].append(_Run(slot, part))
            room -= part
            length -= part
    return cells


def _choose(runs: Sequence[_Run], owed: Sequence[int], units: Sequence[int]) -> list[_Run]:
    """Two runs that stand for the three and more of a cell."""

    def weight(run: _Run) -> float:
        return run.length + 0.5 * max(0, owed[run.slot]) + 0.01 * units[run.slot] / sum(units)

    first, second = max(combinations(runs, 2), key=lambda pair: weight(pair[0]) + weight(pair[1]))
    if second.slot != OTHER and first.length + second.length >= _MOST_OF_A_CELL:
        wanted = [max(0, run.length + owed[run.slot]) for run in (first, second)]
        length = _inside((2 * CELL * wanted[0] + sum(wanted)) // (2 * sum(wanted)))
        return [_Run(first.slot, length), _Run(second.slot, CELL - length)]
    best = max((run for run in runs if run.slot != OTHER), key=weight)
    return _beside_other(best, runs, _inside(best.length + owed[best.slot]))


def _beside_other(run: _Run, runs: Sequence[_Run], length: int) -> list[_Run]:
    """`run` with `length` eighths, and *other* for the rest, on the side where more is left out."""
    before = sum(other.length for other in runs if other.slot < run.slot)
    after = CELL - before - run.length
    pair = [_Run(run.slot, length), _Run(OTHER, CELL - length)]
    return pair if after >= before else pair[::-1]


def _put_in(slot: int, cells: Sequence[Sequence[_Run]], shown: list[list[_Run]]) -> None:
    """Show `slot` in the cell where it has most."""
    run, place = max(
        ((run, place) for place, runs in enumerate(cells) for run in runs if run.slot == slot),
        key=lambda pair: pair[0].length,
    )
    shown[place] = _beside_other(run, cells[place], run.length)


def _inside(length: int) -> int:
    """`length` as a boundary that a glyph can draw."""
    return min(max(length, 1), CELL - 1)
