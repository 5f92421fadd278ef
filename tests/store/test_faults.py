"""Files that cannot be used, and disks that cannot be written: each says what it is and what to do."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from nastui.errors import NotARun, SchemaTooNew, StoreFull
from nastui.store import connection as connection_module
from nastui.store import schema
from nastui.store.reader import RunReader
from nastui.store.schema import newest_version
from nastui.store.writer import RunWriter
from tests.store.small_scan import SPEC, append, change, contents, create, is_failed, make_run, values


@pytest.fixture
def run_file(tmp_path: Path) -> Path:
    return make_run(tmp_path / "run.nas.db", 40)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(NotARun, match=r"none\.nas\.db does not exist\.\n.*nastui scan"):
        RunReader(tmp_path / "none.nas.db")
    assert list(tmp_path.iterdir()) == []


def test_a_folder(tmp_path: Path) -> None:
    with pytest.raises(NotARun, match="is a folder"):
        RunReader(tmp_path)


def test_an_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "a.nas.db"
    path.touch()
    with pytest.raises(NotARun, match="it is empty"):
        RunReader(path)


@pytest.mark.parametrize("data", [b"hello", b"\x89PNG" * 5000])
def test_a_file_that_is_not_sqlite(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "a.nas.db"
    path.write_bytes(data)
    with pytest.raises(NotARun, match="not an SQLite file"):
        RunReader(path)
    with pytest.raises(NotARun, match="not an SQLite file"):
        RunWriter.resume(path, SPEC)
    assert path.read_bytes() == data


def test_sqlite_of_another_program(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE run (id INTEGER)")
    with pytest.raises(NotARun, match="SQLite file of another program"):
        RunReader(path)


def read_everything(path: Path) -> None:
    with RunReader(path) as run:
        for layer in reversed(run.layers()):
            run.activations(layer)
            run.unit_table(layer)
            run.footprints(layer, 0, layer.n_units)
        run.thumbnails(range(40))


@pytest.mark.parametrize("share", [0.3, 0.9])
def test_a_truncated_run(run_file: Path, share: float) -> None:
    os.truncate(run_file, int(run_file.stat().st_size * share))
    with pytest.raises(NotARun, match=r"run\.nas\.db is damaged.*\n.*undamaged copy"):
        RunReader(run_file)


def test_a_run_overwritten_in_the_middle(run_file: Path) -> None:
    whole = run_file.read_bytes()
    middle = len(whole) // 3
    run_file.write_bytes(whole[:middle] + os.urandom(middle) + whole[2 * middle :])
    with pytest.raises(NotARun, match="is damaged"):
        read_everything(run_file)


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("UPDATE activation SET value_tile = x'00'", r"the tile at classifier\.1#2:0, image 0 has a wrong size"),
        ("UPDATE activation SET n_images = 999", "has a wrong size"),
        ("UPDATE activation SET first_image = 1", "lies in a wrong place"),
        ("DELETE FROM run", "does not say which run it is"),
        ("UPDATE footprint SET counts = x'00'", "is damaged"),
        ("UPDATE footprint SET encoding = 'new'", "no encoding 'new' is known"),
        ("DELETE FROM footprint WHERE first_unit = 64", r"footprints of classifier\.1#2 are missing"),
        ("DROP TABLE activation", "no such table: activation"),
    ],
)
def test_a_run_that_lost_a_part(run_file: Path, statement: str, what: str) -> None:
    change(run_file, statement)
    with pytest.raises(NotARun, match=what):
        read_everything(run_file)


def test_a_run_of_a_newer_nastui(run_file: Path) -> None:
    change(run_file, "PRAGMA user_version = 99")
    words = rf"has schema 99; this nastui knows up to {newest_version()}\.\nUpdate nastui"
    with pytest.raises(SchemaTooNew, match=words):
        RunReader(run_file)
    with pytest.raises(SchemaTooNew):
        RunWriter.resume(run_file, SPEC)


def run_row(path: Path) -> tuple[object, ...]:
    with closing(sqlite3.connect(path)) as connection:
        row: tuple[object, ...] = connection.execute("SELECT * FROM run").fetchone()
        return row


@pytest.mark.parametrize("how", ["read", "resume"])
def test_a_run_of_an_older_nastui_is_brought_up_to_date(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    path = make_run(tmp_path / "run.nas.db", 40, n_done=20)
    before, run_before = contents(path), run_row(path)
    monkeypatch.setattr(schema, "MIGRATIONS", [*schema.MIGRATIONS, "ALTER TABLE run ADD COLUMN mood TEXT;\n"])
    if how == "read":
        with RunReader(path) as run:
            assert run.info().n_done == 20
    else:
        RunWriter.resume(path, SPEC).close()
    after = contents(path)
    assert run_row(path) == (*run_before, None)
    assert after.pop("run") != before.pop("run"), "it has a column more"
    assert after == before
    monkeypatch.undo()
    with pytest.raises(SchemaTooNew, match=f"has schema {newest_version() + 1}"):
        RunReader(path)


def test_a_failed_upgrade_leaves_the_run_as_it_was(run_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = contents(run_file)
    broken = "ALTER TABLE run ADD COLUMN mood TEXT;\nALTER TABLE run ADD COLUMN mood TEXT;\n"
    monkeypatch.setattr(schema, "MIGRATIONS", [*schema.MIGRATIONS, broken])
    with pytest.raises(sqlite3.OperationalError, match="duplicate column"):
        RunReader(run_file)
    monkeypatch.undo()
    assert contents(run_file) == before


def check_nothing_committed_is_lost(path: Path, n_done: int, n_images: int) -> None:
    with RunReader(path) as run:
        assert run.info().n_done == n_done
        decoded = [image for image in range(n_done) if not is_failed(image)]
        for layer in run.layers():
            assert np.array_equal(
                run.activations(layer)[decoded], values(layer.path, n_images)[decoded], equal_nan=True
            )


def scan_until_the_disk_is_full(path: Path) -> int:
    """Returns how many images were committed before it was."""
    committed: list[int] = []

    def scan() -> None:
        with create(path, 2000) as writer:
            while writer.n_done < 2000:
                append(writer, 50, 2000)
                writer.checkpoint()
                committed.append(writer.n_done)

    with pytest.raises(StoreFull, match=r"cannot grow: the disk is full\.\nFree some space and run the same command"):
        scan()
    assert committed
    return committed[-1]


def check_it_goes_on(path: Path, whole: Path) -> None:
    with RunWriter.resume(path, SPEC) as writer:
        append(writer, 2000, 2000)
        writer.finish()
    assert contents(path) == contents(make_run(whole, 2000))


def test_a_full_disk_loses_nothing_that_was_committed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def prepare_a_small_disk(connection: sqlite3.Connection) -> None:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA max_page_count = 60")

    path = tmp_path / "run.nas.db"
    monkeypatch.setattr(connection_module, "prepare_to_write", prepare_a_small_disk)
    check_nothing_committed_is_lost(path, scan_until_the_disk_is_full(path), 2000)
    monkeypatch.undo()
    check_it_goes_on(path, tmp_path / "whole.nas.db")


def test_a_really_full_disk(small_disk: Path, tmp_path: Path) -> None:
    path = small_disk / "run.nas.db"
    check_nothing_committed_is_lost(path, scan_until_the_disk_is_full(path), 2000)
    for file in small_disk.iterdir():
        shutil.copy(file, tmp_path / file.name)
    check_it_goes_on(tmp_path / path.name, tmp_path / "whole.nas.db")


def test_a_disk_that_is_full_from_the_start(small_disk: Path) -> None:
    filler = small_disk / "filler"
    filler.write_bytes(b"x" * (2 << 20))
    with pytest.raises(StoreFull, match="the disk is full"):
        create(small_disk / "run.nas.db", 20)
    assert [file.name for file in small_disk.iterdir()] == ["filler"]


def test_a_folder_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(StoreFull, match=r"the folder \S+/none does not exist\.\nMake it: mkdir -p \S+/none"):
        create(tmp_path / "none" / "run.nas.db", 20)


def read_only(folder: Path) -> None:
    """Let nobody write into the small disk: root heeds no permissions, but a file system's state."""
    if os.getuid() == 0:
        subprocess.run(["mount", "-o", "remount,ro", folder], check=True)
    else:
        folder.chmod(0o555)


def test_a_run_in_a_folder_that_cannot_be_written_is_read(small_disk: Path) -> None:
    make_run(small_disk / "run.nas.db", 40)
    read_only(small_disk)
    with RunReader(small_disk / "run.nas.db") as run:
        assert run.info().n_done == 40
        assert run.layer("features.3").n_dead == 2
    assert [file.name for file in small_disk.iterdir()] == ["run.nas.db"]


def test_a_killed_run_in_a_folder_that_cannot_be_written(small_disk: Path) -> None:
    path = small_disk / "run.nas.db"
    writer = create(path, 40)
    append(writer, 20, 40)
    writer.checkpoint()
    wal = path.with_name("run.nas.db-wal")
    copy = wal.read_bytes()
    writer.close()
    wal.write_bytes(copy)
    read_only(small_disk)
    with pytest.raises(StoreFull, match=r"run\.nas\.db-wal holds a part of it that has to be merged first"):
        RunReader(path)


def test_writing_where_it_is_not_allowed(small_disk: Path) -> None:
    read_only(small_disk)
    with pytest.raises(StoreFull, match=r"new\.nas\.db cannot be written: read-only file system\.\nMake its folder"):
        create(small_disk / "new.nas.db", 5)
