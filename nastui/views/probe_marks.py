"""Where probes fall, marked in a line of character cells: each stands in the range that its value lies in.

A mark is the probe's number. Beyond a unit's lowest or highest value it stands outside of a < or a >, so `2<1` and
`1>2` both say that probe 2 is beyond that end and probe 1 is not; where the line has no room for it there, it is left
for the end of the row, where lo and hi stand. Where there is no room for all, + stands for several; on a full bar that
leaves no cell free the mark takes its last half cell, on the bar's colour. So no bar loses a colour.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from nastui.palette import BLANK
from nastui.probe_records import ProbeInfo
from nastui.records import Float32, Float64
from nastui.stats.probe_places import NOWHERE, ProbePlaces, find_places, percentiles
from nastui.views.bars import EMPTY, Cell
from nastui.views.ink import ON_BAR, STRONG, ZERO

_SEVERAL = "+"


@dataclass(frozen=True, slots=True)
class ProbeMarks:
    """The marks of one unit: by range, `inside` it, and beyond its two ends. `offsets`: by range, how many cells from
    its start the first of them stands where there is room, 0 where that is not said."""

    inside: Mapping[int, str] = field(default_factory=dict)
    below: str = ""
    above: str = ""
    offsets: Mapping[int, int] = field(default_factory=dict)

    @classmethod
    def of(cls, marks: str, values: Float32, places: ProbePlaces) -> ProbeMarks:
        """The marks of probes with these values, (P,), by rising value."""
        found: dict[int, str] = {}
        below = above = ""
        for place in np.argsort(values, kind="stable").tolist():
            stop, side = int(places.stops[place]), int(places.sides[place])
            if side < 0:
                below += marks[place]
            elif side > 0:
                above += marks[place]
            elif stop != NOWHERE:
                found[stop] = found.get(stop, "") + marks[place]
        return cls(found, below, above)

    @property
    def words(self) -> str:
        """All of them, for a unit that has one range."""
        inside = "".join(self.inside.values())
        return f"{self.below}{'<' if self.below else ''}{inside}{'>' if self.above else ''}{self.above}"

    @property
    def said(self) -> str:
        """Which probes fall where, in words."""
        words = [f"{' '.join(self.below)} below lo"] if self.below else []
        words += [f"{' '.join(marks)} in {stop + 1}" for stop, marks in sorted(self.inside.items())]
        if self.inside:
            words[bool(self.below)] = words[bool(self.below)].replace(" in ", " in range ")
        words += [f"{' '.join(self.above)} above hi"] if self.above else []
        return ", ".join(words)


@dataclass(frozen=True)
class UnitProbes:
    """What one unit gives the probes: `values` (P,), where they lie among those of the run's images, `percentiles` (P,)
    among them, and the unit's `edges`."""

    probes: tuple[ProbeInfo, ...]
    values: Float32
    places: ProbePlaces
    percentiles: Float64
    edges: Float64

    @classmethod
    def find(
        cls, probes: tuple[ProbeInfo, ...], values: Float32, among: Float32, edges: Float64, n_ranges: int
    ) -> UnitProbes:
        """Find their places in a unit with these ranges; `among` (N,): the values of the images that count."""
        return cls(probes, values, find_places(values, edges, n_ranges), percentiles(values, among), edges)

    @cached_property
    def marks(self) -> ProbeMarks:
        """Where each is marked."""
        return ProbeMarks.of("".join(probe.mark for probe in self.probes), self.values, self.places)

    def marks_within(self, pitch: int) -> ProbeMarks:
        """The same, each range's as far from its start as the lowest value is, where a range has `pitch` cells."""
        found = self.marks
        offsets = {}
        for stop in found.inside:
            low, high = self.edges[stop : stop + 2].tolist()
            first = float(np.min(self.values[(self.places.stops == stop) & (self.places.sides == 0)], initial=np.inf))
            offsets[stop] = int((first - low) / (high - low) * (pitch - 1)) if high > low else 0
        return ProbeMarks(found.inside, found.below, found.above, offsets)

    def numbers_at(self, stop: int) -> list[int]:
        """Which of the probes fall into a range, or beyond it; NOWHERE: those whose value is no number."""
        return [int(place) for place in np.flatnonzero(self.places.stops == stop)]


