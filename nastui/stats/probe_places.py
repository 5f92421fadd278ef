"""Where a value that is none of the run's lies among a unit's: its range, its side beyond the ends, its percentile.

P: probes, N: images.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nastui.records import Float32, Float64, Int64

NOWHERE = -1  # the range of a value that is no number
_SAME = 1e-5  # of the unit's spread: so far beyond an end a value is that end's own, in another batch or on a GPU


@dataclass(frozen=True, slots=True)
class ProbePlaces:
    """Of each value, (P,): `stops`, its range from 0 on (for people, from 1), NOWHERE for NaN and infinite ones,
    beyond an end the range at that end; `sides`, -1 below the unit's lowest value, 1 above its highest, else 0."""

    stops: Int64
    sides: Int64


def find_places(values: Float32, edges: Float64, n_ranges: int) -> ProbePlaces:
    """Find the ranges of values, (P,); `edges` (n_ranges + 1 or more,) are those of one unit, as from `range_edges`."""
    finite = np.isfinite(values)
    stops = np.full(len(values), NOWHERE, dtype=np.int64)
    sides = np.zeros(len(values), dtype=np.int64)
    if n_ranges:
        inner = edges[: n_ranges + 1]
        lo, hi = float(inner[0]), float(inner[-1])
        slack = _SAME * (hi - lo if hi > lo else abs(hi))
        exact = np.where(finite, values, lo).astype(np.float64)
        stops = np.where(finite, np.clip(np.searchsorted(inner, exact, "right") - 1, 0, n_ranges - 1), NOWHERE)
        sides = (exact > hi + slack).astype(np.int64) - (exact < lo - slack)
    return ProbePlaces(stops, sides)


def percentiles(values: Float32, among: Float32) -> Float64:
    """The share in per cent of the finite values `among` (N,) that lie below each value (P,), equal ones counted half.

    NaN for values that are no numbers, and where there is nothing to lie among.
    """
    known = np.sort(among[np.isfinite(among)])
    if not len(known):
        return np.full(len(values), np.nan)
    middle = (np.searchsorted(known, values, "left") + np.searchsorted(known, values, "right")) / 2
    return np.where(np.isfinite(values), 100 * middle / len(known), np.nan)
