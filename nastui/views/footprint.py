"""A layer's footprints as rows of character cells: where every range stands, and what is painted there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from rich.cells import cell_len, set_cell_size

from nastui.palette import BLANK
from nastui.records import Float64, Footprints, Int64
from nastui.stats.ranges import range_edges
from nastui.views.bars import EMPTY, Cell, bar_width, paint_bars, paint_letter_bars
from nastui.views.classes import ClassSlots
from nastui.views.ink import DIM, ZERO
from nastui.views.look import PITCHES, Look
from nastui.views.numbers import short_number
from nastui.views.plain import cut, right_aligned
from nastui.views.probe_marks import ProbeMarks, put_marks
from nastui.views.unit_view import no_value_words

ZERO_LINE = Cell("┃", ZERO, BLANK)
_ZERO_WIDTH = 2  # the line and the white space right of it
NUMBER_WIDTH = 8
_SIGNS_WIDTH = 3
_MIN_RANGES = 6
_MUCH = 8  # a class with this part of a range, or more, is missed where it is not drawn


@dataclass(frozen=True, slots=True)
class Geometry:
    """Where things stand in a row: unit, a value, lo, the ranges left of zero, the zero line, those right of it, hi.

    `m` ranges are asked for; `pitch` characters belong to each, white space included. `left` and `right` are the
    columns on the two sides of the zero line. `bars_width`: the characters there are for all that. `value_width`: those
    of the value by which the rows are sorted, with the white space before it; 0 where it is not shown.
    """

    m: int
    pitch: int
    left: int
    right: int
    label_width: int
    bars_width: int
    value_width: int = 0

    @property
    def full_width(self) -> int:
        """The characters that all range columns and the zero line would take."""
        return (self.left + self.right) * self.pitch + _ZERO_WIDTH

    @property
    def is_whole(self) -> bool:
        """Whether all range columns are on the screen at once."""
        return self.full_width <= self.bars_width

    @property
    def bars_x(self) -> int:
        """Where the bars start: after the unit, the value and lo."""
        return self.label_width + self.value_width + NUMBER_WIDTH + 1

    def column_x(self, column: int) -> int:
        """Where a column starts, counted from the first column; column 0 is the first one right of zero."""
        return (self.left + column) * self.pitch + (_ZERO_WIDTH if column >= 0 else 0)

    @property
    def zero_x(self) -> int:
        """Where the zero line stands, counted from the first column."""
        return self.left * self.pitch


def columns_needed(lo: Float64, hi: Float64, m: int) -> tuple[int, int]:
    """The columns left and right of the zero line that units with these extremes need; lo, hi: (U,), NaN allowed."""
    some = _widest_units(lo, hi)
    _, n_ranges, n_left = range_edges(lo[some], hi[some], m)
    if len(some) == 0:
        return 0, 0
    n_right = n_ranges - n_left
    return max(n_left.tolist()), max(n_right.tolist())


def _widest_units(lo: Float64, hi: Float64) -> Int64:
    """Units that between them need as many columns on each side as any: only the shares beside zero decide."""
    finite = np.flatnonzero(np.isfinite(lo))
    low, high = lo[finite], hi[finite]
    spread = high > low
    # Both sides are asked: beside -1 a highest value of 1e-30 has a range of its own, and leaves the other share 1.
    sides = [np.divide(end, high - low, out=np.sign(end), where=spread) for end in (-low, high)]
    # A unit of one range needs less than one of m with the same share, so the two sorts are looked at apart.
    groups = [np.flatnonzero(spread), np.flatnonzero(~spread)]
    picked = [g[np.argmax(share[g])] for g in groups if len(g) for share in sides]
    return finite[np.array(picked, dtype=np.int64)]


def fit_geometry(lo: Float64, hi: Float64, look: Look, width: int, value_width: int = 0) -> Geometry:
    """The geometry of a layer whose units have these extremes, on a screen of `width` characters.

    The widest pitch that fits with all m ranges is taken; where not even the narrowest does, and no pitch was asked
    for, fewer ranges are: the picture of a smaller m is exact, a cut one is not. A value of `value_width` characters is
    shown in every row where that takes no range away.
    """
    plain = _fit(lo, hi, look, width, 0)
    if not value_width:
        return plain
    with_value = _fit(lo, hi, look, width, value_width + 1)
    is_as_good = with_value.m == plain.m and with_value.is_whole >= plain.is_whole
    return with_value if is_as_good else plain


def _fit(lo: Float64, hi: Float64, look: Look, width: int, value_width: int) -> Geometry:
    label_width = max(len(str(len(lo))), 4) + _SIGNS_WIDTH + 2
    bars_width = max(width - label_width - value_width - 2 * NUMBER_WIDTH - 2, 1)
    pitches = PITCHES if look.pitch is None else (look.pitch,)
    m = look.ranges
    while True:
        left, right = columns_needed(lo, hi, m)
        for pitch in pitches:
            geometry = Geometry(m, pitch, left, right, label_width, bars_width, value_width)
            if geometry.is_whole:
                return geometry
        if look.pitch is not None or m <= _MIN_RANGES:
            return geometry
        pitches = PITCHES[-1:]
        m -= 1


@dataclass(frozen=True, slots=True)
class PaintedRow:
    """The bars of one unit. `lines`: a tuple of cells per text line, each `Geometry.full_width` long; below bars of
    more than one line there is one of white space, or they would run into the next row's.

    `n_hidden`: colours (*other* is one) that are in some range but too rare there to be drawn; `hides_much`: one of
    them has an eighth of its range or more. `ends`: marks of probes that stand beside lo and hi, in the marks' line.
    """

    lines: tuple[tuple[Cell, ...], ...]
    n_hidden: int
    hides_much: bool
    ends: tuple[str, str] = ("", "")


def paint_row(
    footprints: Footprints,
    row: int,
    slots: ClassSlots,
    look: Look,
    geometry: Geometry,
    probes: ProbeMarks | None = None,
    *,
    in_letters: bool = False,
    ends: tuple[int, int] = (0, 0),
) -> PaintedRow:
    """Paint the ranges of the `row`-th unit of `footprints` in `geometry`; `in_letters` where colours cannot be told
    apart. Marks of `probes` stand in the white space: below the bars, behind them in a row of one line; `ends` are the
    cells that there are for them beside lo and hi in that line."""
    height = look.row_height
    lines = [[EMPTY] * geometry.full_width for _ in range(height)]
    counts = slots.slot_counts(footprints.counts[row, : int(footprints.n_ranges[row])])
    held = np.flatnonzero(counts.sum(axis=1))
    widths = [bar_width(int(counts[r].sum()), look.medium, look.full, geometry.pitch) for r in held]
    paint = paint_letter_bars if in_letters else paint_bars
    hidden: set[int] = set()
    hides_much = False
    for place, bar in zip(held, paint(counts[held], widths, height), strict=True):
        hidden.update(bar.hidden)
        hides_much |= any(_MUCH * counts[place, slot] >= counts[place].sum() for slot in bar.hidden)
        x = geometry.column_x(int(place) - int(footprints.n_left[row]))
        if x < 0 or x + geometry.pitch > geometry.full_width:
            continue  # the run has grown since the geometry was made; the next look at it comes within a second
        for line, cells in zip(lines, bar.lines, strict=True):
            line[x : x + len(cells)] = cells
    if height > 1:
        lines.append([EMPTY] * geometry.full_width)
    for line in lines:
        line[geometry.zero_x] = ZERO_LINE
    at_ends = "", ""
    if probes is not None:
        n_left, n_ranges = int(footprints.n_left[row]), int(footprints.n_ranges[row])
        at_ends = _mark(lines[-1], probes, geometry, n_left, n_ranges, ends)
    return PaintedRow(tuple(tuple(line) for line in lines), len(hidden), hides_much, at_ends)


def _mark(
    line: list[Cell],
    probes: ProbeMarks,
    geometry: Geometry,
    n_left: int,
    n_ranges: int,
    ends: tuple[int, int] = (0, 0),
) -> tuple[str, str]:
    starts = [geometry.column_x(place - n_left) for place in range(n_ranges)]
    return put_marks(line, probes, starts, geometry.pitch, ends, is_whole=geometry.is_whole)


def paint_words(
    words: str, look: Look, geometry: Geometry, probes: ProbeMarks | None = None, n_left: int = 0
) -> PaintedRow:
    """A row of words in place of bars, beside the zero line: for a unit that has one value or none. `n_left`: its
    ranges left of zero, for the marks of `probes`."""
    if probes is not None and probes.words and look.row_height == 1:
        words = f"{words}  {probes.words}"
    height = look.row_height + (look.row_height > 1)
    lines = [[EMPTY] * geometry.full_width for _ in range(height)]
    room_right, room_left = geometry.full_width - geometry.zero_x - _ZERO_WIDTH, geometry.zero_x - 1
    is_right = room_right >= min(cell_len(words), room_left)
    shown = cut(words, max(room_right if is_right else room_left, 0))
    x = geometry.zero_x + _ZERO_WIDTH if is_right else geometry.zero_x - 1 - cell_len(shown)
    lines[(look.row_height - 1) // 2][x : x + len(shown)] = [Cell(char, DIM, BLANK) for char in shown]
    for line in lines:
        line[geometry.zero_x] = ZERO_LINE
    if probes is not None and look.row_height > 1:
        _mark(lines[-1], probes, geometry, n_left, 1)
    return PaintedRow(tuple(tuple(line) for line in lines), 0, False)


def words_instead(lo: float, hi: float, n_images: int) -> str:
    """What is said of a unit whose `n_images` values have no spread, in place of bars; nothing of any other."""
    if np.isnan(lo):
        return no_value_words(n_images)
    if lo < hi:
        return ""
    return f"{'dead: ' if hi <= 0 else ''}always {short_number(lo)}"


_REVIEW_SIGNS = {(False, False): " ", (False, True): "✓", (True, False): "☆", (True, True): "★"}  # starred, reviewed


@dataclass(frozen=True, slots=True)
class Signs:
    """What the left end of a row says of a unit beside its number."""

    is_marked: bool = False
    is_reviewed: bool = False
    is_starred: bool = False


def row_label(unit: int, width: int, signs: Signs, *, hides_much: bool) -> str:
    """The left end of a row: the signs, each in its own column, and the unit's number.

    • marked; ✓ a person has judged it, ☆ starred it, ★ both; + its bars hide a class.
    """
    review = _REVIEW_SIGNS[signs.is_starred, signs.is_reviewed]
    mark, hidden = "•" if signs.is_marked else " ", "+" if hides_much else " "
    return f"{mark}{review}{hidden}{unit:>{width - _SIGNS_WIDTH - 1}} "


def row_value(value: str, label_width: int, lo_width: int) -> str:
    """The value by which the rows are sorted, under the unit's number; a long word takes the room under lo too."""
    if cell_len(value) < label_width:
        return f"{right_aligned(value, label_width - 1)} {' ' * lo_width}"
    return set_cell_size(f" {cut(value, label_width + lo_width - 2)}", label_width + lo_width)


def row_number(value: float, *, to_right: bool) -> str:
    """lo (right-aligned, against the bars) or hi (left-aligned) at the ends of a row."""
    text = short_number(value, NUMBER_WIDTH)
    return text.rjust(NUMBER_WIDTH) if to_right else text.ljust(NUMBER_WIDTH)
