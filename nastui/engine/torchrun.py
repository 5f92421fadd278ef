"""The processes that torchrun starts for a scan.

Nothing is computed together, so there is no process group and no backend: words go through the store that torchrun (or
process 0) serves, and any number of processes may use one GPU.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from typing import Any, Protocol, Self

from nastui.engine.ranks import Ranks, Reached
from nastui.errors import NastuiError, OtherProcessFailed, ScanInterrupted

JOIN_SECONDS = 300.0  # for all processes to come
LOST_SECONDS = 120.0  # without a word: a process counts as lost
_BEAT_SECONDS = 0.5
_LEAVE_SECONDS = 5.0
_SAME_SECONDS = 2.0  # for the first process to find out as well what is wrong with all

_NEEDED = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")


class Store(Protocol):
    """What is used of torch.distributed's stores: a dictionary that all processes have in common."""

    def set(self, key: str, value: str, /) -> None: ...

    def get(self, key: str, /) -> bytes: ...

    def check(self, keys: list[str], /) -> bool: ...


class TorchrunRanks(Ranks):
    """Processes that have a store in common. `prefix`: of their keys in it."""

    def __init__(
        self, store: Store, number: int, count: int, *, local: int = 0, n_local: int = 1, prefix: str = ""
    ) -> None:
        self.number, self.count, self.local, self.n_local = number, count, local, n_local
        self._store, self._prefix = store, prefix
        self._lock = threading.Lock()  # the heart and the scan use the store
        self._failure: str | None = None
        self._heard: list[_Heard] = [_Heard() for _ in range(count)]
        self._is_over = threading.Event()

    def told_by_first(self, what: str, make: Callable[[], Any], on_wait: Callable[[], None] = lambda: None) -> Any:
        if self.number == 0:
            self._set(f"told/{what}", made := make())
            return made
        self._wait([f"told/{what}"], on_wait)
        return self._get(f"told/{what}")

    def all_tell(self, what: str, mine: Any, on_wait: Callable[[], None] = lambda: None) -> list[Any]:
        self._set(f"{what}/{self.number}", mine)
        keys = [f"{what}/{number}" for number in range(self.count)]
        self._wait(keys, on_wait)
        return [self._get(key) for key in keys]

    def all_reached(self) -> list[Reached]:
        return [self.reached if n == self.number else heard.reached for n, heard in enumerate(self._heard)]

    def check(self) -> None:
        if self._failure is not None:
            raise OtherProcessFailed(self._failure, hint="Each part keeps what it has; the same command goes on.")

    @property
    def is_broken(self) -> bool:
        return self._failure is not None

    @contextmanager
    def together(self) -> Iterator[Self]:
        heart = threading.Thread(target=self._beat, name="nastui-ranks", daemon=True)
        heart.start()
        try:
            yield self
        except BaseException as exc:
            self._say_failed(exc)
            raise
        finally:
            self._is_over.set()
            heart.join()

    def leave(self) -> None:
        try:
            self._set(f"left/{self.number}", True)
            if self.number == 0:
                end = time.monotonic() + _LEAVE_SECONDS
                keys = [f"left/{number}" for number in range(self.count)]
                while not self._has(keys) and time.monotonic() < end:
                    time.sleep(0.05)
        except OtherProcessFailed:
            pass  # all is done

    def _beat(self) -> None:
        """Say that this process lives and how far it is, and hear the same of the others, until all is over."""
        count = 0
        while not self._is_over.wait(_BEAT_SECONDS if count else 0):
            count += 1
            try:
                self._set(f"beat/{self.number}", {"count": count, **asdict(self.reached)})
                self._listen()
            except OtherProcessFailed as exc:
                self._failure = exc.message
            if self._failure is not None:
                return

    def _listen(self) -> None:
        if self._has(["failure"]):
            failure = self._get("failure")
            if failure["number"] != self.number:
                self._failure = failure["words"]
        for number in range(self.count):
            if number != self.number and self._has([f"beat/{number}"]):
                self._heard[number].take(self._get(f"beat/{number}"))
        silent = [n for n, heard in enumerate(self._heard) if n != self.number and heard.seconds_silent > LOST_SECONDS]
        if silent and not self._has([f"left/{silent[0]}"]):
            self._failure = (
                f"Process {silent[0]} of {self.count} is lost: nothing was heard of it for {LOST_SECONDS:.0f} seconds."
            )

    def _say_failed(self, exc: BaseException) -> None:
        """Tell the others, once. Raises OtherProcessFailed where the first process has failed for the same reason."""
        if isinstance(exc, OtherProcessFailed):
            return  # the others hear it from that process
        said = _said(exc)
        try:
            end = time.monotonic() + (_SAME_SECONDS if self.number else 0)
            while not self._has(["failure"]) and time.monotonic() < end:
                time.sleep(0.1)
            if not self._has(["failure"]):
                words = f"Process {self.number} of {self.count} {said}."
                self._set("failure", {"number": self.number, "said": said, "words": words})
                return
            failure = self._get("failure")
        except OtherProcessFailed:
            return  # the store is gone: they notice that themselves
        if failure["number"] == 0 and failure["said"] == said:
            raise OtherProcessFailed(failure["words"]) from exc

    def _wait(self, keys: list[str], on_wait: Callable[[], None] = lambda: None) -> None:
        while not self._has(keys):
            self.check()
            on_wait()
            time.sleep(0.1)

    def _has(self, keys: list[str]) -> bool:
        with self._asking():
            return self._store.check([self._prefix + key for key in keys])

    def _get(self, key: str) -> Any:
        with self._asking():
            return json.loads(self._store.get(self._prefix + key))

    def _set(self, key: str, value: Any) -> None:
        with self._asking():
            self._store.set(self._prefix + key, json.dumps(value))

    @contextmanager
    def _asking(self) -> Iterator[None]:
        try:
            with self._lock:
                yield
        except RuntimeError as exc:  # torch.distributed's errors are
            first = str(exc).splitlines()[0] if str(exc) else type(exc).__name__
            raise OtherProcessFailed(
                f"The processes of this scan have lost each other: {first}",
                hint="Each part keeps what it has; the same command goes on.",
            ) from exc


