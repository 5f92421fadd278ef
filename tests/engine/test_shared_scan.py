"""A scan that several processes share, here threads with a store in common, ends in the same file as one by itself."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from torch.distributed import HashStore  # type: ignore[attr-defined]

from nastui.engine import scan as scan_module
from nastui.engine import torchrun
from nastui.engine.ranks import Ranks
from nastui.engine.scan import ScanProgress, scan
from nastui.engine.torchrun import TorchrunRanks
from nastui.errors import (
    NastuiError,
    NotARun,
    OtherProcessFailed,
    OutputExists,
    ScanError,
    ScanInterrupted,
    StoreLocked,
)
from nastui.store import tiles
from nastui.store.content import read_content
from nastui.store.parts import Parts, lock_parts
from nastui.store.reader import RunReader
from nastui.store.writer import RunWriter
from tests.scanned_files import N_IMAGES, write_files

N_BROKEN = 2
TOTAL = N_IMAGES + N_BROKEN


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model, its weights and 50 images of which two do not decode."""
    folder = tmp_path_factory.mktemp("files")
    write_files(folder)
    for name in ("ant/broken.png", "cat/000.png"):
        (folder / "images" / name).write_bytes(b"no picture")
    return folder


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torchrun, "_BEAT_SECONDS", 0.02)
    monkeypatch.setattr(torchrun, "_SAME_SECONDS", 0.3)
    monkeypatch.setattr(tiles, "TILE_IMAGES", 8)


def quiet(_progress: ScanProgress) -> None:
    """Takes progress and does nothing with it."""


def one(files: Path, out: Path, **options: Any) -> Path:
    """The scan by one process."""
    given: dict[str, Any] = {"reduce": "sample", "batch_size": 4, "on_progress": quiet, "weights": files / "net.pt"}
    scan(f"{files / 'net.py'}:net", f"imagefolder:{files / 'images'}", out=out, **(given | options))
    return out


def shared(files: Path, out: Path, count: int, options: Sequence[dict[str, Any]] = (), **same: Any) -> list[Any]:
    """The scan by `count` processes: None for each, or what it raised. `options`: of each, beside those of all."""
    store = HashStore()
    joined = threading.local()

    def go(number: int) -> NastuiError | None:
        joined.ranks = TorchrunRanks(store, number, count) if count > 1 else Ranks()
        try:
            one(files, out, distributed=True, **same, **(options[number] if options else {}))
        except NastuiError as exc:
            return exc
        return None

    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(count) as threads:
        patch.setattr(scan_module, "join_ranks", lambda: joined.ranks)
        return list(threads.map(go, range(count)))


class StopAfter:
    """Asks to stop once so many batches are done."""

    def __init__(self, batches: int) -> None:
        self._left = batches

    def __call__(self) -> bool:
        self._left -= 1
        return self._left <= 0


def stopped(files: Path, out: Path, count: int) -> Path:
    """A scan by `count` processes that was stopped when the first one had done two batches, at most."""
    stop = threading.Event()

    def watch(progress: ScanProgress) -> None:
        if progress.done >= 2 * 4:
            stop.set()

    found = shared(files, out, count, [{"on_progress": watch}, *[{}] * (count - 1)], should_stop=stop.is_set)
    assert ScanInterrupted in {type(error) for error in found} <= {ScanInterrupted, OtherProcessFailed}
    assert not out.exists()
    return out


def beside(out: Path) -> list[str]:
    return sorted(path.name for path in out.parent.iterdir())


