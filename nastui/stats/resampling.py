"""What the shifted selectivity of units is by chance, with shuffled labels, and how it varies with the images.

Both look at all units of a layer with the same shuffles and the same samples: what units have in common stays. U:
units, N: images, K: classes with images, P: shuffles, R: samples.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from nastui.records import Bool, Float32, Float64, Int32, Int64
from nastui.stats.fillings import Fillings
from nastui.stats.labels import Labels
from nastui.stats.places import Places
from nastui.stats.spans import STEPS, Spans
from nastui.stats.surprise import surprise
from nastui.stats.tallies import Tallies, UInt8, exact_sums

Floats = TypeVar("Floats", Float32, Float64)

_INTERVAL = (0.025, 0.975)
_FEW_CLASSES = 10  # so many sums over classes are as quick all at once as one after the other
_FINER = float(1 << 8)  # so much finer than steps are the parts of a class mean
_NOTHING = 1e-6  # of a span: means that are no further above the lowest value lie there but for rounding


@dataclass(frozen=True, slots=True)
class Null:
    """`mean` (U,): the mean over the shuffles of the highest class's shifted selectivity. `by_chance` (P,): in each
    shuffle, the highest surprise of the units at their highest class's mean."""

    mean: Float64
    by_chance: Float64


@dataclass(frozen=True, slots=True)
class Resampling:
    """The images at the classes' places: P `shuffles` and R `samples`.

    Units all of whose values are finite are summed by `members`, of the images in each class but the smallest, and by
    `draws`, of how often each image is drawn. Where there are more than a few classes there are no `members`: the
    images of each shuffle are gathered then, as they are for the units with gaps.
    """

    labels: Labels
    places: Places
    shuffles: Fillings
    samples: Fillings
    members: Tallies | None
    draws: Tallies

    @classmethod
    def of(cls, labels: Labels, shuffles: int, resamples: int, seed: int) -> Resampling:
        places = Places.of(labels)
        shuffled, sampled = places.shuffled(shuffles, seed), places.sampled(labels, resamples, seed)
        n_images, n_classes = len(labels.ids), len(places.sizes)
        draws = Tallies.of(sampled, _times_drawn, n_images)
        if not 1 < n_classes <= _FEW_CLASSES:
            return cls(labels, places, shuffled.keep(), sampled, None, draws)
        return cls(labels, places, shuffled, sampled, Tallies.of(shuffled, places.members, n_images * n_classes), draws)

    def null(self, spans: Spans) -> Null:
        """NaN where there are no shuffles."""
        n_units = len(spans.values)
        if not len(self.shuffles):
            return Null(np.full(n_units, np.nan), np.empty(0))
        mean, by_chance = np.empty(n_units), np.full(len(self.shuffles), -np.inf)
        is_gathered = spans.has_gaps if self.members is not None else np.ones(n_units, dtype=np.bool_)
        exact, gathered = np.flatnonzero(~is_gathered), _company(is_gathered)
        for units, null in ((exact, self._exact_null), (gathered, self._gathered_null)):
            if len(units):
                found = null(spans.of_units(units))
                mean[units] = found.mean
                np.maximum(by_chance, found.by_chance, out=by_chance)
        return Null(mean, by_chance)

    def interval(self, spans: Spans, top_class: Int64) -> tuple[Float64, Float64]:
        """The 95 % percentile interval of the shifted selectivity of `top_class` (U,), each (U,); NaN without samples.

        The top class and the lowest value stay those observed, so that the number keeps its meaning; the interval says
        nothing of how the class was chosen. A sample in which the class has no value counts as 0.
        """
        n_units = len(spans.values)
        if not len(self.samples):
            return np.full(n_units, np.nan), np.full(n_units, np.nan)
        index = np.empty((len(self.samples), n_units))
        whole, with_gaps = np.flatnonzero(~spans.has_gaps), _company(spans.has_gaps)
        for units, indices in ((whole, self._exact_indices), (with_gaps, self._gathered_indices)):
            if len(units):
                index[:, units] = indices(spans.of_units(units), np.maximum(top_class[units], 0))
        lo, hi = np.quantile(index, _INTERVAL, axis=0)
        return lo, hi

    def _exact_null(self, spans: Spans) -> Null:
        assert self.members is not None
        n_units, n_classes = len(spans.values), len(self.places.sizes)
        indices, by_chance = [], []
        for members in self.members:
            sums = exact_sums(spans.steps, n_units, members).T
            of_classes, total = sums[:-1].reshape(-1, n_classes - 1, n_units), sums[-1]
            of_classes = np.concatenate([of_classes, total - of_classes.sum(axis=1, keepdims=True)], axis=1)
            means = of_classes / (STEPS * self.places.sizes[:, None])
            top = means.max(axis=1)
            n_top = np.where(means == top[:, None], self.places.sizes[:, None], 0).max(axis=1)
            indices.append(_index(spans.floor, top, (means.sum(axis=1) - top) / (n_classes - 1)))
            by_chance.append(surprise(top, n_top, spans.variance, spans.ceiling).max(axis=1))
        return Null(np.concatenate(indices).mean(axis=0), np.concatenate(by_chance))

    def _exact_indices(self, spans: Spans, top_class: Int64) -> Float64:
        """(R, U)."""
        n_units, ids = len(spans.values), self.labels.ids
        share = _FINER / np.maximum(self.labels.sizes, 1)[ids]  # of an image in the mean of its class

        def parts(images: slice) -> Float64:
            parts = spans.steps(images)
            parts *= share[images]
            np.rint(parts, out=parts)
            return np.concatenate([parts, parts * (ids[images] == top_class[:, None])])

        sums = np.concatenate([exact_sums(parts, 2 * n_units, draws).T for draws in self.draws]) / (STEPS * _FINER)
        of_all, top = sums[:, :n_units], sums[:, n_units:]
        return _index(spans.floor, top, (of_all - top) / max(len(self.places.sizes) - 1, 1))

    def _gathered_null(self, spans: Spans) -> Null:
        n_units = len(spans.values)
        index, above, n_top = (np.empty((len(self.shuffles), n_units), dtype=np.float32) for _ in range(3))
        floor = spans.floor.astype(np.float32)
        for shuffle, (means, sizes) in enumerate(self._class_means(spans, self.shuffles)):
            top = np.maximum(means.max(axis=0), -1)  # no value lies lower: -1 is for a unit without any
            has_equal_sizes = bool((sizes == sizes[0]).all())
            n_top[shuffle] = sizes[0] if has_equal_sizes else np.where(means == top, sizes, 0).max(axis=0)
            index[shuffle], above[shuffle] = _index(floor, top, _mean_of_others(means, top, sizes > 0)), top
        surprises = surprise(above.astype(np.float64), n_top, spans.variance, spans.ceiling)
        return Null(index.mean(axis=0, dtype=np.float64), surprises.max(axis=1))

    def _gathered_indices(self, spans: Spans, top_class: Int64) -> Float32:
        """(R, U)."""
        n_units = len(spans.values)
        top_numbers, units = self.places.number_of[top_class], np.arange(n_units)
        index = np.empty((len(self.samples), n_units), dtype=np.float32)
        floor = spans.floor.astype(np.float32)
        for sample, (means, sizes) in enumerate(self._class_means(spans, self.samples)):
            top = means[top_numbers, units]
            found = np.isfinite(top)
            top = np.where(found, top, 0)
            index[sample] = _index(floor, top, _mean_of_others(means, top, sizes > 0)) * found
        return index

    def _class_means(self, spans: Spans, fillings: Fillings) -> Iterator[tuple[Float32, Float32]]:
        """For every filling of the places, the means of the classes, (K, U), -inf for one without finite values, and
        how many of these it has, (K, U) or (K, 1)."""
        values, finite = spans.shares()
        equal_sizes = self.places.sizes.astype(np.float32)[:, None]
        for images in fillings:
            sums = self.places.class_sums(values, images)
            if finite is None:
                yield sums / equal_sizes, equal_sizes
            else:
                sizes = self.places.class_sums(finite, images)
                yield np.where(sizes > 0, sums / np.maximum(sizes, 1), -np.inf), sizes


