"""Images put at places by chance, the same ones each time they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from nastui.records import Int32

_KEPT_BYTES = 32 << 20


@dataclass(frozen=True, slots=True)
class Fillings:
    """The image at each of N places, `count` times. Iterating gives them one after the other, (N,) each.

    They are drawn in turn by one generator that starts from `seed`. `kept`: (count, N), or None where they would take
    more than 32 MB: then each round draws them anew, at a tenth to a quarter of the time that is spent on them.
    """

    draw: Callable[[np.random.Generator], Int32]
    count: int
    seed: tuple[int, int]
    kept: Int32 | None

    @classmethod
    def of(
        cls, draw: Callable[[np.random.Generator], Int32], count: int, seed: tuple[int, int], n_places: int
    ) -> Fillings:
        """`draw`: gives the next one."""
        fillings = cls(draw, count, seed, None)
        if not 0 < 4 * count * n_places <= _KEPT_BYTES:
            return fillings
        return cls(draw, count, seed, np.stack([*fillings]))

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[Int32]:
        if self.kept is not None:
            yield from self.kept
            return
        rng = np.random.default_rng(self.seed)
        for _ in range(self.count):
            yield self.draw(rng)