@pytest.fixture(scope="module")
def whole(files: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return one(files, tmp_path_factory.mktemp("whole") / "run.nas.db")


@pytest.mark.parametrize("count", [2, 3, 16])
def test_more_processes_give_the_same_file(files: Path, whole: Path, tmp_path: Path, count: int) -> None:
    out = tmp_path / "run.nas.db"
    assert shared(files, out, count) == [None] * count
    assert read_content(out) == read_content(whole)
    assert beside(out) == ["run.nas.db"]


@pytest.mark.parametrize(
    "options",
    [{"reduce": "max", "batch_size": 7}, {"reduce": "none", "dtype": "float16"}, {"per_class": 5, "seed": 3}],
    ids=str,
)
def test_so_they_do_with_other_settings(files: Path, tmp_path: Path, options: dict[str, Any]) -> None:
    alone = one(files, tmp_path / "alone.nas.db", **options)
    assert shared(files, tmp_path / "shared.nas.db", 3, **options) == [None] * 3
    assert read_content(tmp_path / "shared.nas.db") == read_content(alone)


@pytest.mark.parametrize(("before", "after"), [(3, 3), (3, 1), (3, 2), (2, 5)])
def test_a_stop_keeps_the_parts_for_any_number_of_processes(
    files: Path, whole: Path, tmp_path: Path, before: int, after: int
) -> None:
    out = stopped(files, tmp_path / "run.nas.db", before)
    parts = Parts(out, (0, 24, TOTAL) if before == 2 else (0, 16, 32, TOTAL))
    done = sum(parts.n_done(number) for number in parts.numbers)
    assert 4 <= done < TOTAL
    # SQLite's log stays where another process looked at a part just when it was closed.
    found = {re.sub("-(wal|shm)$", "", path.name) for path in out.parent.iterdir()}
    assert found <= {parts.path(number).name for number in parts.numbers}
    seen: list[ScanProgress] = []
    assert shared(files, out, after, [{"on_progress": seen.append}, *[{}] * (after - 1)]) == [None] * after
    assert seen[0].done >= done, "the bar begins where they are"
    assert read_content(out) == read_content(whole)
    assert beside(out) == ["run.nas.db"]


def test_a_part_is_a_run_that_can_be_opened(files: Path, tmp_path: Path) -> None:
    out = stopped(files, tmp_path / "run.nas.db", 2)
    path = Parts(out, (0, 24, TOTAL)).path(0)
    with RunReader(path) as part:
        info = part.info()
        assert (info.finished, info.n_images) == (None, 24)
        assert len(part.thumbnails(range(info.n_done))) == info.n_done - info.n_failed


def test_a_damaged_part_does_not_keep_what_is_there_from_being_said(files: Path, tmp_path: Path) -> None:
    out = stopped(files, tmp_path / "run.nas.db", 2)
    Parts(out, (0, 24, TOTAL)).path(1).write_bytes(b"no run")
    with pytest.raises(NotARun, match=rf"in 2 parts, was stopped after \d+ of {TOTAL} images\."):
        RunReader(out)


@pytest.mark.parametrize(("batch_size", "tables"), [(4, None), (5, ("class", "thumbnail", "layer"))])
def test_a_stopped_scan_of_one_process_is_shared_from_there(
    files: Path, whole: Path, tmp_path: Path, batch_size: int, tables: tuple[str, ...] | None
) -> None:
    """Where it was stopped within what is now a batch, that is looked at again as a whole."""
    out = tmp_path / "run.nas.db"
    with pytest.raises(ScanInterrupted, match=f"{2 * batch_size} of 50"):
        one(files, out, batch_size=batch_size, should_stop=StopAfter(2))
    assert shared(files, out, 3) == [None] * 3
    found, wanted = read_content(out).tables, read_content(whole).tables
    assert [name for name in tables or wanted if found[name] != wanted[name]] == []
    with RunReader(out) as run:
        assert (run.info().n_done, run.info().n_failed) == (TOTAL, N_BROKEN)


@pytest.mark.parametrize("stage", ["merging", "measuring"])
def test_a_stop_while_merging_or_measuring_is_gone_on_from(
    files: Path, whole: Path, tmp_path: Path, stage: str
) -> None:
    out, stop = tmp_path / "run.nas.db", threading.Event()

    def stop_there(progress: ScanProgress) -> None:
        if progress.stage == stage and progress.done > 0:
            stop.set()

    found = shared(files, out, 2, on_progress=stop_there, should_stop=stop.is_set)
    assert {type(error) for error in found} <= {ScanInterrupted, OtherProcessFailed}
    with RunReader(out) as run:
        assert run.info().finished is None
    one(files, out)
    assert read_content(out) == read_content(whole)
    assert beside(out) == ["run.nas.db"]


def test_a_finished_scan_is_not_done_twice_and_nobody_hangs(files: Path, whole: Path) -> None:
    first, *others = shared(files, whole, 3)
    assert isinstance(first, OutputExists)
    assert "finished on" in first.message
    assert all(isinstance(error, OtherProcessFailed) and "finished on" in error.message for error in others)


def test_parts_left_of_a_finished_scan_are_removed(files: Path, tmp_path: Path) -> None:
    out = stopped(files, tmp_path / "run.nas.db", 2)
    kept = {path: path.read_bytes() for path in out.parent.iterdir()}
    assert shared(files, out, 2) == [None] * 2
    for path, data in kept.items():
        path.write_bytes(data)  # as if it had been killed before it removed them
    with pytest.raises(OutputExists, match="finished on"):
        one(files, out)
    assert beside(out) == ["run.nas.db"]


def test_a_run_that_is_in_parts_yet_says_so_and_how_far_it_is(files: Path, tmp_path: Path) -> None:
    out = tmp_path / "run.nas.db"
    said: list[str] = []
    resumed: list[int] = []

    def look(progress: ScanProgress) -> None:
        resumed.append(progress.resumed)
        if progress.stage == "scanning" and 4 <= progress.done < TOTAL and not out.exists() and not said:
            with pytest.raises(NotARun) as missing:
                RunReader(out)
            said.append(str(missing.value))

    assert shared(files, out, 2, [{"on_progress": look}, {}]) == [None] * 2
    words = rf"{re.escape(str(out))} is being written by several processes in 2 parts: \d+ of {TOTAL} images are done\."
    assert re.match(words, said[0])
    assert set(resumed) == {0}
    out.unlink()
    stopped(files, out, 2)
    before = beside(out)
    with pytest.raises(NotARun, match=rf"its scan, in 2 parts, was stopped after \d+ of {TOTAL} images\.") as missing:
        RunReader(out)
    assert "The command that began it goes on" in missing.value.hint
    assert beside(out) == before
    with pytest.raises(NotARun, match="does not exist"):
        RunReader(tmp_path / "other.nas.db")
    resumed.clear()
    assert shared(files, out, 3, [{"on_progress": look}, {}, {}]) == [None] * 3
    assert [f"stopped after {done} of" in str(missing.value) for done in set(resumed)] == [True]


def test_parts_of_another_scan_are_refused_by_what_differs(files: Path, tmp_path: Path) -> None:
    out = stopped(files, tmp_path / "run.nas.db", 2)
    before = beside(out)
    for count in (1, 2):
        first = shared(files, out, count, seed=1)[0]
        assert isinstance(first, OutputExists)
        assert "seed 0, now 1" in first.message
        assert "--force" in first.hint
    assert beside(out) == before
    assert shared(files, out, 2, seed=1, force=True) == [None] * 2
    with RunReader(out) as run:
        assert run.info().spec.seed == 1
    assert beside(out) == ["run.nas.db"]


def test_force_by_one_process_leaves_no_parts(files: Path, whole: Path, tmp_path: Path) -> None:
    out = stopped(files, tmp_path / "run.nas.db", 2)
    one(files, out, force=True)
    assert beside(out) == ["run.nas.db"]
    assert read_content(out) == read_content(whole)


@pytest.mark.parametrize("force", [False, True])
def test_what_is_no_run_is_never_replaced(files: Path, tmp_path: Path, force: bool) -> None:
    out = tmp_path / "run.nas.db"
    out.write_text("my thesis")
    assert isinstance(shared(files, out, 2, force=force)[0], OutputExists)
    assert (out.read_text(), beside(out)) == ("my thesis", ["run.nas.db"])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"mean": (0.3,)}, "preprocessing: "),
        ({"reduce": "max"}, "reduction sample, now max"),
        ({"weights": None}, "the weights of "),
        ({"per_class": 4}, "the images of "),
        ({"layers": "conv"}, "layers: 4, now 1 (without mix#1, mix#2, head)"),
        ({"dtype": "float16"}, "dtype float32, now float16"),
        ({"batch_size": 5}, "batch_size 4, now 5"),
    ],
    ids=str,
)
def test_processes_that_mean_other_scans_are_told_apart(
    files: Path, tmp_path: Path, change: dict[str, Any], words: str
) -> None:
    out = tmp_path / "run.nas.db"
    first, second, third = shared(files, out, 3, [{}, change, {}])
    assert isinstance(second, ScanError)
    assert f"another scan than process 0. What differs: {words}" in second.message
    for other in (first, third):
        assert isinstance(other, OtherProcessFailed)
        assert second.message.removesuffix(".") in other.message
    assert beside(out) == []


