"""How a model is run on the few images that an inspection looks at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

_AT_ONCE = 8  # so that a stop, or the end of the time, is soon noticed


def go_on() -> None:
    """Nothing ends it."""


@dataclass(frozen=True, slots=True)
class Running:
    """`batch_size`: that of the scan, no more images than which go into the model at once. `check`: called before each
    of these batches, and raises what is to end them."""

    device: torch.device
    batch_size: int
    check: Callable[[], None] = go_on

    @property
    def at_once(self) -> int:
        return min(self.batch_size, _AT_ONCE)

    def batches(self, inputs: Tensor) -> Iterator[Tensor]:
        """(N, ...) in parts, on the model's device."""
        for start in range(0, len(inputs), self.at_once):
            self.check()
            yield inputs[start : start + self.at_once].to(self.device)
