"""A scan that was stopped, at any moment and in any way, goes on to the same file as one that was not."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nastui.store import tiles
from nastui.store import writer as writer_module
from nastui.store.reader import RunReader
from nastui.store.writer import RunWriter
from tests.store.scanning_process import LEEWAY, MOST_IMAGES, N_IMAGES
from tests.store.small_scan import (
    LAYERS,
    SPEC,
    append,
    child_environment,
    contents,
    create,
    is_failed,
    make_run,
    values,
)


def start(path: Path, steps: int) -> subprocess.Popen[str]:
    command = [sys.executable, str(Path(__file__).with_name("scanning_process.py")), str(path), str(steps)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=child_environment())


def check_what_is_there(path: Path) -> tuple[int, bool]:
    """Everything that the file says is done is there and right. Returns how far the scan got, and if it is finished."""
    with RunReader(path) as run:
        info = run.info()
        decoded = [image for image in range(info.n_done) if not is_failed(image)]
        for layer in run.layers():
            found = run.activations(layer)
            assert np.array_equal(found[decoded], values(layer.path, N_IMAGES)[decoded], equal_nan=True)
            assert np.isnan(found[info.n_done :]).all()
        assert len(run.thumbnails(range(N_IMAGES))) == len(decoded)
    return info.n_done, info.finished is not None


def test_killed_again_and_again_it_ends_in_the_same_file(tmp_path: Path) -> None:
    path = tmp_path / "killed.nas.db"
    moments = random.Random(2)
    n_done, is_finished, kills = 0, False, 0
    assert sum(LEEWAY + 3 * kill for kill in range(3)) * MOST_IMAGES < N_IMAGES, "it could end before the third kill"
    while not is_finished:
        # The first kills come early and then later and later, so that creation, rows and the finish are all hit.
        process = start(path, moments.randint(0, 3 * kills))
        assert process.stdout is not None
        assert process.stdout.readline() in ("now\n", "")  # nothing: it came to its end before
        time.sleep(moments.uniform(0, 0.02))
        process.send_signal(signal.SIGKILL)
        process.stdout.close()
        status = process.wait()
        assert status in (0, -signal.SIGKILL)
        kills += status != 0
        if path.exists():
            got_to, is_finished = check_what_is_there(path)
            assert got_to >= n_done
            n_done = got_to
    assert kills >= 3
    assert contents(path) == contents(make_run(tmp_path / "whole.nas.db", N_IMAGES))


def test_a_kill_loses_no_more_than_the_last_seconds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_module, "COMMIT_SECONDS", 0.0)
    writer = create(tmp_path / "run.nas.db", 100)
    append(writer, 7, 100)
    with RunReader(tmp_path / "run.nas.db") as run:
        assert run.info().n_done == 7
    writer.close()


def test_what_is_not_committed_is_not_seen(tmp_path: Path) -> None:
    writer = create(tmp_path / "run.nas.db", 100)
    append(writer, 7, 100)
    with RunReader(tmp_path / "run.nas.db") as run:
        assert run.info().n_done == 0
        writer.checkpoint()
        assert run.info().n_done == 7
    writer.close()


def test_an_exception_keeps_all_images_so_far(tmp_path: Path) -> None:
    path = tmp_path / "run.nas.db"

    def scan_until_ctrl_c() -> None:
        with create(path, 100) as writer:
            append(writer, 30, 100)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        scan_until_ctrl_c()
    with RunWriter.resume(path, SPEC) as writer:
        assert writer.n_done == 30


STEPS = st.lists(st.tuples(st.integers(1, 23), st.sampled_from(["go on", "checkpoint", "stop", "lose"])), max_size=12)


@given(steps=STEPS, n_images=st.integers(1, 40))
@settings(max_examples=15, deadline=None)
def test_batches_checkpoints_and_stops_leave_no_trace(steps: list[tuple[int, str]], n_images: int) -> None:
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder:
        patch.setattr(tiles, "TILE_IMAGES", 8)
        path = Path(folder) / "steps.nas.db"
        writer = create(path, n_images)
        for count, then in steps:
            append(writer, count, n_images)
            if then == "checkpoint":
                writer.checkpoint()
            elif then in ("stop", "lose"):
                if then == "stop":
                    writer.checkpoint()
                writer.close()
                writer = RunWriter.resume(path, SPEC)
        append(writer, n_images, n_images)
        writer.finish()
        writer.close()
        assert contents(path) == contents(make_run(Path(folder) / "whole.nas.db", n_images))


def test_the_finish_can_be_stopped_and_resumed(tmp_path: Path) -> None:
    path = make_run(tmp_path / "run.nas.db", 60, n_done=60)
    calls: list[tuple[int, int]] = []

    def stop_at_the_third(done: int, total: int) -> None:
        calls.append((done, total))
        if len(calls) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), RunWriter.resume(path, SPEC) as writer:
        writer.finish(stop_at_the_third)
    n_units = sum(layer.n_units for layer in LAYERS)
    assert calls == [(3, n_units), (67, n_units), (73, n_units)]
    with RunReader(path) as run:
        assert run.info().finished is None
        assert run.unit_table(run.layer("features.0")).n[0] == sum(not is_failed(image) for image in range(60))
    with RunWriter.resume(path, SPEC) as writer:
        writer.finish()
    assert contents(path) == contents(make_run(tmp_path / "whole.nas.db", 60))
