"""The process's heap while a model runs: memory that a layer gives back is kept for the next one.

Every forward pass asks for hundreds of megabytes of outputs and gives them back. The C library returns blocks of that
size to the system at once, which hands them out again page by page and set to zero: 2 to 45 % of a forward pass on a
CPU (docs/speed.md). Values do not change by it.
"""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from nastui.engine.memory import resident_bytes

# The parameters of mallopt(3), and what glibc comes to by itself in a process that has used large tensors.
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD, _MMAP_MAX = -1, -2, -3, -4
_KEEPING = {_MMAP_MAX: 0, _TRIM_THRESHOLD: 2**31 - 1, _TOP_PAD: 64 << 20}
_AS_BEFORE = {_MMAP_MAX: 65_536, _TRIM_THRESHOLD: 64 << 20, _TOP_PAD: 128 << 10, _MMAP_THRESHOLD: 32 << 20}

GROWTH = 200 << 20  # bytes

_PARAMETERS = ("mmap_max", "mmap_threshold", "trim_threshold", "top_pad")

_entering = threading.Lock()
_n_inside = 0


class KeptHeap:
    """A heap that keeps freed memory, but not ever more of it."""

    def __init__(self, library: ctypes.CDLL | None) -> None:
        self._library = library
        self._most: int | None = None

    def settle(self) -> None:
        """To be called between batches: where the process has grown by 200 MB since the first one, what is free goes
        back to the system."""
        if self._library is None:
            return
        if self._most is None:
            self._most = resident_bytes() + GROWTH
        elif resident_bytes() > self._most:
            self._library.malloc_trim(0)


@contextmanager
def kept_heap(*, is_wanted: bool = True) -> Iterator[KeptHeap]:
    """Keep freed memory in the process inside the block; afterwards all that is free goes back to the system.

    Does nothing where the C library is not glibc, and where somebody has set what is set here, in the environment
    (MALLOC_MMAP_MAX_ and the like, or GLIBC_TUNABLES). Blocks may overlap, also in several threads: the last one to
    end gives back. The heap grows for some ten batches, since blocks of other sizes lie between those that are free;
    `settle` of what the block gets bounds that.
    """
    global _n_inside
    library = _glibc() if is_wanted and not _is_chosen() else None
    if library is None:
        yield KeptHeap(None)
        return
    with _entering:
        _n_inside += 1
        _set(library, _KEEPING)
    try:
        yield KeptHeap(library)
    finally:
        with _entering:
            _n_inside -= 1
            if not _n_inside:
                _set(library, _AS_BEFORE)
                library.malloc_trim(0)


def _is_chosen() -> bool:
    tunables = os.environ.get("GLIBC_TUNABLES", "")
    return any(f"MALLOC_{name.upper()}_" in os.environ or f"glibc.malloc.{name}=" in tunables for name in _PARAMETERS)


def _glibc() -> ctypes.CDLL | None:
    """The C library of the process, None where it is another one."""
    try:
        library = ctypes.CDLL(None)
        library.gnu_get_libc_version  # noqa: B018
        library.mallopt  # noqa: B018
    except (OSError, AttributeError, TypeError):  # TypeError: Windows has no such library
        return None
    return library


def _set(library: ctypes.CDLL, values: dict[int, int]) -> None:
    for parameter, value in values.items():
        library.mallopt(parameter, value)
