"""The processes that share a scan: who they are, what they tell each other, who is lost. Here: one that is alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self

import torch


@dataclass(frozen=True, slots=True)
class Reached:
    """How far a process is: images looked at, those of this session that did not decode, bytes of its parts."""

    done: int = 0
    failed: int = 0
    n_bytes: int = 0

    def __add__(self, more: Reached) -> Reached:
        return Reached(self.done + more.done, self.failed + more.failed, self.n_bytes + more.n_bytes)


class Ranks:
    """The processes of a scan; this class: one alone.

    `number`: which of the `count` this one is; `local`: which of the `n_local` on its machine; `reached`: how far it
    is.
    """

    number = 0
    count = 1
    local = 0
    n_local = 1
    reached = Reached()

    def device(self, name: str) -> str:
        """The device called `name`, or where that leaves it open, this process's GPU of its machine's."""
        n_gpus = torch.cuda.device_count() if self.count > 1 and name in ("auto", "cuda") else 0
        return f"cuda:{self.local % n_gpus}" if n_gpus else name

    def told_by_first(self, what: str, make: Callable[[], Any], on_wait: Callable[[], None] = lambda: None) -> Any:
        """What `make` gives in process 0, in all of them; it must survive JSON. What it raises there ends all."""
        return make()

    def all_tell(self, what: str, mine: Any, on_wait: Callable[[], None] = lambda: None) -> list[Any]:
        """What each process tells, by their numbers; waits for all."""
        return [mine]

    def all_reached(self) -> list[Reached]:
        """How far each process was when it was last heard of."""
        return [self.reached]

    def check(self) -> None:
        """Raise OtherProcessFailed where another process has failed or is lost."""

    def leave(self) -> None:
        """Say that all is done here. The first process, which may serve the store, waits a little for the others."""

    @property
    def is_broken(self) -> bool:
        """Whether `check` would raise."""
        return False

    @contextmanager
    def together(self) -> Iterator[Self]:
        """While the block lasts, the others hear of this process, and at its end how it ended."""
        yield self
