"""A stack of class shares cut into cells that hold two colours each: which two, and where they meet.

A cell in which more than two classes meet shows the two that matter most, or one and the neutral *other* where those
two fill less than three quarters of it; what a class lost or gained there is made good in its next cell.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

from nastui.palette import OTHER

CELL = 8  # eighths that a whole cell holds; one with less room shows a single class

_MOST = 3, 4  # the share of a cell that must be filled by what is to stand for all of it


class Run(NamedTuple):
    """A stretch of one slot within a cell, in eighths."""

    slot: int
    length: int


Runs = Sequence[Run]


def fill(units: Sequence[int], rooms: Sequence[int], largest: int) -> list[Runs]:
    """The one or two runs that every cell shows, along the axis.

    `units`: eighths per slot, in the order of the stack; `rooms`: eighths of every cell, as many in all. `largest`: the
    slot that must be seen.
    """
    owed = [0] * len(units)
    cells = _cut(units, rooms)
    shown: list[Runs] = []
    for runs, room in zip(cells, rooms, strict=True):
        chosen = _shown(runs, room, owed, units)
        shown.append(chosen)
        for sign, part in ((1, runs), (-1, chosen)):
            for slot, length in part:
                owed[slot] += sign * length
    if not any(run.slot == largest for runs in shown for run in runs):
        _put_in(largest, cells, shown)
    return shown


def _cut(units: Sequence[int], rooms: Sequence[int]) -> list[list[Run]]:
    """The stack cut into cells, with as many runs as there are in each."""
    cells: list[list[Run]] = [[] for _ in rooms]
    place, room = 0, rooms[0]
    for slot, length in enumerate(units):
        while length:
            if not room:
                place += 1
                room = rooms[place]
            part = min(length, room)
            cells[place].append(Run(slot, part))
            room -= part
            length -= part
    return cells


def _shown(runs: Runs, room: int, owed: Sequence[int], units: Sequence[int]) -> Runs:
    if len(runs) == 1 or (len(runs) == 2 and room == CELL):
        return runs

    def weight(run: Run) -> float:
        return run.length + 0.5 * max(0, owed[run.slot]) + 0.01 * units[run.slot] / sum(units)

    if room < CELL:
        best = max(runs, key=weight)
        return [Run(best.slot if _is_most(best.length, room) else OTHER, room)]
    first, second = max(combinations(runs, 2), key=lambda pair: weight(pair[0]) + weight(pair[1]))
    if second.slot != OTHER and _is_most(first.length + second.length, room):
        wanted = [max(0, run.length + owed[run.slot]) for run in (first, second)]
        length = _inside((2 * CELL * wanted[0] + sum(wanted)) // (2 * sum(wanted)))
        return [Run(first.slot, length), Run(second.slot, CELL - length)]
    best = max((run for run in runs if run.slot != OTHER), key=weight)
    return _beside_other(best, runs, best.length + owed[best.slot])


def _is_most(length: int, room: int) -> bool:
    return length * _MOST[1] >= room * _MOST[0]


def _beside_other(run: Run, runs: Runs, length: int) -> Runs:
    """`run` with `length` eighths, and *other* for the rest, on the side where more is left out."""
    before = sum(other.length for other in runs if other.slot < run.slot)
    after = sum(other.length for other in runs if other.slot > run.slot)
    pair = [Run(run.slot, _inside(length)), Run(OTHER, CELL - _inside(length))]
    return pair if after >= before else pair[::-1]


def _put_in(slot: int, cells: Sequence[Runs], shown: list[Runs]) -> None:
    """Show `slot` in the cell where it has most."""
    run, place = max(
        ((run, place) for place, runs in enumerate(cells) for run in runs if run.slot == slot),
        key=lambda pair: pair[0].length,
    )
    room = sum(run.length for run in cells[place])
    shown[place] = _beside_other(run, cells[place], run.length) if room == CELL else [Run(slot, room)]


def _inside(length: int) -> int:
    """`length` as a boundary that a glyph can draw."""
    return min(max(length, 1), CELL - 1)
