"""What the shifted selectivity of units is by chance, with shuffled labels, and how it varies with the images.

Both look at all units of a layer with the same shuffles and the same samples: what units have in common stays. U:
units, N: images, K: classes with images, P: shuffles, R: samples.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from nastui.records import Bool, Float32, Float64, Int64
from nastui.stats.fillings import Fillings
from nastui.stats.labels import Labels
from nastui.stats.places import Places
from nastui.stats.spans import Spans
from nastui.stats.surprise import surprise

_INTERVAL = (0.025, 0.975)


@dataclass(frozen=True, slots=True)
class Null:
    """`mean` (U,): the mean over the shuffles of the highest class's shifted selectivity. `by_chance` (P,): in each
    shuffle, the highest surprise of the units at their highest class's mean."""

    mean: Float64
    by_chance: Float64


@dataclass(frozen=True, slots=True)
class Resampling:
    """The images at the classes' places: P `shuffles` and R `samples`."""

    places: Places
    shuffles: Fillings
    samples: Fillings

    @classmethod
    def of(cls, labels: Labels, shuffles: int, resamples: int, seed: int) -> Resampling:
        places = Places.of(labels)
        return cls(places, places.shuffled(shuffles, seed), places.sampled(labels, resamples, seed))

    def null(self, spans: Spans) -> Null:
        """NaN where there are no shuffles."""
        n_units = spans.values.shape[1]
        if not len(self.shuffles):
            return Null(np.full(n_units, np.nan), np.empty(0))
        index, above, n_top = (np.empty((len(self.shuffles), n_units), dtype=np.float32) for _ in range(3))
        for shuffle, (means, sizes) in enumerate(self._class_means(spans, self.shuffles)):
            top = np.maximum(means.max(axis=0), -1)  # no value lies lower: -1 is for a unit without any
            has_equal_sizes = bool((sizes == sizes[0]).all())
            n_top[shuffle] = sizes[0] if has_equal_sizes else np.where(means == top, sizes, 0).max(axis=0)
            index[shuffle], above[shuffle] = spans.index(top, _mean_of_others(means, top, sizes > 0)), top
        surprises = surprise(above.astype(np.float64), n_top, spans.variance, spans.ceiling)
        return Null(index.mean(axis=0, dtype=np.float64), surprises.max(axis=1))

    def interval(self, spans: Spans, top_class: Int64) -> tuple[Float64, Float64]:
        """The 95 % percentile interval of the shifted selectivity of `top_class` (U,), each (U,); NaN without samples.

        The top class and the lowest value stay those observed, so that the number keeps its meaning; the interval says
        nothing of how the class was chosen. A sample in which the class has no value counts as 0.
        """
        n_units = spans.values.shape[1]
        if not len(self.samples):
            return np.full(n_units, np.nan), np.full(n_units, np.nan)
        top_numbers, units = self.places.number_of[np.maximum(top_class, 0)], np.arange(n_units)
        index = np.empty((len(self.samples), n_units), dtype=np.float32)
        for sample, (means, sizes) in enumerate(self._class_means(spans, self.samples)):
            top = means[top_numbers, units]
            found = np.isfinite(top)
            top = np.where(found, top, 0)
            index[sample] = spans.index(top, _mean_of_others(means, top, sizes > 0)) * found
        lo, hi = np.quantile(index, _INTERVAL, axis=0)
        return lo.astype(np.float64), hi.astype(np.float64)

    def _class_means(self, spans: Spans, fillings: Fillings) -> Iterator[tuple[Float32, Float32]]:
        """For every filling of the places, the means of the classes, (K, U), -inf for one without finite values, and
        how many of these it has, (K, U) or (K, 1)."""
        sizes = self.places.sizes.astype(np.float32)[:, None]
        for images in fillings:
            sums = self.places.class_sums(spans.values, images)
            if spans.finite is None:
                yield np.divide(sums, sizes, out=sums), sizes
            else:
                sizes = self.places.class_sums(spans.finite, images)
                yield np.where(sizes > 0, sums / np.maximum(sizes, 1), -np.inf), sizes


def _mean_of_others(means: Float32, top: Float32, has_values: Bool) -> Float32:
    """The mean of the class means without `top`, one of them, (U,); `means`: (K, U), `has_values`: (K, U) or (K, 1)."""
    counted = means if has_values.all() else np.where(has_values, means, 0)
    n_others = np.maximum(has_values.sum(axis=0) - 1, 1).astype(np.float32)
    mean: Float32 = (counted.sum(axis=0) - top) / n_others
    return mean
