"""A unit's ranges (the cells of the thesis) and how many images of each class lie in them.

For the finite values of a unit, lo = min, hi = max, m ranges asked for, w = (hi - lo) / m:

- lo < 0 < hi: edges at lo, lo + w, … while below 0; then 0; then w, 2w, … while below hi; then hi. Zero is always an
  edge, the range right before it is the narrower one, and there are m or m + 1 ranges.
- lo >= 0 or hi <= 0: m equal ranges. lo = hi: one range.
- Ranges are closed on the left and open on the right; the last is closed on both sides. A value of 0 stands right of
  the zero line; only where hi = 0 is there no range to the right, and it stands in the last one.
- An inner edge within 1e-9 w of 0 or of hi is dropped, so there are no sliver ranges. lo, 0 and hi always stay: no
  value ever moves across zero.

Shapes: U units, N images, m ranges asked for, K classes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nastui.records import Bool, Float32, Float64, Footprints, Int32

Int16 = NDArray[np.int16]

_SLIVER = 1e-9  # share of w
_BLOCK_VALUES = 1 << 16  # values looked at together: the float64 copies stay in the processor's cache
_BLOCK_COUNTS = 1 << 20  # counts made together: bounds the memory when there are many classes


def range_edges(lo: Float64, hi: Float64, m: int) -> tuple[Float64, Int32, Int32]:
    """The edges of every unit's ranges. `lo`, `hi`: (U,), float32 numbers as float64, NaN for a unit without values.

    Returns `edges` (U, m + 2), NaN past the last one; `n_ranges` (U,): m, m + 1, 1 or 0 (no values); `n_left` (U,):
    how many ranges stand left of the zero line.
    """
    lo = lo + 0.0  # -0 becomes 0
    hi = hi + 0.0
    has_values = np.isfinite(lo) & np.isfinite(hi)
    crosses = (lo < 0) & (hi > 0)
    width = ((hi - lo) / m)[:, None]
    k = np.arange(m + 2)
    n_below = 1 + ((-(lo[:, None] + k[1:-1] * width)) > _SLIVER * width).sum(axis=1)
    n_above = 1 + ((hi[:, None] - k[1:-1] * width) > _SLIVER * width).sum(axis=1)
    one_sided = np.where(lo == hi, 1, m)
    n_ranges = np.where(has_values, np.where(crosses, n_below + n_above, one_sided), 0)
    n_left = np.where(has_values, np.where(crosses, n_below, np.where(lo < 0, one_sided, 0)), 0)
    from_zero = crosses[:, None] & (k >= n_below[:, None])
    edges = np.where(from_zero, (k - n_below[:, None]) * width, lo[:, None] + k * width)
    edges = np.where(k < n_ranges[:, None], edges, np.nan)
    edges[has_values, n_ranges[has_values]] = hi[has_values]
    return edges, n_ranges.astype(np.int32), n_left.astype(np.int32)


def range_index(values: Float32, edges: Float64, n_ranges: Int32, n_left: Int32) -> Int16:
    """The range that every value lies in, -1 for NaN and ±inf; `edges`, `n_ranges`, `n_left` as from `range_edges`.

    `values`: (U, N), each within its unit's edges. Returns (U, N).
    """
    index = np.empty(values.shape, dtype=np.int16)
    for block in _blocks(len(values), values.shape[1], edges.shape[1]):
        places = _Places(edges[block], n_ranges[block], n_left[block])
        finite = np.isfinite(values[block])
        found = places.find(np.where(finite, values[block], places.start))
        index[block] = np.where(finite, found, -1)
    return index


def count_ranges(
    values: Float32, class_ids: NDArray[np.integer[Any]], n_classes: int, m: int, first_unit: int = 0
) -> Footprints:
    """The footprints of units: how many images of each class lie in each of their ranges.

    `values`: (U, N); NaN and ±inf are left out. `class_ids`: (N,), 0 to n_classes - 1. `first_unit` is the number of
    the first row. The result takes 4 (m + 1) n_classes bytes a unit: ask for a part of a layer with many classes.
    """
    n_units = len(values)
    edges = np.empty((n_units, m + 2))
    n_ranges = np.empty(n_units, dtype=np.int32)
    n_left = np.empty(n_units, dtype=np.int32)
    counts = np.empty((n_units, m + 1, n_classes), dtype=np.int32)
    classes = class_ids.astype(np.int32)
    for block in _blocks(n_units, values.shape[1], (m + 1) * n_classes):
        part = values[block]
        lo, hi, finite = _extremes(part)
        edges[block], n_ranges[block], n_left[block] = range_edges(lo, hi, m)
        places = _Places(edges[block], n_ranges[block], n_left[block])
        key = places.find(part if finite is None else np.where(finite, part, places.start))
        key *= n_classes
        key += classes
        key += np.arange(len(part), dtype=np.int32)[:, None] * ((m + 1) * n_classes)
        kept = key.ravel() if finite is None else key[finite]
        shape = counts[block].shape
        counts[block] = np.bincount(kept, minlength=counts[block].size).reshape(shape)
    return Footprints(first_unit, m, edges, n_ranges, n_left, counts)


def _blocks(n_units: int, n_values: int, n_counts: int) -> Iterator[slice]:
    """Consecutive units so few that their values and counts stay small."""
    step = max(1, min(_BLOCK_VALUES // max(n_values, 1), _BLOCK_COUNTS // n_counts))
    for first in range(0, n_units, step):
        yield slice(first, first + step)


def _extremes(values: Float32) -> tuple[Float64, Float64, Bool | None]:
    """The lowest and highest finite value of each unit, NaN where there is none, and which values are finite: None
    where all are.
    """
    finite = np.isfinite(values)
    all_finite = bool(finite.all())
    where = True if all_finite else finite
    lo = np.min(values, axis=1, initial=np.inf, where=where).astype(np.float64)
    hi = np.max(values, axis=1, initial=-np.inf, where=where).astype(np.float64)
    has_values = lo <= hi
    return np.where(has_values, lo, np.nan), np.where(has_values, hi, np.nan), None if all_finite else finite


class _Places:
    """Finds the ranges of values: a guess by division, mended against the edges where rounding may have put it off.

    `start` (U, 1): where the first range of each unit starts, 0 for a unit without values.
    """

    def __init__(self, edges: Float64, n_ranges: Int32, n_left: Int32) -> None:
        m = edges.shape[1] - 2
        lo = np.where(n_ranges > 0, edges[:, 0], 0)
        hi = np.where(n_ranges > 0, edges[np.arange(len(edges)), n_ranges], 0)
        width = np.where(hi > lo, (hi - lo) / m, 1)
        crosses = (n_left > 0) & (n_left < n_ranges)
        # The range right before zero is narrower: what stands right of it is moved on by the part that is missing.
        missing = np.where(crosses, n_left + lo / width, 0)
        rounding = 8 * np.finfo(np.float64).eps * (m + np.maximum(np.abs(lo), np.abs(hi)) / width)
        self.start = lo[:, None]
        self._edges = edges
        self._width = width[:, None]
        self._missing = missing[:, None] if crosses.any() else None
        self._last = np.maximum(n_ranges - 1, 0)[:, None]
        self._doubt = (rounding + 4 * _SLIVER)[:, None]

    def find(self, values: Float32 | Float64) -> Int32:
        """The range of every value; `values` (U, N), finite and within the edges."""
        steps = np.subtract(values, self.start, order="C")
        steps /= self._width
        if self._missing is not None:
            steps += (values >= 0) * self._missing
        index = steps.astype(np.int32)
        np.minimum(index, self._last, out=index)
        doubtful = np.abs(steps - np.rint(steps)) < self._doubt
        doubtful &= steps != 0  # the first edge itself, where a ReLU puts half of the values
        self._mend(values, index, doubtful)
        return index

    def _mend(self, values: Float32 | Float64, index: Int32, doubtful: Bool) -> None:
        place = np.flatnonzero(doubtful)
        row = place // values.shape[1]
        value, guess = values.ravel()[place], index.ravel()[place]
        too_high = (value < self._edges[row, guess]) & (guess > 0)
        too_low = (value >= self._edges[row, guess + 1]) & (guess < self._last[row, 0])
        index.ravel()[place] = guess - too_high + too_low
