"""One unit through all images: which images lie in which range, and the numbers of a range."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np

from nastui.measure_records import MeasuredUnits
from nastui.records import Bool, Float32, Footprints, ImageTable, Int32, Int64, LayerInfo, UnitTable
from nastui.stats.ranges import count_ranges, range_index

NON_FINITE = -1


def no_value_words(n_images: int) -> str:
    """What is said of a unit without a finite value, of so many images."""
    return "no finite value" if n_images else "no images yet"


class Order(Enum):
    """How the images of a range are put in order; images of equal value stay in the run's order."""

    FALLING = "value, highest first"
    RISING = "value, lowest first"
    CLASS = "class, then value"
    RANDOM = "chance"

    def next(self) -> Order:
        """The order after this one, round and round."""
        orders = list(Order)
        return orders[(orders.index(self) + 1) % len(orders)]


@dataclass(frozen=True, slots=True)
class RangeFacts:
    """The exact numbers of one range.

    `low`, `high`: its edges; the range is closed on the left, and on the right only where `is_last`.
    `rank_first`, `rank_last`: the places of its images when all are sorted by rising value, counted from 1.
    `counts` (K,): images per class.
    """

    low: float
    high: float
    is_last: bool
    n: int
    n_finite: int
    mean: float
    rank_first: int
    rank_last: int
    counts: Int32


@dataclass(frozen=True)
class UnitView:
    """`values` (N,): the unit's value for every image, NaN where an image did not decode.

    `range_of` (N,): the range of each image, NON_FINITE where its value is NaN or infinite; `is_ok` (N,): images that
    count. `footprints` holds this one unit.
    """

    values: Float32
    range_of: Int32
    is_ok: Bool
    class_id: Int32
    footprints: Footprints

    @classmethod
    def build(cls, values: Float32, images: ImageTable, n_classes: int, m: int) -> UnitView:
        """Sort the images of a run into the ranges of a unit; values: (N,)."""
        ok = images.is_ok[: len(values)]
        footprints = count_ranges(values[None, ok], images.class_id[: len(values)][ok], n_classes, m)
        range_of = np.full(len(values), NON_FINITE, dtype=np.int32)
        range_of[ok] = range_index(values[None, ok], footprints.edges, footprints.n_ranges, footprints.n_left)[0]
        return cls(values, range_of, ok, images.class_id[: len(values)], footprints)

    @property
    def n_ranges(self) -> int:
        return int(self.footprints.n_ranges[0])

    @property
    def n_left(self) -> int:
        """The ranges left of the zero line."""
        return int(self.footprints.n_left[0])

    @property
    def edges(self) -> list[float]:
        """The n_ranges + 1 edges, rising."""
        return self.footprints.edges[0, : self.n_ranges + 1].tolist() if self.n_ranges else []

    @property
    def totals(self) -> list[int]:
        """Images per range."""
        return [int(total) for total in self.footprints.counts[0, : self.n_ranges].sum(axis=1)]

    @property
    def n_non_finite(self) -> int:
        """Images that count and whose value is NaN or infinite."""
        return int((self.range_of[self.is_ok] == NON_FINITE).sum())

    def stops(self, class_id: int | None = None) -> list[int]:
        """The ranges that hold images, of one class only where `class_id` is given, rising; NON_FINITE last where there
        are such values."""
        if class_id is None:
            stops = [r for r, total in enumerate(self.totals) if total]
            return [*stops, NON_FINITE] if self.n_non_finite else stops
        held = set(self.range_of[self.is_ok & (self.class_id == class_id)].tolist())
        return [*sorted(held - {NON_FINITE}), *held & {NON_FINITE}]

    def first_stop(self, class_id: int | None = None) -> int:
        """Where one starts: at the highest values, at the NaN and infinite ones where there are no others."""
        stops = self.stops(class_id)
        finite = [stop for stop in stops if stop != NON_FINITE]
        return finite[-1] if finite else NON_FINITE if stops else 0

    def image_ids(self, stop: int, order: Order, class_id: int | None = None, seed: int = 0) -> Int64:
        """The images of a range in the given order, of one class only where `class_id` is given; `seed` makes the order
        by chance repeatable."""
        chosen = self.is_ok & (self.range_of == stop)
        if class_id is not None:
            chosen &= self.class_id == class_id
        ids = np.flatnonzero(chosen)
        values = self.values[ids]
        if order is Order.RISING:
            return ids[np.argsort(values, kind="stable")]
        if order is Order.RANDOM:
            return np.random.default_rng(seed).permutation(ids)
        by_value = np.argsort(-values, kind="stable")
        if order is Order.FALLING:
            return ids[by_value]
        ids = ids[by_value]
        return ids[np.argsort(self.class_id[ids], kind="stable")]

    def facts(self, stop: int) -> RangeFacts:
        """The numbers of a range."""
        low, high = self.footprints.edges[0, stop : stop + 2].tolist()
        counts = self.footprints.counts[0, stop]
        n = int(counts.sum())
        below = sum(self.totals[:stop])
        mean = float(self.values[self.range_of == stop].mean(dtype=np.float64)) if n else float("nan")
        is_last = stop == self.n_ranges - 1
        return RangeFacts(low, high, is_last, n, sum(self.totals), mean, below + 1, below + n, counts)

    def zero_stop(self) -> int:
        """The range with images that lies nearest to the zero line, the right side first."""
        return self._nearest(self.n_left)

    def median_stop(self) -> int:
        """The range that holds the median image."""
        half = (sum(self.totals) + 1) // 2
        return int(np.searchsorted(np.cumsum(self.totals), half)) if half else 0

    def _nearest(self, target: int) -> int:
        held = [stop for stop in self.stops() if stop != NON_FINITE]
        return min(held, key=lambda stop: (abs(stop - target), -stop)) if held else 0


@dataclass(frozen=True)
class Place:
    """A unit looked at with m ranges; answers that come for another place are late."""

    layer: LayerInfo
    unit: int
    m: int


@dataclass(frozen=True)
class Shown:
    """What stands on the screen: a place, the measures of its layer's units, and the unit's ranges. `measured`: None
    where the run has no class measures. `n_done`: the images that had been looked at when `units` was read."""

    place: Place
    units: UnitTable
    view: UnitView
    measured: MeasuredUnits | None = None
    n_done: int = 0

    def is_at(self, place: Place) -> bool:
        """Whether this is the unit of `place`, with whatever number of ranges."""
        return (self.place.layer.basis_id, self.place.unit) == (place.layer.basis_id, place.unit)
