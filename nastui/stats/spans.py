"""The values of units in shares of their span, for what is computed hundreds of times.

U: units, N: images.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from nastui.records import Bool, Float32, Float64, Int64
from nastui.stats.finite import FiniteValues

STEPS = float(1 << 30)  # to a span
_IMAGES = 512  # looked at together: the float64 copies stay small


@dataclass(frozen=True, slots=True)
class Spans:
    """`values`: (U, N). Of each unit, (U,): its `mean`, its `span` hi - lo, inf where it does not vary, and `has_gaps`,
    whether values are not finite. As shares of the span, (U,): `floor`, how far the lowest value lies below the mean;
    `ceiling`, how far the highest lies above it; `variance`."""

    values: Float32
    mean: Float64
    span: Float64
    floor: Float64
    ceiling: Float64
    variance: Float64
    has_gaps: Bool

    @classmethod
    def of(cls, values: Float32, finite: FiniteValues) -> Spans:
        """`finite`: the same values."""
        varies = finite.varies
        span = np.where(varies, finite.hi - finite.lo, np.inf)
        below, above = finite.mean - finite.lo, finite.hi - finite.mean
        floor, ceiling = (np.where(varies, part, 0) / span for part in (below, above))
        variance = np.where(varies, finite.variance, 0) / span**2
        return cls(values, finite.mean, span, floor, ceiling, variance, finite.n < values.shape[1])

    @classmethod
    def joined(cls, values: Float32, parts: Sequence[Spans]) -> Spans:
        """Of `values` (U, N), which consecutive parts were made of."""
        names = [field.name for field in fields(cls) if field.name != "values"]
        return cls(values, *(np.concatenate([getattr(part, name) for part in parts]) for name in names))

    def of_units(self, units: Int64) -> Spans:
        """Those of some units; nothing is copied where these are all."""
        if np.array_equal(units, np.arange(len(self.values))):
            return self
        return Spans(*(getattr(self, field.name)[units] for field in fields(self)))

    def steps(self, images: slice) -> Float64:
        """(v - mean) / span in 2^30ths, rounded to whole ones, of consecutive images: (U, n). Sums of eight million of
        them are exact, in whatever order. For units without gaps."""
        steps = self.values[:, images] - self.mean[:, None]
        steps *= (STEPS / self.span)[:, None]
        return np.rint(steps, out=steps)

    def shares(self) -> tuple[Float32, Float32 | None]:
        """(v - mean) / span, (N, U), 0 for what is not finite; and (N, U), 1 for a finite value and 0 for none: None
        where all are."""
        shares = np.empty(self.values.shape[::-1], dtype=np.float32)
        finite = np.empty_like(shares) if self.has_gaps.any() else None
        for first in range(0, len(shares), _IMAGES):
            images = slice(first, first + _IMAGES)
            values = self.values[:, images]
            if finite is not None:
                is_finite = np.isfinite(values)
                finite[images] = is_finite.T
                values = np.where(is_finite, values, self.mean[:, None])
            shares[images] = ((values - self.mean[:, None]) / self.span[:, None]).T
        return shares, finite
