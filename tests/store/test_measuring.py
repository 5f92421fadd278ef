"""Measures of classes are taken at the end of a scan or again later, and a stop in between leaves no trace."""

from __future__ import annotations

import json
import sqlite3
import sys
import threading
from contextlib import closing
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from nastui.errors import StoreLocked, UsageError
from nastui.measure_records import ClassMeasures, Kind, KindThresholds, MeasureOptions
from nastui.records import Batch, ImageResult, LayerSpec, ManifestImage
from nastui.stats.class_measures import measure_layer
from nastui.stats.kinds import rule_kinds
from nastui.stats.measures import basic_measures
from nastui.store import measuring
from nastui.store.lock import WriterLock
from nastui.store.measuring import measure_run
from nastui.store.reader import RunReader
from nastui.store.writer import RunWriter
from tests.store.small_scan import CLASSES, LAYERS, SPEC, change, contents, is_failed, make_run, values

N_IMAGES = 60
DECODED = [image for image in range(N_IMAGES) if not is_failed(image)]
CLASS_IDS = np.array(DECODED, dtype=np.int32) % 3
SIZES = np.bincount(CLASS_IDS)
TOP_K = int(np.median(SIZES))
MORE = MeasureOptions(top_k=7, shuffles=20, resamples=10, seed=3)


@pytest.fixture
def run_file(tmp_path: Path) -> Path:
    return make_run(tmp_path / "run.nas.db", N_IMAGES)


def measured(path: Path) -> list[dict[str, object]]:
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute("SELECT * FROM measuring")]


def stop_after(path: Path, n_calls: int, options: MeasureOptions | None = None) -> bool:
    """Measure and stop at the n-th report; whether it came to that."""
    calls = 0

    def count(done: int, total: int) -> None:
        nonlocal calls
        calls += 1
        if calls == n_calls:
            raise KeyboardInterrupt

    try:
        measure_run(path, options, None, count)
    except KeyboardInterrupt:
        return True
    return False


@pytest.mark.parametrize("options", [MeasureOptions(), MORE])
def test_what_is_stored_is_what_the_values_say(run_file: Path, options: MeasureOptions) -> None:
    if options is MORE:
        measure_run(run_file, options)
    top_k = options.top_k or TOP_K
    with RunReader(run_file) as run:
        for layer in run.layers():
            decoded = values(layer.path, N_IMAGES)[DECODED].T
            expected = measure_layer([decoded], CLASS_IDS, len(CLASSES), SPEC.ranges, options)
            found = run.unit_measures(layer)
            assert found is not None
            assert found.top_k == top_k
            for field in fields(ClassMeasures):
                np.testing.assert_array_equal(getattr(found.measures, field.name), getattr(expected, field.name))
            assert found.rule_kinds == rule_kinds(basic_measures(decoded), expected, SIZES, top_k)


def test_the_run_says_how_it_was_measured(run_file: Path) -> None:
    measure_run(run_file, MORE, KindThresholds(owner=0.9))
    (how,) = measured(run_file)
    assert (how["top_k"], how["shuffles"], how["resamples"], how["seed"]) == (7, 20, 10, 3)
    assert json.loads(str(how["kind_thresholds"])) == {"owner": 0.9, "shared": 0.8, "images": 3.0}
    with RunReader(run_file) as run:
        stored = run.measuring()
    assert stored is not None
    assert stored.top_k == 7


def make_leaning_run(path: Path) -> Path:
    """One unit: 16 of its 20 highest images are of the first class, the other four of the second."""
    images = [ManifestImage(image % 3, f"{image}.png") for image in range(60)]
    column = np.linspace(-1, 0, 60, dtype=np.float32)
    column[0:48:3], column[1:13:3] = np.linspace(1, 2, 16), 3
    results = tuple(ImageResult(None, 8, 8, None, ()) for _ in images)
    with RunWriter.create(path, SPEC, CLASSES, (), images, [LayerSpec("fc", "Linear", (1,), 1, False)]) as writer:
        writer.append(Batch(0, results, {"fc": column[:, None]}, {}))
        writer.finish(thresholds=KindThresholds(owner=0.5))
    return path


def test_thresholds_say_what_a_unit_is_called(tmp_path: Path) -> None:
    path = make_leaning_run(tmp_path / "run.nas.db")
    kinds = []
    for owner in (None, 0.8, 0.9):
        if owner is not None:
            measure_run(path, None, KindThresholds(owner=owner))
        with RunReader(path) as run:
            units = run.unit_measures(run.layers()[0])
        assert units is not None
        assert units.measures.precision.tolist() == [0.8]
        kinds.append(units.rule_kinds[0])
    assert kinds == [Kind.SPECIALISED, Kind.SPECIALISED, Kind.POLYSEMANTIC]


@pytest.mark.parametrize("n_calls", [1, 2, 3, 4, 5, 6, 7])
def test_stopped_anywhere_it_goes_on_to_the_same_contents(run_file: Path, tmp_path: Path, n_calls: int) -> None:
    before = contents(run_file)
    was_stopped = stop_after(run_file, n_calls, MORE)
    assert was_stopped == (n_calls <= 6)  # blocks of 64 units: 1 + 2 + 3
    if was_stopped:
        assert contents(run_file)["footprint"] == before["footprint"]
    measure_run(run_file, MORE)
    whole = make_run(tmp_path / "whole.nas.db", N_IMAGES)
    measure_run(whole, MORE)
    assert contents(run_file) == contents(whole)
    measure_run(run_file)
    assert contents(run_file) == before


