"""Sums of units' values over hundreds of choices of images at once: exact ones, by multiplying matrices.

U: units, N: images, M: sums.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nastui.records import Float64, Int32
from nastui.stats.fillings import Fillings

UInt8 = NDArray[np.uint8]

_KEPT_BYTES = 16 << 20
_VALUES = 1 << 16  # of units and images looked at together: they stay in the processor's cache
# Up to some 64 x 64 x 64 OpenBLAS works in the thread that calls it. Beyond that it wakes threads of its own; they spin
# when they are done, and all together takes four times the processor time.
_SIDE = 64


@dataclass(frozen=True, slots=True)
class Tallies:
    """How often each image counts in each of the sums that belong to a filling of the places.

    `tally`: of some fillings, (N, M). `n_together`: so many fillings take at most 16 MB. `kept`: of all, where those
    are no more than that; else they are made anew each time.
    """

    fillings: Fillings
    tally: Callable[[list[Int32]], UInt8]
    n_together: int
    kept: UInt8 | None

    @classmethod
    def of(cls, fillings: Fillings, tally: Callable[[list[Int32]], UInt8], bytes_each: int) -> Tallies:
        """`bytes_each`: of a filling's tallies."""
        n_together = max(1, _KEPT_BYTES // bytes_each)
        fits = 0 < len(fillings) <= n_together
        return cls(fillings, tally, n_together, tally([*fillings]) if fits else None)

    def __iter__(self) -> Iterator[UInt8]:
        """Of consecutive fillings, (N, M) each."""
        if self.kept is not None:
            yield self.kept
            return
        fillings = iter(self.fillings)
        while some := [*islice(fillings, self.n_together)]:
            yield self.tally(some)


def exact_sums(numbers: Callable[[slice], Float64], n_units: int, tallies: NDArray[Any]) -> Float64:
    """The sums of whole `numbers` of some images, each as often as `tallies` (N, M) says: (U, M).

    `numbers`: gives those of consecutive images, (U, n). As long as no sum goes beyond 2^53 all are exact: neither the
    number of threads nor the library that multiplies makes a difference.
    """
    n_images, n_sums = tallies.shape
    n_groups = -(-n_sums // _SIDE)
    width = -(-n_sums // n_groups)
    sums = np.zeros((n_groups, n_units, width))
    n_at_once = max(_SIDE, _VALUES // n_units)
    for first in range(0, n_images, n_at_once):
        images = slice(first, first + n_at_once)
        values = numbers(images)
        times = np.zeros((values.shape[1], n_groups * width))
        times[:, :n_sums] = tallies[images]
        times = times.reshape(-1, n_groups, width).swapaxes(0, 1)
        for start in range(0, values.shape[1], _SIDE):
            some = slice(start, start + _SIDE)
            for unit in range(0, n_units, _SIDE):
                units = slice(unit, unit + _SIDE)
                sums[:, units] += np.matmul(values[units, some], times[:, some])
    return sums.swapaxes(0, 1).reshape(n_units, -1)[:, :n_sums]
