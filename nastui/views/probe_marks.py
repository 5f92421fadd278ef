"""Where probes fall, marked in a line of character cells: each stands in the range that its value lies in.

A mark is the probe's number. Beyond a unit's lowest or highest value it stands outside of a < or a >, so `2<1` and
`1>2` both say that probe 2 is beyond that end and probe 1 is not. Where there is no room for all, + stands for several;
on a full bar that leaves no cell free the mark takes its last half cell, on the bar's colour. So no bar loses a colour.
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
from nastui.views.ink import ON_BAR, STRONG

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


def put_marks(line: list[Cell], marks: ProbeMarks, starts: Sequence[int], pitch: int) -> None:
    """Put marks into the free cells of a line, in place. `starts`: where each range starts, `pitch` cells each."""
    last = len(starts) - 1
    for stop in sorted({*marks.inside, *([0] if marks.below else []), *([last] if marks.above else [])}):
        if 0 <= stop <= last and starts[stop] >= 0 and starts[stop] + pitch <= len(line):
            _put_at(line, marks, stop, starts[stop], pitch, is_first=stop == 0, is_last=stop == last)


def _put_at(
    line: list[Cell], marks: ProbeMarks, stop: int, start: int, pitch: int, *, is_first: bool, is_last: bool
) -> None:
    inside = marks.inside.get(stop, "")
    below, above = marks.below if is_first else "", marks.above if is_last else ""
    bar = max((x + 1 for x in range(pitch) if line[start + x] != EMPTY), default=0)
    if below and (room := _free(line, start - 1, -1)):
        text = _first_that_fits([f"{below}<", f"{_SEVERAL}<", "<"], room)
        _write(line, start - len(text), text)
        below = ""
    room = min(pitch - bar, pitch - 1) if not above else _free(line, start + bar, 1)
    texts = _texts(below, inside, above)
    if not texts:
        return
    if not room:
        end = line[start + bar - 1]
        line[start + bar - 1] = Cell(_first_that_fits(texts, 1), ON_BAR, end.fg if end.bg == BLANK else end.bg)
        return
    text = _first_that_fits(texts, room)
    offset = min(marks.offsets.get(stop, 0), room - len(text)) if not bar else 0
    _write(line, start + bar + max(offset, 0), text)


def _texts(below: str, inside: str, above: str) -> list[str]:
    """How marks at one range may be written, the fullest first; nothing where there are none."""
    if not (below or above):
        return [inside, *(inside[:n] + _SEVERAL for n in range(len(inside) - 2, -1, -1))] if inside else []
    texts = []
    for one in (inside, inside and _SEVERAL):
        for left in dict.fromkeys((below, below and _SEVERAL)):
            for right in dict.fromkeys((above, above and _SEVERAL)):
                texts.append(f"{left}{'<' if below else ''}{one}{'>' if above else ''}{right}")
    sign = "<" if below else ">"
    return [*texts, _SEVERAL if inside or (below and above) else sign]


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
