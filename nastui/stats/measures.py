"""Numbers that describe a unit by its values over the images of a run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np

from nastui.records import Bool, Float32, Float64, Int64
from nastui.stats.finite import FiniteValues

_BLOCK_VALUES = 1 << 17  # values looked at together: the float64 copies stay in the processor's cache


@dataclass(frozen=True, slots=True)
class BasicMeasures:
    """One number a unit, each (U,); all but `non_finite` are over the finite values.

    `n`: how many there are; `std`: of the population (divided by n); `density`: the share above zero;
    `zeros`: how many are exactly zero; `non_finite`: NaN, inf and -inf. lo, hi, mean, std and density are NaN where
    n = 0.
    """

    n: Int64
    lo: Float64
    hi: Float64
    mean: Float64
    std: Float64
    density: Float64
    zeros: Int64
    non_finite: Int64

    def of_units(self, units: slice) -> BasicMeasures:
        """Those of some units."""
        return BasicMeasures(*(getattr(self, field.name)[units] for field in fields(self)))


def basic_measures(values: Float32) -> BasicMeasures:
    """The measures of units; `values`: (U, N) float32. Sums are float64, in blocks of units: memory stays small."""
    n_units, n_values = values.shape
    n = np.empty(n_units, dtype=np.int64)
    zeros = np.empty(n_units, dtype=np.int64)
    above = np.empty(n_units, dtype=np.int64)
    lo, hi, mean, std = (np.empty(n_units) for _ in range(4))
    for block in _blocks(n_units, n_values):
        part = values[block]
        finite = FiniteValues.of(part)
        n[block], lo[block], hi[block], mean[block] = finite.n, finite.lo, finite.hi, finite.mean
        std[block] = np.sqrt(finite.variance)
        zeros[block] = (part == 0).sum(axis=1)
        above[block] = (finite.exact > 0).sum(axis=1)
    has_values = n > 0
    for column in (mean, std):
        column[~has_values] = np.nan
    density = np.where(has_values, above / np.maximum(n, 1), np.nan)
    return BasicMeasures(n, lo, hi, mean, std, density, zeros, n_values - n)


def is_dead(measures: BasicMeasures) -> Bool:
    """Which units never rise above zero, (U,); a unit without finite values is dead too."""
    return ~(measures.density > 0)


def _blocks(n_units: int, n_values: int) -> Iterator[slice]:
    step = max(1, _BLOCK_VALUES // max(n_values, 1))
    for first in range(0, n_units, step):
        yield slice(first, first + step)
