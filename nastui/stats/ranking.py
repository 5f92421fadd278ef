"""How well a unit's values rank the images of one class above the others; ties are handled as scikit-learn does.

U: units, N: images, K: classes. Places count from 0, the highest value first; values that are not finite stand last.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nastui.records import Bool, Float32, Float64, Int32, Int64
from nastui.stats.finite import FiniteValues
from nastui.stats.labels import Labels

UInt64 = NDArray[np.uint64]

_HALF = np.uint64(32)
_NOT_FINITE = np.int32(-1)  # all bits: beyond the key of every finite number
_ALL_BUT_SIGN = np.int32(np.iinfo(np.int32).max)


@dataclass(frozen=True, slots=True)
class Ranking:
    """The images of each unit from the highest value to the lowest, and the same class by class.

    `keys`: (U, N), order-keeping codes of the values, place by place. `tied`: (T,), the units in which values are
    equal; `first_tied`, `last_tied`: (T, N), in these, the first and last place of the values equal to each place's.

    Class by class as `labels.order` has them, and by falling value within a class: `first`, `last`: (U, N), the first
    and last place of the values equal to an image's; `hits`: (U, N) or (1, N), how many images of its class stand up to
    there. `sizes`: (U, K), finite values of each class; `n`: (U,), of all.
    """

    labels: Labels
    keys: UInt64
    tied: Int64
    first_tied: Int32
    last_tied: Int32
    first: Int32
    last: Int32
    hits: Int32
    sizes: Int64
    n: Int64

    @classmethod
    def of(cls, values: Float32, labels: Labels, sizes: Int64, finite: FiniteValues) -> Ranking:
        """Rank `values`: (U, N), with the finite values of each class, (U, K)."""
        keys = _keys_of(values)
        if finite.mask is not None:
            keys[~finite.mask] = _NOT_FINITE
        ranked = keys.view(np.uint32).astype(np.uint64)
        ranked <<= _HALF
        ranked |= labels.ids.astype(np.uint64)
        ranked.sort(axis=1)
        places = _by_class(ranked, labels)
        ranked >>= _HALF
        differs = ranked[:, 1:] != ranked[:, :-1]
        tied = np.flatnonzero(~differs.all(axis=1))
        first_tied, last_tied = _runs(differs[tied])
        of_class = labels.ids[labels.order]
        hits = (np.arange(len(of_class)) + 1 - labels.starts_by_id[of_class]).astype(np.int32)[None]
        first = last = places
        if len(tied):
            first, last = places.copy(), places.copy()
            # `np.take` on flat arrays takes a third of the time of `take_along_axis`.
            at = places[tied] + np.arange(0, last_tied.size, places.shape[1])[:, None]
            first[tied], last[tied] = np.take(first_tied, at), np.take(last_tied, at)
            ends = (of_class[1:] != of_class[:-1]) | (last[tied, 1:] != last[tied, :-1])
            hits = np.repeat(hits, len(places), axis=0)
            hits[tied] = np.take(hits[0], _runs(ends)[1])
        return cls(labels, ranked, tied, first_tied, last_tied, first, last, hits, sizes, finite.n)

    def auroc(self) -> Float64:
        """The area under the ROC curve of each class against the rest, (U, K): the share of pairs of an image of the
        class and another one in which the class's has the higher value, half of the equal ones. NaN without pairs."""
        both = self.labels.sums(self._finite_alone(self.first + self.last))
        below = self.n[:, None] * self.sizes - both / 2  # ranks from below, from 1; equal values share theirs
        above = below - self.sizes * (self.sizes + 1) / 2
        pairs = self.sizes * (self.n[:, None] - self.sizes)
        area: Float64 = np.divide(above, pairs, out=np.full(pairs.shape, np.nan), where=pairs > 0)
        return area

    def average_precision(self) -> Float64:
        """Average precision of each class against the rest, (U, K): the mean, over the images of the class, of the
        share of the class among the values at least as high. NaN for a class without values or without others."""
        total = self.labels.sums(self._finite_alone(self.hits / (self.last + 1)))
        is_defined = (self.sizes > 0) & (self.sizes < self.n[:, None])
        mean: Float64 = np.divide(total, self.sizes, out=np.full(total.shape, np.nan), where=is_defined)
        return mean

    def best_threshold(self, top_class: Int64) -> tuple[Float64, Float64, Float64]:
        """Hit rate, false-alarm rate and the threshold t, each (U,), at which their difference is the largest.

        The hit rate is the share of the images of `top_class` with a value above t, the false-alarm rate that of the
        others (Gale et al. 2020). t lies halfway between two values that occur; of equally good ones it is the highest.
        NaN where no threshold tells the class from the others.
        """
        rows = np.arange(len(self.n))
        size = np.where(top_class >= 0, self.sizes[rows, top_class], 0)
        # The difference is the largest at an image of the class: the others' only make it smaller.
        nth = np.arange(max(1, int(np.max(size, initial=0))))
        start = self.labels.starts_by_id[np.maximum(top_class, 0)]
        at = np.minimum(start[:, None] + nth, self.last.shape[1] - 1)
        last = np.take(self.last, at + rows[:, None] * self.last.shape[1]).astype(np.int64)
        gain = (nth + 1) * self.n[:, None] - (last + 1) * size[:, None]  # (hit - false-alarm rate) in whole numbers
        gain[nth >= size[:, None]] = 0
        best = gain.argmax(axis=1)
        is_defined = gain[rows, best] > 0
        n_hits, place = best + 1, last[rows, best]
        rest = np.where(is_defined, self.n - size, 1)
        hit_rate = np.where(is_defined, n_hits / np.maximum(size, 1), np.nan)
        false_alarms = np.where(is_defined, (place + 1 - n_hits) / rest, np.nan)
        below = np.minimum(place + 1, self.keys.shape[1] - 1)
        halfway = (_values_of(self.keys[rows, place]) + _values_of(self.keys[rows, below])) / 2
        return hit_rate, false_alarms, np.where(is_defined, halfway, np.nan)

    def end_shares(self, k: int, of_lowest: bool = False) -> Float64:
        """The share of each class among the `k` highest (or lowest) values, (U, K); of all where there are fewer.

        Images whose values tie at the cut share the places that are left: each counts for an equal part of one.
        """
        k_of = np.minimum(k, self.n)
        cut = np.clip(np.where(of_lowest, self.n - k_of, k_of - 1), 0, None)  # the last place that still belongs
        first, last = cut.copy(), cut.copy()
        rows = np.arange(len(self.tied))
        first[self.tied], last[self.tied] = (
            places[rows, cut[self.tied]] for places in (self.first_tied, self.last_tied)
        )
        before_cut = self.labels.sums(self.last < first[:, None])
        up_to_cut = self.labels.sums(self.last <= last[:, None])
        at_cut = up_to_cut - before_cut
        beyond, n_beyond = (self.sizes - up_to_cut, self.n - 1 - last) if of_lowest else (before_cut, first)
        part = (k_of - n_beyond) / (last - first + 1)
        shares: Float64 = (beyond + at_cut * part[:, None]) / np.maximum(k_of, 1)[:, None]
        return shares

    def _finite_alone(self, numbers: NDArray[Any]) -> NDArray[Any]:
        """`numbers` (U, N), class by class, with 0 for what is not finite."""
        n_places = self.keys.shape[1]
        return numbers if (self.n == n_places).all() else np.where(self.last < self.n[:, None], numbers, 0)


