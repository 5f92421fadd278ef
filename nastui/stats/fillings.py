"""Images put at places by chance, the same ones each time they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from nastui.records import Int32

_KEPT_BYTES = 32 << 20


@dataclass(frozen=True, slots=True)
class Fillings:
    """The image at each of N places, `count` times. Iterating gives them one after the other, (N,) each.

    They are drawn in turn by one generator that starts from `seed`. `kept`: (count, N), or None: then each round draws
    them anew.
    """

    draw: Callable[[np.random.Generator], Int32]
    count: int
    seed: tuple[int, int]
    n_places: int
    kept: Int32 | None = None

    def keep(self) -> Fillings:
        """The same, kept. Where they would take more than 32 MB they are not: drawing takes a tenth to a quarter of the
        time that is spent on them."""
        if not 0 < 4 * self.count * self.n_places <= _KEPT_BYTES:
            return self
        return replace(self, kept=np.stack([*self]))

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[Int32]:
        if self.kept is not None:
            yield from self.kept
            return
        rng = np.random.default_rng(self.seed)
        for _ in range(self.count):
            yield self.draw(rng)
