"""docs/file-format.md says what is in the file, no more and no less, and its examples work; other tools read it too."""

from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nastui.records import LayerSpec
from nastui.store.half_precision import to_float16, to_float32
from nastui.store.reader import RunReader
from nastui.store.schema import APPLICATION_ID, newest_version
from nastui.store.units_view import COLUMNS
from tests.store.small_scan import HALF_LAYERS, LAYERS, change, is_failed, make_run, values

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "file-format.md").read_text(encoding="utf-8")


@pytest.fixture
def run_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run where the examples of the page look for it."""
    monkeypatch.chdir(tmp_path)
    return make_run(tmp_path / "run.nas.db", 40)


@pytest.fixture
def database(run_file: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(run_file)) as connection:
        yield connection


def examples(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def documented() -> dict[str, list[tuple[str, str]]]:
    """Table -> (column, type) as the page has them."""
    tables = re.split(r"^### ", PAGE, flags=re.MULTILINE)[1:]
    return {
        table.partition("\n")[0]: re.findall(r"^\| (\w+) \| ([A-Z]+) \| .+ \|$", table, re.MULTILINE)
        for table in tables
    }


def test_every_table_and_column_is_documented_and_real(database: sqlite3.Connection) -> None:
    tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    real = {table: [(row[1], row[2]) for row in database.execute(f"PRAGMA table_info({table})")] for table in tables}
    found = documented()
    del found["units"]
    assert found == real


def test_every_column_of_the_view_is_documented_and_real(database: sqlite3.Connection) -> None:
    found = documented()["units"]
    assert found == [(column.name, column.type) for column in COLUMNS]
    real = [(row[1], row[2]) for row in database.execute("PRAGMA table_info(units)")]
    # SQLite knows the type of what is a column of a table, and none of what is computed.
    assert [(name, kind or dict(found)[name]) for name, kind in real] == found


def test_the_numbers_in_the_header_are_documented(database: sqlite3.Connection) -> None:
    assert database.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
    assert database.execute("PRAGMA user_version").fetchone() == (newest_version(),)
    assert f"`PRAGMA application_id` is {APPLICATION_ID} (`NaSt`)" in PAGE
    assert f"**{newest_version()}**" in PAGE
    assert database.execute("PRAGMA page_size").fetchone() == (16384,)
    assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_references_lead_somewhere(database: sqlite3.Connection) -> None:
    assert database.execute("PRAGMA foreign_key_check").fetchall() == []
    assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


@pytest.mark.parametrize("layers", [LAYERS, HALF_LAYERS])
def test_activations_are_read_in_ten_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, layers: Sequence[LayerSpec]
) -> None:
    monkeypatch.chdir(tmp_path)
    make_run(tmp_path / "run.nas.db", 40, layers=layers)
    read = examples("python")[0]
    assert len(read.strip().splitlines()) - 3 <= 10  # without the imports
    found: dict[str, Any] = {}
    exec(read, found)
    found["db"].close()
    expected = values("features.0", 40).copy()
    expected[[image for image in range(40) if is_failed(image)]] = np.nan
    if layers is HALF_LAYERS:
        expected = to_float32(to_float16(expected, "features.0", 0))
    assert np.array_equal(found["activations"], expected, equal_nan=True)


@pytest.mark.parametrize("n_images", [40, 2])
def test_footprints_are_unpacked_in_plain_python(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, n_images: int
) -> None:
    monkeypatch.chdir(tmp_path)
    path = make_run(tmp_path / "run.nas.db", n_images)
    found: dict[str, Any] = {}
    exec(examples("python")[1], found)
    found["db"].close()
    assert found["encoding"] == ("dense" if n_images == 40 else "sparse")
    with RunReader(path) as run:
        layer = run.layer("features.0")
        assert np.array_equal(found["counts"], run.footprints(layer, 0, layer.n_units).counts)


def test_the_questions_in_sql_have_answers(database: sqlite3.Connection) -> None:
    dead, wrong, failed, specialised, reviewed = (
        database.execute(question).fetchall() for question in examples("sql")[0].split(";") if question.strip()
    )
    assert ("features.3", 2, 70) in dead
    assert (7, "photos/00007.jpg", "ice_cream", None) in wrong
    assert [source for source, _ in failed] == [f"photos/{image:05}.jpg" for image in (5, 16, 27, 38)]
    assert specialised == []
    assert reviewed == [("features.0", 0, 0, 3), ("features.3", 0, 0, 70), ("classifier.1#2", 0, 0, 130)]


def test_the_file_explains_itself(database: sqlite3.Connection) -> None:
    for table, statement in database.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'"):
        assert re.match(rf"CREATE TABLE (?:{table}|\"{table}\") \(\n    -- [A-Z].+\.", statement), table


def test_sqlite_utils_makes_sense_of_it(run_file: Path) -> None:
    command = [sys.executable, "-m", "sqlite_utils", "tables", str(run_file), "--counts", "--csv", "--no-headers"]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    counts = dict(line.split(",") for line in out.splitlines())
    assert (counts["image"], counts["unit"], counts["thumbnail"], counts["event"]) == ("40", "203", "36", "0")


def test_what_happened_cannot_be_unsaid(run_file: Path) -> None:
    change(
        run_file,
        "INSERT INTO event (created, reviewer, action, subject, subject_id) VALUES ('now', 'ada', 'delete', 'tag', 1)",
    )
    for statement in ("DELETE FROM event", "UPDATE event SET reviewer = 'grace'"):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            change(run_file, statement)


@pytest.mark.parametrize("table", ["verdict", "tag", "note"])
@pytest.mark.parametrize("subject", ["NULL, NULL", "1, 1"])
def test_a_remark_is_about_a_unit_or_an_image(run_file: Path, table: str, subject: str) -> None:
    with pytest.raises(sqlite3.IntegrityError, match="CHECK"):
        change(
            run_file,
            f"INSERT INTO {table} (unit_id, image_id, {table}, reviewer, created) VALUES ({subject}, 'a', 'b', 'c')",
        )
