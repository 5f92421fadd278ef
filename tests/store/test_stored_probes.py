"""Probes in a run's file: kept apart from all that is counted, written beside whoever else writes."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nastui.errors import AddressNotFound, StoreError
from nastui.probe_records import NewProbe
from nastui.records import LayerSpec
from nastui.store.probes import remove_probes, write_probe
from nastui.store.reader import RunReader
from nastui.store.reviews import Reviews
from tests.store.small_scan import LAYERS, append, contents, create, make_run, positions, values

N = 30
VERSIONS = {"nastui": "0.5"}


def new_probe(image: int = 0, *, layers: tuple[LayerSpec, ...] = LAYERS, **changes: Any) -> NewProbe:
    """A probe that gets what the run's image of this number got, plus a half."""
    probe = NewProbe(
        source=f"/pics/{image}.png",
        sha256=f"{image:064x}",
        width=500,
        height=400,
        top5=((2, 4.5), (0, float("nan"))),
        thumbnail=b"\xff\xd8",
        note=None,
        values={layer.path: values(layer.path, N)[image] + np.float32(0.5) for layer in layers},
        positions={layer.path: positions(layer.path, N)[image] for layer in layers if layer.has_positions},
    )
    return replace(probe, **changes)


def add(path: Path, probe: NewProbe) -> int:
    return write_probe(path, probe, "nastui probe …", VERSIONS)


def other_tables(path: Path) -> dict[str, str]:
    """A sum over each table that is not about probes."""
    return {name: sha256 for name, sha256 in contents(path).items() if not name.startswith("probe")}


def test_what_was_written_is_read(tmp_path: Path) -> None:
    path = make_run(tmp_path / "run.nas.db", N)
    assert [add(path, new_probe(3)), add(path, new_probe(7, note="wide"))] == [1, 2]
    with RunReader(path) as run:
        first, second = run.probes()
        assert (first.id, first.source, first.name, first.mark) == (1, "/pics/3.png", "3.png", "1")
        assert (first.width, first.height, first.note, second.note) == (500, 400, "", "wide")
        assert [name for name, _ in first.top5] == ["ice cream", "tench"]
        assert first.predicted == "ice cream"
        assert run.probe_thumbnails([2, 9]) == {2: b"\xff\xd8"}
        for layer in run.layers():
            expected = values(layer.path, N)[[3, 7]] + np.float32(0.5)
            np.testing.assert_array_equal(run.probe_values(layer), expected)
            np.testing.assert_array_equal(run.probe_values(layer, [2, 0]), expected[:, [2, 0]])
            places = run.probe_positions(layer)
            if layer.path.startswith("features"):
                np.testing.assert_array_equal(places, positions(layer.path, N)[[3, 7]])
            else:
                assert places is None


def test_nothing_that_is_counted_changes(tmp_path: Path) -> None:
    path = make_run(tmp_path / "run.nas.db", N)
    without, before = contents(path), other_tables(path)
    assert set(without) - set(before) == {"probe", "probe_value"}
    with RunReader(path) as run:
        layer = run.layers()[1]
        footprints, table = run.footprints(layer, 0, 70), run.unit_table(layer)
    add(path, new_probe(3, note="x"))
    add(path, new_probe(3, top5=((99, 1.0),)))  # an output that the run does not know
    add(path, new_probe(8))
    assert other_tables(path) == before
    with RunReader(path) as run:
        assert run.probes()[0].predicted == "output 99"
        assert np.array_equal(run.footprints(layer, 0, 70).counts, footprints.counts)
        assert np.array_equal(run.unit_table(layer).mean, table.mean, equal_nan=True)
    remove_probes(path, [2, 1])
    assert contents(path) == without


def test_the_same_file_takes_its_own_place_and_keeps_its_note(tmp_path: Path) -> None:
    path = make_run(tmp_path / "run.nas.db", N)
    add(path, new_probe(3, note="old"))
    add(path, new_probe(4))
    changed = {layer.path: np.full(layer.n_units, 9, np.float32) for layer in LAYERS}
    assert add(path, new_probe(3, source="/elsewhere/3.png", values=changed)) == 1
    with RunReader(path) as run:
        assert [(one.id, one.source, one.note) for one in run.probes()] == [
            (1, "/elsewhere/3.png", "old"),
            (2, "/pics/4.png", ""),
        ]
        assert (run.probe_values(run.layers()[0])[0] == 9).all()
    add(path, new_probe(3, note=""))
    with RunReader(path) as run:
        assert run.probes()[0].note == ""


