"""The units of a layer for which one image is extreme."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nastui.records import Float32, UnitTable
from nastui.views.numbers import short_number


@dataclass(frozen=True, slots=True)
class ExtremeUnit:
    """A unit, what it gave the image, and how many standard deviations that is from the unit's mean."""

    unit: int
    value: float
    z: float

    def words(self) -> str:
        """The row of the list."""
        side = "+" if self.z >= 0 else "−"
        return f"{self.unit:>6}  {short_number(self.value):>8}  {side}{abs(self.z):.1f} std"


def extreme_units(values: Float32, units: UnitTable) -> list[ExtremeUnit]:
    """All units with a finite value and a spread, the most extreme first; ties in the units' order. `values`: (U,)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        z = (values - units.mean) / units.std
    order = np.argsort(-np.abs(np.where(np.isfinite(z), z, 0)), kind="stable")
    return [ExtremeUnit(int(u), float(values[u]), float(z[u])) for u in order if np.isfinite(z[u])]