def test_the_first_process_alone_tells_progress_over_all(files: Path, tmp_path: Path) -> None:
    seen: list[list[ScanProgress]] = [[], []]
    options = [{"on_progress": each.append} for each in seen]
    assert shared(files, tmp_path / "run.nas.db", 2, options) == [None] * 2
    assert seen[1] == []
    stages = [progress.stage for progress in seen[0]]
    assert [*dict.fromkeys(stages)] == ["scanning", "merging", "measuring", "finished"]
    for stage in ("scanning", "merging"):
        done = [progress.done for progress in seen[0] if progress.stage == stage]
        assert done == sorted(done)
        assert {progress.total for progress in seen[0] if progress.stage == stage} == {TOTAL}
    warnings = seen[0][-1].warnings
    assert len([text for text in warnings if "2 of 50 images could not be decoded" in text]) == 1
    assert len(set(warnings)) == len(warnings)


def test_two_scans_never_share_the_same_parts(files: Path, tmp_path: Path) -> None:
    out = stopped(files, tmp_path / "run.nas.db", 2)
    with lock_parts(out), pytest.raises(StoreLocked, match=r"run\.nas\.db\.parts is being written by process"):
        one(files, out)


def test_a_part_that_another_machine_keeps_to_itself_is_missed(
    files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nastui.engine.shared_scan._LATE_SECONDS", 0.0)
    out = stopped(files, tmp_path / "run.nas.db", 2)
    finished: Callable[[RunWriter], None] = RunWriter.close

    def close_elsewhere(writer: RunWriter) -> None:
        finished(writer)
        writer._path.with_name(f".{out.name}.part-1-of-2").unlink(missing_ok=True)

    monkeypatch.setattr(RunWriter, "close", close_elsewhere)
    with pytest.raises(ScanError, match=r"part-1-of-2 is not there(.|\n)*file system that they share"):
        one(files, out)


def test_torchruns_environment_alone_changes_nothing(
    files: Path, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A script that torchrun has started may scan in one of its processes."""
    for name, value in {"RANK": "1", "WORLD_SIZE": "2", "MASTER_ADDR": "nowhere", "MASTER_PORT": "1"}.items():
        monkeypatch.setenv(name, value)
    assert read_content(one(files, tmp_path / "run.nas.db")) == read_content(whole)
