"""The values of units in shares of their span, for what is computed hundreds of times.

U: units, N: images. The arrays of values are float32: shares need no more digits.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nastui.records import Float32, Float64
from nastui.stats.finite import FiniteValues


@dataclass(frozen=True, slots=True)
class Spans:
    """`values`: (N, U), (v - mean) / (hi - lo), 0 for what is not finite and in units that do not vary. `finite`:
    (N, U), 1 for a finite value and 0 for none; None where all are. As shares of the span too, (U,): `floor`, how far
    the lowest value lies below the mean; `ceiling`, how far the highest lies above it; `variance`.
    """

    values: Float32
    finite: Float32 | None
    floor: Float64
    ceiling: Float64
    variance: Float64

    @classmethod
    def of(cls, values: FiniteValues) -> Spans:
        mean = values.mean
        span = np.where(values.varies, values.hi - values.lo, np.inf)
        shares = values.less(mean) / span[:, None]
        floor, ceiling = (np.where(values.varies, part, 0) / span for part in (mean - values.lo, values.hi - mean))
        variance = np.where(values.varies, values.variance, 0) / span**2
        finite = None if values.mask is None else np.ascontiguousarray(values.mask.T, dtype=np.float32)
        return cls(np.ascontiguousarray(shares.T, dtype=np.float32), finite, floor, ceiling, variance)

    @classmethod
    def in_parts(cls, values: Float32, n_at_once: int) -> Spans:
        """Of `values` (U, N), so many units at a time: the float64 copies stay small."""
        shares = np.empty(values.shape[::-1], dtype=np.float32)
        finite: Float32 | None = None
        others: list[tuple[Float64, Float64, Float64]] = []
        for first in range(0, len(values), n_at_once):
            units = slice(first, first + n_at_once)
            part = cls.of(FiniteValues.of(values[units]))
            shares[:, units] = part.values
            if part.finite is not None:
                finite = np.ones_like(shares) if finite is None else finite
                finite[:, units] = part.finite
            others.append((part.floor, part.ceiling, part.variance))
        return cls(shares, finite, *(np.concatenate(column) for column in zip(*others, strict=True)))

    def index(self, top: Float32, rest: Float32) -> Float32:
        """The shifted selectivity index of a class mean `top` and the mean `rest` of the others', (..., U).

        0 where both are the unit's lowest value.
        """
        floor = self.floor.astype(np.float32)
        both = top + rest + 2 * floor
        index: Float32 = np.divide(top - rest, both, out=np.zeros_like(both), where=both > 0)
        return index