def _said(exc: BaseException) -> str:
    if isinstance(exc, KeyboardInterrupt | ScanInterrupted):
        return "was asked to stop"
    return f"failed: {exc.message.removesuffix('.')}" if isinstance(exc, NastuiError) else f"failed: {exc!r}"


@dataclass(slots=True)
class _Heard:
    """What was last heard of a process, and when."""

    reached: Reached = field(default_factory=Reached)
    count: int = 0
    at: float = field(default_factory=time.monotonic)

    def take(self, beat: dict[str, int]) -> None:
        if beat["count"] != self.count:
            self.count, self.at = beat["count"], time.monotonic()
            self.reached = Reached(beat["done"], beat["failed"], beat["n_bytes"])

    @property
    def seconds_silent(self) -> float:
        return time.monotonic() - self.at


_scans = 0  # scans that this process has shared so far: each has keys of its own in the store


def is_first(environment: Mapping[str, str]) -> bool:
    """Whether this process is the first of those that torchrun has started, or alone."""
    return not is_shared(environment) or int(environment["RANK"]) == 0


def is_shared(environment: Mapping[str, str]) -> bool:
    """Whether torchrun, or whoever sets its variables, has started several processes."""
    return int(environment.get("WORLD_SIZE", "1")) > 1 and all(name in environment for name in _NEEDED)


def join_ranks(environment: Mapping[str, str] = os.environ) -> Ranks:
    """The processes that torchrun, or whoever sets RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT, has started together;
    this one alone where nobody has. Waits until all are there.

    Raises OtherProcessFailed where some do not come within five minutes.
    """
    if not is_shared(environment):
        return Ranks()
    from torch.distributed.rendezvous import rendezvous

    global _scans
    _scans += 1
    count, number = int(environment["WORLD_SIZE"]), int(environment["RANK"])
    local, n_local = int(environment.get("LOCAL_RANK", "0")), int(environment.get("LOCAL_WORLD_SIZE", "1"))
    attempt = environment.get("TORCHELASTIC_RESTART_COUNT", "0")
    try:
        store, _, _ = next(rendezvous("env://", timeout=timedelta(seconds=JOIN_SECONDS)))
    except RuntimeError as exc:
        raise OtherProcessFailed(
            f"Not all of the {count} processes of this scan have come within {JOIN_SECONDS:.0f} seconds.",
            hint="Look why the others did not start; MASTER_ADDR and MASTER_PORT must lead to process 0.",
        ) from exc
    return TorchrunRanks(store, number, count, local=local, n_local=n_local, prefix=f"nastui/{attempt}/{_scans}/")
