"""The sums over what a run holds: the same for the same, however it came about, and another for any other value."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from nastui.review_records import Subject
from nastui.store.content import read_content
from nastui.store.reviews import Reviews
from nastui.store.writer import RunWriter
from tests.store.small_scan import SPEC, append, change, create, make_run

N_IMAGES = 60


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return make_run(tmp_path / "run.nas.db", N_IMAGES)


def differing(first: Path, second: Path) -> list[str]:
    one, other = read_content(first), read_content(second)
    assert (one.sha256 == other.sha256) == (one.tables == other.tables)
    return [name for name in one.tables if one.tables[name] != other.tables[name]]


def test_every_table_has_its_sum_but_those_that_say_how_it_came_about(run: Path) -> None:
    with closing(sqlite3.connect(run)) as connection:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    assert set(read_content(run).tables) == tables - {"event", "standing"}


def test_how_when_and_from_where_it_was_made_does_not_count(run: Path, tmp_path: Path) -> None:
    other = make_run(
        tmp_path / "other.nas.db",
        N_IMAGES,
        command="nastui scan again",
        versions={},
        model="mine.py:net",
        weights="/elsewhere/alexnet.pt",
        data="imagefolder:/elsewhere",
        data_root="/elsewhere",
        computing='{"device": "cuda"}',
    )
    change(other, "UPDATE run SET created = '2001-01-01T00:00:00Z', finished = '2001-01-02T00:00:00Z'")
    assert differing(run, other) == []


def test_how_tiles_are_cut_and_rows_are_numbered_does_not_count(run: Path, tmp_path: Path) -> None:
    path = tmp_path / "stopped.nas.db"
    create(path, N_IMAGES).close()
    while True:
        with RunWriter.resume(path, SPEC) as writer:
            append(writer, 7, N_IMAGES)
            if writer.n_done == N_IMAGES:
                break
    change(path, "UPDATE activation SET id = 100000 - id")
    assert differing(run, path) == ["footprint", "measuring", "run", "unit"]  # it is not measured yet
    with RunWriter.resume(path, SPEC) as writer:
        writer.finish()
    change(path, "UPDATE footprint SET id = 100000 - id")
    change(path, "UPDATE activation SET id = 300000 - id")
    assert differing(run, path) == []


@pytest.mark.parametrize(
    ("statement", "tables"),
    [
        ("UPDATE run SET weights_sha256 = 'zz'", ["run"]),
        ("UPDATE run SET seed = seed + 1", ["run"]),
        ("UPDATE class SET name = 'Tench' WHERE id = 0", ["class"]),
        ("UPDATE image SET class_id = 1 WHERE id = 0", ["image"]),
        ("UPDATE image SET top5 = replace(top5, '3.5', '3.6') WHERE id = 7", ["image"]),
        ("UPDATE image SET error = NULL WHERE id = 5", ["image"]),
        ("UPDATE thumbnail SET data = x'FFD800' WHERE image_id = 1", ["thumbnail"]),
        ("UPDATE layer SET type = 'Conv1d' WHERE id = 1", ["layer"]),
        ("UPDATE unit SET hi = hi + 1e-12 WHERE id = 9", ["unit"]),
        ("UPDATE unit SET top_class = NULL WHERE id = 9", ["unit"]),
        ("UPDATE footprint SET counts = (SELECT counts FROM footprint WHERE id = 2) WHERE id = 3", ["footprint"]),
        ("DELETE FROM output WHERE id = 3", ["output"]),
    ],
)
def test_any_other_value_counts(run: Path, tmp_path: Path, statement: str, tables: list[str]) -> None:
    other = make_run(tmp_path / "other.nas.db", N_IMAGES)
    change(other, statement)
    assert differing(run, other) == tables


@pytest.mark.parametrize("column", ["value_tile", "position_tile"])
def test_a_single_bit_of_an_activation_counts(run: Path, tmp_path: Path, column: str) -> None:
    other = make_run(tmp_path / "other.nas.db", N_IMAGES)
    with (
        closing(sqlite3.connect(other)) as connection,
        connection,
        connection.blobopen("activation", column, 1) as blob,
    ):
        blob[4] ^= 1
    assert differing(run, other) == ["activation"]


def test_images_that_changed_places_count(run: Path, tmp_path: Path) -> None:
    other = make_run(tmp_path / "other.nas.db", N_IMAGES)
    with closing(sqlite3.connect(other)) as connection, connection:
        tile = connection.execute("SELECT value_tile FROM activation WHERE id = 1").fetchone()[0]
        values = np.frombuffer(tile, "<f4").reshape(3, -1)[:, ::-1]
        connection.execute("UPDATE activation SET value_tile = ? WHERE id = 1", (values.tobytes(),))
    assert differing(run, other) == ["activation"]


def test_what_people_said_counts_and_the_log_of_it_does_not(run: Path, tmp_path: Path) -> None:
    other = make_run(tmp_path / "other.nas.db", N_IMAGES)
    for path, first in ((run, "star"), (other, "skip")):
        with Reviews(path, "ann") as reviews:
            reviews.give_verdict([Subject(1, 1)], first)
            reviews.give_verdict([Subject(1, 1)], "star")
    assert differing(run, other) == []
    with Reviews(other, "ben") as reviews:
        reviews.give_verdict([Subject(1, 1)], "star")
    assert differing(run, other) == ["verdict"]