def test_removing_what_is_not_there_removes_nothing(tmp_path: Path) -> None:
    path = make_run(tmp_path / "run.nas.db", N)
    with pytest.raises(AddressNotFound, match=r"no probe 1(.|\n)*no probes"):
        remove_probes(path, [1])
    add(path, new_probe(3))
    with pytest.raises(AddressNotFound, match=r"no probe 5(.|\n)*The probes are 1"):
        remove_probes(path, [1, 5])
    with RunReader(path) as run:
        assert len(run.probes()) == 1


def test_a_scan_and_reviewers_go_on_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "run.nas.db"
    with create(path, N) as writer:
        append(writer, 8, N)
        add(path, new_probe(3))
        append(writer, 8, N)
        with Reviews(path, "ada") as reviews, RunReader(path) as run:
            seen = reviews.version()
            add(path, new_probe(4))
            assert [one.id for one in run.probes()] == [1, 2], "an open reader sees it"
            assert reviews.version() == seen
        append(writer, N, N)
        writer.finish()
    make_run(tmp_path / "other.nas.db", N)
    assert other_tables(path) == other_tables(tmp_path / "other.nas.db")


def test_odd_names_and_values_are_kept(tmp_path: Path) -> None:
    path = make_run(tmp_path / "run.nas.db", N)
    odd = {layer.path: np.full(layer.n_units, np.nan, np.float32) for layer in LAYERS}
    odd["features.0"] = np.array([np.inf, -0.0, 1e-45], np.float32)
    add(path, new_probe(3, source="/p/\udcff\n.png", note="\udc80", values=odd, top5=()))
    with RunReader(path) as run:
        (probe,) = run.probes()
        assert (probe.source, probe.note, probe.predicted) == ("/p/\\udcff\n.png", "\\udc80", None)
        assert run.probe_values(run.layer("features.0"))[0].tobytes() == odd["features.0"].tobytes()


def test_where_values_are_kept_as_float16_those_of_probes_are_rounded_too(tmp_path: Path) -> None:
    path = make_run(tmp_path / "run.nas.db", N)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE basis SET value_type = 'float16'")
    odd = {layer.path: np.zeros(layer.n_units, np.float32) for layer in LAYERS}
    odd["features.0"] = np.array([1 / 3, 1e-12, 70_000], np.float32)
    add(path, new_probe(3, values=odd))
    with RunReader(path) as run:
        found = run.probe_values(run.layer("features.0"))[0].tolist()
    assert found == [float(np.float16(1 / 3)), 2**-24, 70_000]


def test_a_damaged_vector_is_said(tmp_path: Path) -> None:
    path = make_run(tmp_path / "run.nas.db", N)
    add(path, new_probe(3))
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE probe_value SET value_vector = x'00', position_vector = x'00'")
    with RunReader(path) as run:
        for ask in (run.probe_values, run.probe_positions):
            with pytest.raises(StoreError, match="of a probe have a wrong size"):
                ask(run.layer("features.0"))


def test_marks_are_one_character_whatever_the_number() -> None:
    from tests.probed_run import probe

    assert "".join(probe(n, "x").mark for n in (1, 9, 10, 35, 36, 1000)) == "19az**"


def test_a_copy_of_the_file_alone_has_them_while_others_read_the_run(tmp_path: Path) -> None:
    path = make_run(tmp_path / "run.nas.db", N)
    with RunReader(path) as run:
        add(path, new_probe(3))
        copy = tmp_path / "copy.nas.db"
        copy.write_bytes(path.read_bytes())
        assert len(run.probes()) == 1
    with RunReader(copy) as copied:
        assert [probe.source for probe in copied.probes()] == ["/pics/3.png"]
    assert {file.name for file in tmp_path.iterdir()} == {"run.nas.db", "copy.nas.db"}
