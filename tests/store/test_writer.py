"""What may and may not be written, and where."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nastui.errors import OutputExists, StoreLocked
from nastui.records import ClassInfo, LayerSpec, ManifestImage
from nastui.store.reader import RunReader
from nastui.store.reviews import Reviews
from nastui.store.tiles import images_in_a_tile, position_type
from nastui.store.writer import RunWriter
from tests.store.small_scan import LAYERS, SPEC, append, batch, change, child_environment, contents, create, make_run


def die(code: str) -> int:
    """The status of a process that ends in the middle of its work."""
    imports = "import os\nfrom pathlib import Path\nfrom tests.store.small_scan import append, create\n"
    return subprocess.run([sys.executable, "-c", imports + code], env=child_environment(), check=False).returncode


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run.nas.db"


def test_another_scan_is_not_overwritten(path: Path) -> None:
    before = contents(make_run(path, 12))
    with pytest.raises(
        OutputExists,
        match=r"holds another scan: torchvision:alexnet on imagefolder:photos\.\nWhat differs: .*\n.*--force",
    ):
        create(path, 12, scan_sha256="other")
    with pytest.raises(OutputExists, match="holds another scan"):
        RunWriter.resume(path, replace(SPEC, scan_sha256="other"))
    assert contents(path) == before


def test_a_finished_scan_is_not_done_twice(path: Path) -> None:
    make_run(path, 12)
    words = r"holds this very scan, finished on .*\n.*nastui .*run\.nas\.db"
    with pytest.raises(OutputExists, match=words):
        create(path, 12)
    with pytest.raises(OutputExists, match=words):
        RunWriter.resume(path, SPEC)


def test_a_stopped_scan_is_not_started_anew(path: Path) -> None:
    make_run(path, 12, n_done=8)
    with pytest.raises(OutputExists, match="holds this very scan, stopped after 8 of 12 images"):
        create(path, 12)


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("kind", ["text", "empty", "sqlite", "folder", "dangling link"])
def test_what_is_not_a_run_is_never_overwritten(path: Path, kind: str, force: bool) -> None:
    if kind == "sqlite":
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("CREATE TABLE recipes (name TEXT)")
    elif kind == "folder":
        path.mkdir()
    elif kind == "dangling link":
        path.symlink_to(path.parent)
    else:
        path.write_text("" if kind == "empty" else "my thesis, the only copy")
    before = path.read_bytes() if path.is_file() else None
    what = "is a folder" if kind in ("folder", "dangling link") else "not a whole nastui run"
    with pytest.raises(OutputExists, match=rf"{what}\.\n.*not even with --force"):
        create(path, 12, force=force)
    assert (path.read_bytes() if path.is_file() else None) == before


def test_force_replaces_a_run(path: Path) -> None:
    make_run(path, 12, n_done=8)
    with create(path, 20, force=True, scan_sha256="new") as writer:
        assert writer.n_done == 0
    with RunReader(path) as run:
        assert (run.info().n_images, run.info().spec.scan_sha256) == (20, "new")


def test_force_replaces_a_killed_run_and_what_its_wal_held(path: Path) -> None:
    code = f"writer = create(Path({str(path)!r}), 12); append(writer, 8, 12); writer.checkpoint(); os._exit(9)"
    assert die(code) == 9
    assert path.with_name("run.nas.db-wal").stat().st_size > 0
    make_run(path, 20, force=True)
    assert contents(path) == contents(make_run(path.with_name("fresh.nas.db"), 20))


def test_the_old_run_stays_when_the_new_one_cannot_be_made(path: Path) -> None:
    before = contents(make_run(path, 12))
    with pytest.raises(sqlite3.IntegrityError):
        RunWriter.create(path, SPEC, [ClassInfo(0, "a", None, 0)], [], [ManifestImage(5, "x")], LAYERS, force=True)
    assert contents(path) == before
    assert [file.name for file in path.parent.iterdir()] == ["run.nas.db"]


def test_a_reader_of_the_old_run_keeps_it(path: Path) -> None:
    make_run(path, 12)
    with RunReader(path) as old:
        make_run(path, 20, force=True)
        assert old.info().n_images == 12
        with RunReader(path) as new:
            assert new.info().n_images == 20


def test_a_second_writer_is_refused_at_once(path: Path) -> None:
    with create(path, 12) as writer:
        append(writer, 4, 12)
        begin = time.monotonic()
        with pytest.raises(StoreLocked, match=rf"is being written by process {os.getpid()} on \S+: "):
            RunWriter.resume(path, SPEC)
        with pytest.raises(StoreLocked):
            create(path, 12, force=True)
        assert time.monotonic() - begin < 1
    with RunWriter.resume(path, SPEC) as writer:
        assert writer.n_done == 4


def test_the_lock_of_a_killed_writer_does_not_linger(path: Path) -> None:
    code = f"writer = create(Path({str(path)!r}), 12); os._exit(9)"
    assert die(code) == 9
    assert path.with_name(".run.nas.db.lock").exists()
    with RunWriter.resume(path, SPEC) as writer:
        append(writer, 12, 12)
    assert not path.with_name(".run.nas.db.lock").exists()


def test_reviewers_can_write_while_a_scan_runs(path: Path) -> None:
    with create(path, 12) as writer:
        append(writer, 4, 12)
        change(
            path, "INSERT INTO tag (image_id, tag, reviewer, created) VALUES (1, 'odd', 'ada', '2026-01-01T00:00:00Z')"
        )
        append(writer, 8, 12)
        writer.finish()
    with Reviews(path, "ada") as reviews:
        assert reviews.tags() == ("odd",)


def test_a_finished_run_is_one_file(path: Path) -> None:
    make_run(path, 12)
    assert [file.name for file in path.parent.iterdir()] == ["run.nas.db"]


def test_a_run_is_one_file_even_while_it_is_read(path: Path) -> None:
    writer = create(path, 12)
    with RunReader(path):
        append(writer, 12, 12)
        writer.finish()
        copy = path.with_name("copy.nas.db")
        copy.write_bytes(path.read_bytes())
        writer.close()
    assert contents(copy) == contents(path)


def test_batches_come_in_order(path: Path) -> None:
    with create(path, 12) as writer:
        with pytest.raises(ValueError, match="does not follow 0 images"):
            writer.append(batch(4, 4, 12))
        with pytest.raises(ValueError, match="12 images have not been looked at"):
            writer.finish()


def test_a_layer_of_another_width_is_refused(path: Path) -> None:
    wrong = replace(batch(0, 4, 12), values={layer.path: np.zeros((4, 5), np.float32) for layer in LAYERS})
    with create(path, 12) as writer:
        with pytest.raises(ValueError, match=r"features\.0 gave \(4, 5\) where \(4, 3\) was announced"):
            writer.append(wrong)
        append(writer, 4, 12)


def test_a_file_name_that_is_not_utf8_is_kept_readable(path: Path) -> None:
    images = [ManifestImage(0, "caf\udce9.jpg")]
    RunWriter.create(path, SPEC, [ClassInfo(0, "caf\udce9", None, 0)], [], images, LAYERS).close()
    with RunReader(path) as run:
        assert run.images([0])[0].source == r"caf\udce9.jpg"


@pytest.mark.parametrize(
    ("shape", "expected"),
    [((64, 1, 1), "uint8"), ((64, 15, 17), "uint8"), ((64, 16, 16), "uint16"), ((2, 300, 300), "uint32")],
)
def test_positions_take_the_smallest_type(shape: tuple[int, ...], expected: str) -> None:
    assert position_type(LayerSpec("a", "Conv2d", shape, shape[0], has_positions=True)) == expected


def test_a_row_of_tiles_fits_in_memory_however_wide() -> None:
    every_element = LayerSpec("features.0", "Conv2d", (64, 55, 55), 64 * 55 * 55, has_positions=False)
    assert images_in_a_tile([every_element]) == 128
    assert images_in_a_tile([replace(every_element, value_type="float16")]) == 256
    assert images_in_a_tile(LAYERS) == 1024