def best_class(scores: Float64) -> tuple[Float64, Int64]:
    """The highest of `scores` (U, K) and its class, each (U,): the lower id of equal ones, NaN and -1 for none."""
    ranked = np.where(np.isnan(scores), -np.inf, scores)
    best = ranked.argmax(axis=1)
    score = ranked[np.arange(len(ranked)), best]
    is_none = np.isneginf(score)
    return np.where(is_none, np.nan, score), np.where(is_none, -1, best)


def _keys_of(values: Float32) -> Int32:
    """Numbers whose bits, read without a sign, are in the opposite order of the values; 0 and -0 have the same."""
    bits = (values + np.float32(0)).view(np.int32)
    turned = ~(bits >> 31)  # all bits but the sign, unless that is set
    turned &= _ALL_BUT_SIGN
    turned ^= bits
    return turned


def _values_of(keys: UInt64) -> Float64:
    bits = keys.astype(np.uint32).view(np.int32)
    return (bits ^ (~(bits >> 31) & _ALL_BUT_SIGN)).view(np.float32).astype(np.float64)


def _by_class(ranked: UInt64, labels: Labels) -> Int32:
    """The places of each class's images, class by class and rising within a class: (U, N).

    `ranked`: (U, N), numbers whose lower half is the class of the image at each place.
    """
    n_places = ranked.shape[1]
    smallest = np.min_scalar_type(labels.n_classes * n_places)  # sorted several times as fast
    grouped = (ranked & np.uint64(0xFFFFFFFF)).astype(smallest)
    grouped *= smallest.type(n_places)
    grouped += np.arange(n_places, dtype=smallest)
    grouped.sort(axis=1)
    grouped -= (labels.ids[labels.order] * n_places).astype(smallest)
    return grouped.astype(np.int32)


def _runs(differs: Bool) -> tuple[Int32, Int32]:
    """The first and last place of each place's run of equals, (U, N); `differs` (U, N - 1): where a run ends."""
    shape = len(differs), differs.shape[1] + 1
    ends = np.ones(shape, dtype=np.bool_)
    ends[:, :-1] = differs
    stops = np.flatnonzero(ends)
    lengths = np.diff(stops, prepend=-1)
    stops %= shape[1]
    first = np.repeat((stops - lengths + 1).astype(np.int32), lengths).reshape(shape)
    return first, np.repeat(stops.astype(np.int32), lengths).reshape(shape)
