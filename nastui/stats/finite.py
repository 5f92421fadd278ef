"""The finite values of units, read once for all measures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nastui.records import Bool, Float32, Float64, Int64


@dataclass(frozen=True, slots=True)
class FiniteValues:
    """The values of U units over N images, and what many measures need of them.

    `exact`: (U, N) float64, 0 for NaN and ±inf; `mask`: (U, N), what is finite, None where all is. `n`, `lo`, `hi`:
    (U,), how many are finite, the lowest and the highest, NaN where none is. `mean`: (U,), 0 for a unit without values.
    `distance`: (U, N), of the values from the mean, 0 for what is not finite. `variance`: (U,), of the population
    (divided by n).
    """

    exact: Float64
    mask: Bool | None
    n: Int64
    lo: Float64
    hi: Float64
    mean: Float64
    distance: Float64
    variance: Float64

    @classmethod
    def of(cls, values: Float32) -> FiniteValues:
        """`values`: (U, N)."""
        exact = values.astype(np.float64, order="C")  # in rows: rounding does not depend on how values lie in memory
        finite = np.isfinite(values)
        mask = None if finite.all() else finite
        if mask is None:
            n = np.full(len(values), values.shape[1])
        else:
            n = finite.sum(axis=1)
            exact[~finite] = 0
        lo, hi = _extremes(values, mask)
        # In two passes: the squares of the distances from the mean keep their digits where the squares would not.
        mean = exact.sum(axis=1) / np.maximum(n, 1)
        distance = exact - mean[:, None]
        if mask is not None:
            distance[~finite] = 0
        variance = np.einsum("un,un->u", distance, distance) / np.maximum(n, 1)
        return cls(exact, mask, n, lo, hi, mean, distance, variance)

    @property
    def varies(self) -> Bool:
        """Whether a unit has two different values: else it tells no classes apart. (U,)"""
        varies: Bool = self.hi > self.lo
        return varies


def _extremes(values: Float32, mask: Bool | None) -> tuple[Float64, Float64]:
    where = True if mask is None else mask
    lo = np.min(values, axis=1, initial=np.inf, where=where).astype(np.float64)
    hi = np.max(values, axis=1, initial=-np.inf, where=where).astype(np.float64)
    has_values = lo <= hi
    return np.where(has_values, lo, np.nan), np.where(has_values, hi, np.nan)