def _company(chosen: Bool) -> Int64:
    """The numbers of the units that are `chosen` (U,). One alone comes twice: NumPy sums a single column in another
    order than several, and rounding must not depend on how many units are looked at together."""
    units = np.flatnonzero(chosen)
    return np.repeat(units, 2) if len(units) == 1 else units


def _times_drawn(samples: list[Int32]) -> UInt8:
    return np.stack([np.bincount(images, minlength=len(images)) for images in samples], axis=1).astype(np.uint8)


def _index(floor: Floats, top: Floats, rest: Floats) -> Floats:
    """The shifted selectivity index of a class mean `top` and the mean `rest` of the others', (..., U), as shares of
    the span, from the unit's mean on; `floor` (U,). 0 where both are the unit's lowest value."""
    both = top + rest + 2 * floor
    index: Floats = np.divide(top - rest, both, out=np.zeros_like(both), where=both > _NOTHING)
    return np.clip(index, -1, 1, out=index)


def _mean_of_others(means: Float32, top: Float32, has_values: Bool) -> Float32:
    """The mean of the class means without `top`, one of them, (U,); `means`: (K, U), `has_values`: (K, U) or (K, 1)."""
    counted = means if has_values.all() else np.where(has_values, means, 0)
    n_others = np.maximum(has_values.sum(axis=0) - 1, 1).astype(np.float32)
    mean: Float32 = (counted.sum(axis=0) - top) / n_others
    return mean