@pytest.mark.parametrize("n_threads", [1, 2, 5])
@pytest.mark.parametrize("n_units", [1, 24, 64, 256])
def test_threads_and_parts_do_not_show(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, n_threads: int, n_units: int
) -> None:
    """Units of many images are looked at a few at a time, others in several tiles: not a bit differs."""
    expected = contents(make_run(tmp_path / "whole.nas.db", N_IMAGES))
    path = make_run(tmp_path / "run.nas.db", N_IMAGES, n_done=N_IMAGES)
    monkeypatch.setattr(measuring, "threads_to_use", lambda: n_threads)
    monkeypatch.setattr(measuring, "units_in_a_block", lambda n_images: n_units)
    calls: list[int] = []
    with RunWriter.resume(path, SPEC) as writer:
        writer.finish(lambda done, total: calls.append(done))
    assert contents(path) == expected
    assert calls == [3, 67, 73, 137, 201, 203]


def test_stopped_no_thread_goes_on(run_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measuring, "threads_to_use", lambda: 3)
    assert stop_after(run_file, 2)
    assert not any("ThreadPoolExecutor" in thread.name for thread in threading.enumerate())


def test_while_it_is_measured_again_no_old_measure_is_left(run_file: Path) -> None:
    assert stop_after(run_file, 3, MORE)
    with RunReader(run_file) as run:
        found = [run.unit_measures(layer) for layer in run.layers()]
    assert [units is not None for units in found] == [True, False, False]
    with closing(sqlite3.connect(run_file)) as connection:
        columns = ", ".join(f"count({field.name})" for field in fields(ClassMeasures))
        assert connection.execute(f"SELECT {columns} FROM unit WHERE basis_id > 1").fetchone() == (0,) * 27


def test_going_on_in_another_way_begins_anew(run_file: Path, tmp_path: Path) -> None:
    assert stop_after(run_file, 3, MORE)
    measure_run(run_file)
    assert contents(run_file) == contents(make_run(tmp_path / "whole.nas.db", N_IMAGES))


@pytest.mark.parametrize("n_calls", range(1, 7))
def test_a_scan_stopped_while_it_measures_goes_on(tmp_path: Path, n_calls: int) -> None:
    path = make_run(tmp_path / "run.nas.db", N_IMAGES, n_done=N_IMAGES)
    calls: list[int] = []

    def stop(done: int, total: int) -> None:
        calls.append(done)
        if len(calls) == n_calls:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), RunWriter.resume(path, SPEC) as writer:
        writer.finish(stop)
    n_units = [layer.n_units for layer in LAYERS]
    assert calls == [3, 67, 73, 137, 201, 203][:n_calls]
    with RunReader(path) as run:
        found = [run.unit_measures(layer) is not None for layer in run.layers()]
        assert found == [sum(n_units[: i + 1]) < calls[-1] for i in range(3)]
    with RunWriter.resume(path, SPEC) as writer:
        writer.finish()
    assert contents(path) == contents(make_run(tmp_path / "whole.nas.db", N_IMAGES))


def test_measuring_again_leaves_what_people_said(run_file: Path) -> None:
    change(run_file, "INSERT INTO kind (unit_id, kind, reviewer, created) VALUES (5, 'polysemantic', 'ada', 't')")
    measure_run(run_file, MORE)
    with RunReader(run_file) as run:
        rows = [*run.query("SELECT kind, rule_kind = kind FROM units WHERE id = 5")[1]]
    assert rows == [(Kind.POLYSEMANTIC, 0)]


def test_a_scan_that_is_not_finished_is_not_measured(tmp_path: Path) -> None:
    path = make_run(tmp_path / "run.nas.db", N_IMAGES, n_done=20)
    before = contents(path)
    with pytest.raises(UsageError, match=r"The scan of .+ is not finished\.\nIts last step takes the measures"):
        measure_run(path)
    assert contents(path) == before


def test_two_never_measure_at_once_and_the_other_is_named(run_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["/usr/bin/nastui", "basis", "my run.nas.db", "conv"])
    with WriterLock(run_file.resolve()), pytest.raises(StoreLocked, match=r": nastui basis 'my run.nas.db' conv\.\n"):
        measure_run(run_file)


def test_reviewers_are_not_held_up(run_file: Path) -> None:
    """Between two reports anyone may write: no transaction spans them."""

    def review(done: int, total: int) -> None:
        change(
            run_file,
            f"INSERT INTO tag (unit_id, tag, reviewer, created) VALUES ({done}, 'seen', 'ada', '2026')",
        )

    measure_run(run_file, None, None, review)
    with RunReader(run_file) as run:
        assert [*run.query("SELECT count(*) FROM tag")[1]] == [(6,)]


def test_a_run_whose_images_all_failed_is_measured(tmp_path: Path) -> None:
    path = make_run(tmp_path / "run.nas.db", 4)
    change(path, "UPDATE image SET is_ok = 0")
    measure_run(path)
    with RunReader(path) as run:
        found = run.unit_measures(run.layers()[0])
    assert found is not None
    assert np.isnan(found.measures.selectivity_shifted).all()
