"""Runs of an older nastui: opened, they are brought up to date and lose nothing."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from nastui.store.measuring import measure_run
from nastui.store.reader import RunReader
from nastui.store.schema import APPLICATION_ID, newest_version
from nastui.store.schema_1 import SCHEMA_1
from nastui.store.writer import RunWriter
from tests.store.small_scan import SPEC, append, change, contents, make_run

REMARKS = (
    "INSERT INTO verdict (unit_id, verdict, reviewer, created) VALUES (70, 'dead', 'ada', '2026-01-01T00:00:00Z')",
    "INSERT INTO tag (unit_id, tag, reviewer, created) VALUES (3, 'star', 'ada', '2026-01-01T00:00:00Z')",
    "INSERT INTO note (image_id, note, reviewer, created) VALUES (4, 'odd', 'bob', '2026-01-01T00:00:00Z')",
)


def make_schema_1_run(path: Path, n_images: int, n_done: int | None = None) -> Path:
    """The small scan as the first nastui wrote it."""
    today = make_run(path.with_name("today.nas.db"), n_images, n_done)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(f"PRAGMA page_size = 16384; PRAGMA journal_mode = WAL; {SCHEMA_1}")
        connection.execute("ATTACH ? AS today", (str(today),))
        tables = [name for (name,) in connection.execute("SELECT name FROM main.sqlite_master WHERE type = 'table'")]
        for table in tables:
            columns = ", ".join(row[1] for row in connection.execute(f"PRAGMA main.table_info({table})"))
            connection.execute(f"INSERT INTO main.{table} ({columns}) SELECT {columns} FROM today.{table}")
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute("PRAGMA user_version = 1")
    for remark in REMARKS:
        change(path, remark)
    today.unlink()
    return path


def schema_1_part(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """Every row of the tables of schema 1, in the columns of schema 1."""
    with closing(sqlite3.connect(path)) as connection, closing(sqlite3.connect(":memory:")) as first:
        first.executescript(SCHEMA_1)
        found = {}
        for (table,) in first.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            columns = ", ".join(row[1] for row in first.execute(f"PRAGMA table_info({table})"))
            found[table] = connection.execute(f"SELECT {columns} FROM {table} ORDER BY 1").fetchall()
        return found


@pytest.fixture
def old_run(tmp_path: Path) -> Path:
    return make_schema_1_run(tmp_path / "old.nas.db", 60)


def test_a_run_of_schema_1_keeps_all_that_is_in_it(old_run: Path) -> None:
    before = schema_1_part(old_run)
    with RunReader(old_run) as run:
        layers = run.layers()
        assert [layer.n_reviewed for layer in layers] == [0, 1, 0]
        assert [run.unit_measures(layer) for layer in layers] == [None] * 3
        assert run.footprints(layers[0], 0, 3).counts.any()
    assert schema_1_part(old_run) == before
    with closing(sqlite3.connect(old_run)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (newest_version(),)
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_an_upgraded_run_has_the_tables_of_a_new_one(old_run: Path, tmp_path: Path) -> None:
    RunReader(old_run).close()
    shapes = []
    for path in (old_run, make_run(tmp_path / "new.nas.db", 5)):
        with closing(sqlite3.connect(path)) as connection:
            shapes.append(
                connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY 1, 2").fetchall()
            )
    assert shapes[0] == shapes[1]


def test_measured_again_it_is_as_if_scanned_today(old_run: Path, tmp_path: Path) -> None:
    measure_run(old_run)
    for table in ("verdict", "tag", "note"):
        change(old_run, f"DELETE FROM {table}")
    assert contents(old_run) == contents(make_run(tmp_path / "new.nas.db", 60))


def test_a_stopped_scan_of_schema_1_goes_on(tmp_path: Path) -> None:
    path = make_schema_1_run(tmp_path / "old.nas.db", 60, n_done=32)
    with RunWriter.resume(path, SPEC) as writer:
        append(writer, 28, 60)
        writer.finish()
    for table in ("verdict", "tag", "note"):
        change(path, f"DELETE FROM {table}")
    assert contents(path) == contents(make_run(tmp_path / "new.nas.db", 60))
