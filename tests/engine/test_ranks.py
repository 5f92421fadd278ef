"""Processes that share a scan tell each other what they must know, and never wait for one that is gone."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import torch
from torch.distributed import HashStore  # type: ignore[attr-defined]

from nastui.engine import torchrun
from nastui.engine.ranks import Ranks, Reached
from nastui.engine.torchrun import TorchrunRanks, is_first, join_ranks
from nastui.errors import DataNotFound, OtherProcessFailed, ScanError, ScanInterrupted

COUNT = 3
TORCHRUN = {"RANK": "1", "WORLD_SIZE": "3", "MASTER_ADDR": "localhost", "MASTER_PORT": "1"}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torchrun, "_BEAT_SECONDS", 0.02)
    monkeypatch.setattr(torchrun, "_SAME_SECONDS", 0.5)


def each(act: Callable[[TorchrunRanks], Any], count: int = COUNT) -> list[Any]:
    """What `act` gives for each of some processes, here threads; an error in place of what it raises."""
    store = HashStore()

    def go(number: int) -> Any:
        try:
            with TorchrunRanks(store, number, count).together() as ranks:
                return act(ranks)
        except (ScanError, OSError) as exc:
            return exc

    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(go, range(count)))


def test_all_hear_what_the_first_one_decides() -> None:
    made: list[int] = []

    def decide() -> list[int]:
        made.append(1)
        time.sleep(0.1)
        return [1, 2]

    assert each(lambda ranks: ranks.told_by_first("what", decide)) == [[1, 2]] * COUNT
    assert made == [1]


def test_all_hear_what_all_tell() -> None:
    assert each(lambda ranks: ranks.all_tell("square", ranks.number**2)) == [[0, 1, 4]] * COUNT


def test_a_process_alone_needs_nobody() -> None:
    with Ranks().together() as alone:
        assert alone.told_by_first("what", lambda: 3) == 3
        assert alone.all_tell("what", "x") == ["x"]
        assert not alone.is_broken
        assert alone.device("auto") == "auto"
        alone.check()


def test_how_far_each_is_gets_around() -> None:
    def work(ranks: TorchrunRanks) -> list[Reached]:
        ranks.reached = Reached(10 * ranks.number, ranks.number, 5) + Reached(1)
        ranks.all_tell("set", True)
        end = time.monotonic() + 10
        while 0 in [reached.done for reached in ranks.all_reached()] and time.monotonic() < end:
            time.sleep(0.01)
        ranks.all_tell("seen", True)
        return ranks.all_reached()

    assert each(work) == [[Reached(1, 0, 5), Reached(11, 1, 5), Reached(21, 2, 5)]] * COUNT


@pytest.mark.parametrize("failing", [0, 2])
def test_an_error_in_one_ends_those_that_wait_and_says_why(failing: int) -> None:
    def work(ranks: TorchrunRanks) -> None:
        if ranks.number == failing:
            raise DataNotFound("The disk is gone.")
        ranks.all_tell("done", True)

    found = each(work)
    assert isinstance(found.pop(failing), DataNotFound)
    for error in found:
        assert isinstance(error, OtherProcessFailed)
        assert error.message == f"Process {failing} of 3 failed: The disk is gone."
        assert "same command" in error.hint


def test_an_error_that_all_have_is_the_first_ones_alone() -> None:
    def work(_ranks: TorchrunRanks) -> None:
        raise DataNotFound("There is no such folder.")

    assert [type(error) for error in each(work)] == [DataNotFound, OtherProcessFailed, OtherProcessFailed]


def test_one_that_is_asked_to_stop_stops_all() -> None:
    def work(ranks: TorchrunRanks) -> None:
        if ranks.number == 1:
            raise ScanInterrupted("Stopped.")
        while not ranks.is_broken:
            time.sleep(0.01)
        ranks.check()

    first, stopped, last = each(work)
    assert isinstance(stopped, ScanInterrupted)
    assert first.message == last.message == "Process 1 of 3 was asked to stop."


def test_one_that_is_never_heard_of_again_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torchrun, "LOST_SECONDS", 0.5)
    store = HashStore()
    store.set("beat/1", json.dumps({"count": 1, "done": 3, "failed": 0, "n_bytes": 0}))  # then it was killed
    begin = time.monotonic()
    with (
        pytest.raises(OtherProcessFailed, match="Process 1 of 2 is lost"),
        TorchrunRanks(store, 0, 2).together() as ranks,
    ):
        ranks.all_tell("done", True)
    assert time.monotonic() - begin < 5


def test_waiting_goes_on_as_long_as_the_other_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torchrun, "LOST_SECONDS", 0.3)

    def work(ranks: TorchrunRanks) -> Any:
        return ranks.told_by_first("slow", lambda: time.sleep(1.0))

    assert each(work, 2) == [None, None]


class BrokenStore:
    """A store whose server went away."""

    def __init__(self) -> None:
        self.is_gone = threading.Event()

    def set(self, key: str, value: str, /) -> None:
        self.check([key])

    def get(self, key: str, /) -> bytes:
        return b"null"

    def check(self, keys: list[str], /) -> bool:
        if self.is_gone.is_set():
            raise RuntimeError("Broken pipe\nException raised from sendBytes")
        return False


def test_a_store_that_goes_away_ends_the_scan() -> None:
    store = BrokenStore()

    def work() -> None:
        with TorchrunRanks(store, 1, 2).together() as ranks:
            store.is_gone.set()
            ranks.all_tell("done", True)

    with pytest.raises(OtherProcessFailed, match="have lost each other: Broken pipe"):
        work()


def test_torchruns_environment_says_who_one_is() -> None:
    assert is_first({})
    assert is_first({**TORCHRUN, "RANK": "0"})
    assert not is_first(TORCHRUN)
    assert is_first({**TORCHRUN, "WORLD_SIZE": "1"})
    assert is_first({"RANK": "1", "WORLD_SIZE": "3"}), "nobody says where the others are"
    assert type(join_ranks({"WORLD_SIZE": "1"})) is Ranks


def test_processes_that_do_not_come_are_not_waited_for_forever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torchrun, "JOIN_SECONDS", 1.0)
    for name, value in TORCHRUN.items():
        monkeypatch.setenv(name, value)
    begin = time.monotonic()
    with pytest.raises(OtherProcessFailed, match="Not all of the 3 processes"):
        join_ranks()
    assert time.monotonic() - begin < 30


def test_each_process_of_a_machine_takes_a_gpu_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    third = TorchrunRanks(BrokenStore(), 5, 8, local=2)
    assert [third.device(name) for name in ("auto", "cuda", "cuda:1", "cpu")] == ["cuda:0", "cuda:0", "cuda:1", "cpu"]
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    assert third.device("auto") == "auto"