def put_marks(
    line: list[Cell],
    marks: ProbeMarks,
    starts: Sequence[int],
    pitch: int,
    ends: tuple[int, int] = (0, 0),
    *,
    is_whole: bool = True,
) -> tuple[str, str]:
    """Put marks into the free cells of a line, in place. `starts`: where each range starts, `pitch` cells each.

    Returns what is to stand at the row's two ends, which have `ends` cells for it: marks below lo and above hi that the
    line has no room for, or all of them where the line `is_whole` not on the screen.
    """
    last = len(starts) - 1
    lo = hi = ""
    for stop in sorted({*marks.inside, *([0] if marks.below else []), *([last] if marks.above else [])}):
        if 0 <= stop <= last and starts[stop] >= 0 and starts[stop] + pitch <= len(line):
            below, above = marks.below if stop == 0 else "", marks.above if stop == last else ""
            end = starts[stop] + pitch
            touches = stop + 1 in marks.inside or (end < len(line) and line[end] != EMPTY)
            spot = _Spot(line, starts[stop], pitch, marks.inside.get(stop, ""), below, above, pitch - touches)
            left = spot.put(ends, marks.offsets.get(stop, 0), is_whole=is_whole)
            lo, hi = left[0] or lo, left[1] or hi
    return lo, hi


@dataclass(slots=True)
class _Spot:
    """The marks of one range in a line: `inside` it, where they may take `width` cells of it, and those beyond it that
    have no place yet."""

    line: list[Cell]
    start: int
    pitch: int
    inside: str
    below: str
    above: str
    width: int

    def put(self, ends: tuple[int, int], offset: int, *, is_whole: bool) -> tuple[str, str]:
        """Put them; what stands at the ends of the row instead."""
        if is_whole:
            self._put_outside()
        lo = hi = ""
        if not is_whole or any(len(text) > self._room for text in self._texts()[:1]):
            lo = _first_that_fits([f"{self.below}<", f"{_SEVERAL}<"], ends[0]) if self.below else ""
            hi = _first_that_fits([f">{self.above}", f">{_SEVERAL}"], ends[1]) if self.above else ""
            self.below, self.above = "" if lo else self.below, "" if hi else self.above
        self._put_inside(offset)
        return lo, hi

    def _put_outside(self) -> None:
        """Those beyond the range where the line is free: before it, and behind the zero line where it ends at that."""
        if self.below and (x := _free_beyond(self.line, self.start - 1, -1, len(self.below) + 1)) is not None:
            _write(self.line, x - len(self.below), f"{self.below}<")
            self.below = ""
        if self.above and len(self.inside) + 1 + len(self.above) > self._room:
            x = _free_beyond(self.line, self.start + self._bar, 1, len(self.above) + 1)
            if x is not None and x >= self.start + self.pitch:
                _write(self.line, x, f">{self.above}")
                self.above = ""

    def _put_inside(self, offset: int) -> None:
        """The others, behind the bar."""
        texts, room, x = self._texts(), self._room, self.start + self._bar
        if not texts:
            return
        if not room:
            end = self.line[x - 1]
            self.line[x - 1] = Cell(_first_that_fits(texts, 1), ON_BAR, end.fg if end.bg == BLANK else end.bg)
            return
        text = _first_that_fits(texts, room)
        offset = min(offset, room - len(text)) if not self._bar else 0
        _write(self.line, x + max(offset, 0), text)

    @property
    def _bar(self) -> int:
        """The cells that are taken."""
        return max((x + 1 for x in range(self.pitch) if self.line[self.start + x] != EMPTY), default=0)

    @property
    def _room(self) -> int:
        bar = self._bar
        return _free(self.line, self.start + bar, 1) if self.above else min(self.pitch - bar, self.width)

    def _texts(self) -> list[str]:
        """How they may be written, the fullest first; nothing where there are none."""
        inside, below, above = self.inside, self.below, self.above
        if not (below or above):
            return [inside, *(inside[:n] + _SEVERAL for n in range(len(inside) - 2, -1, -1))] if inside else []
        texts = []
        for one in (inside, inside and _SEVERAL):
            for left in dict.fromkeys((below, below and _SEVERAL)):
                for right in dict.fromkeys((above, above and _SEVERAL)):
                    texts.append(f"{left}{'<' if below else ''}{one}{'>' if above else ''}{right}")
        everyone = below + inside + above
        return [*texts, everyone if len(everyone) == 1 else _SEVERAL]


def _free_beyond(line: Sequence[Cell], x: int, step: int, n: int) -> int | None:
    """Where `n` cells in a row are empty from `x` on in one direction, or else from behind the zero line on."""
    room = _free(line, x, step)
    if room >= n:
        return x
    zero = x + step * room
    if not 0 <= zero < len(line) or line[zero].fg != ZERO:
        return None
    return zero + step if _free(line, zero + step, step) >= n else None


def _first_that_fits(texts: Sequence[str], room: int) -> str:
    return next((text for text in texts if len(text) <= room), "")


def _free(line: Sequence[Cell], x: int, step: int) -> int:
    """How many cells are empty from `x` on in one direction."""
    n = 0
    while 0 <= x < len(line) and line[x] == EMPTY:
        n, x = n + 1, x + step
    return n


def _write(line: list[Cell], x: int, text: str) -> None:
    for offset, glyph in enumerate(text):
        line[x + offset] = EMPTY._replace(glyph=glyph, fg=STRONG)
