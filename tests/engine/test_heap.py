"""The heap keeps its pages while a model runs, and gives them back afterwards."""

from __future__ import annotations

import ctypes
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from nastui.engine import heap as heap_module
from nastui.engine.heap import kept_heap

MEGABYTES = 40  # more than the 32 up to which glibc learns to keep blocks by itself


def has_glibc() -> bool:
    return sys.platform == "linux" and hasattr(ctypes.CDLL(None), "gnu_get_libc_version")


needs_glibc = pytest.mark.skipif(not has_glibc(), reason="only glibc's heap can be told to keep its pages")


def block() -> object:
    return b"x" * (MEGABYTES << 20)


def tensor() -> object:
    import torch  # the processes that are started here do without

    return torch.ones(MEGABYTES << 18)


def new_pages(make: Callable[[], object] = block) -> int:
    """Pages that the system hands out while this is made four times."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(4):
        make()
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


def fewest_new_pages(make: Callable[[], object] = block) -> int:
    """The heap comes to rest after some rounds, since small blocks lie between the large ones at first."""
    return min(new_pages(make) for _ in range(8))


def resident_megabytes() -> float:
    fields = Path("/proc/self/statm").read_text().split()
    return int(fields[1]) * resource.getpagesize() / 2**20


@needs_glibc
@pytest.mark.parametrize("make", [block, tensor])
def test_memory_that_was_given_back_is_used_again(make: Callable[[], object]) -> None:
    make()  # imports what it needs
    usual = new_pages(make)
    assert usual > 4 * MEGABYTES * 200  # 256 pages of 4 KiB a megabyte, every time anew
    with kept_heap():
        assert fewest_new_pages(make) < usual / 20


@needs_glibc
def test_what_was_kept_goes_back_at_the_end_also_after_an_error() -> None:
    before, inside = resident_megabytes(), []

    def work() -> None:
        new_pages()
        inside.append(resident_megabytes())
        raise RuntimeError("no luck")

    with pytest.raises(RuntimeError, match="no luck"), kept_heap():
        work()
    assert inside[0] > before + MEGABYTES / 2
    assert resident_megabytes() < before + MEGABYTES / 4


@needs_glibc
def test_of_two_blocks_the_last_one_gives_back() -> None:
    with kept_heap():
        with kept_heap():
            pass
        assert fewest_new_pages() < MEGABYTES


@needs_glibc
def test_what_is_kept_does_not_grow_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heap_module, "GROWTH", 10 << 20)
    with kept_heap() as heap:
        heap.settle()
        before = resident_megabytes()
        new_pages()
        assert resident_megabytes() > before + MEGABYTES / 2
        heap.settle()
        assert resident_megabytes() < before + MEGABYTES / 4


@needs_glibc
@pytest.mark.parametrize(
    ("chosen", "is_kept"),
    [
        ({"MALLOC_MMAP_MAX_": "65536"}, True),
        ({"GLIBC_TUNABLES": "glibc.malloc.trim_threshold=131072"}, True),
        ({"MALLOC_ARENA_MAX": "2"}, False),
    ],
    ids=str,
)
def test_who_chose_how_pages_are_kept_keeps_that(chosen: dict[str, str], is_kept: bool) -> None:
    lines = ("from test_heap import *", "with kept_heap():", "  print(fewest_new_pages() > 4 * MEGABYTES * 200)")
    found = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)],
        cwd=Path(__file__).parent,
        env=chosen,
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout == f"{is_kept}\n"
