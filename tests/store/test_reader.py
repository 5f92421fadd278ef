"""What a run's file gives back: finished, half done, asked from several threads."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import threading
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from nastui.errors import AddressNotFound, NotARun, UsageError
from nastui.records import Batch, Footprints, ImageResult, ImageTable, LayerInfo, LayerSpec, ManifestImage
from nastui.stats.measures import basic_measures
from nastui.stats.ranges import count_ranges
from nastui.store import tiles
from nastui.store.connection import wal_of
from nastui.store.reader import RunReader
from nastui.store.writer import RunWriter
from tests.store.small_scan import (
    CLASSES,
    LAYERS,
    OUTPUTS,
    SPEC,
    append,
    change,
    create,
    is_failed,
    make_run,
    positions,
    values,
)

N = 40
DECODED = [image for image in range(N) if not is_failed(image)]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_run(tmp_path_factory.mktemp("finished") / "small.nas.db", N)


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_run(tmp_path_factory.mktemp("stopped") / "small.nas.db", N, n_done=25)


def expected_footprints(path: str, images: list[int], m: int) -> Footprints:
    class_ids = np.array([image % 3 for image in images])
    return count_ranges(values(path, N)[images].T, class_ids, len(CLASSES), m)


def assert_same_footprints(found: Footprints, expected: Footprints, units: slice) -> None:
    assert found.first_unit == units.start
    for name in ("edges", "n_ranges", "n_left", "counts"):
        assert np.array_equal(getattr(found, name), getattr(expected, name)[units], equal_nan=name == "edges"), name


def test_the_run_says_what_it_is(finished: Path) -> None:
    with RunReader(finished) as run:
        info = run.info()
    assert info.spec == SPEC
    assert info.name == "small"
    assert info.finished is not None
    assert info.finished.endswith("Z")
    assert (info.n_images, info.n_done, info.n_failed) == (N, N, 4)


def test_accuracy_counts_only_where_something_can_be_claimed(finished: Path) -> None:
    # Image i is of class i % 3; classes 0 and 1 stand for outputs 0 and 2, class 2 for none. Predicted: i % 4.
    claimed = [image for image in DECODED if image % 3 < 2 and image != 10]
    right = [image for image in claimed if image % 4 == (0, 2)[image % 3]]
    with RunReader(finished) as run:
        info = run.info()
        table = run.image_table()
    assert (info.n_matched, info.top1) == (len(claimed), len(right) / len(claimed))
    assert np.flatnonzero(table.is_wrong).tolist() == sorted(set(claimed) - set(right))


def test_images_come_in_the_order_asked_for(finished: Path) -> None:
    with RunReader(finished) as run:
        image, failed, unmatched = run.images([7, 5, 2])
    assert (image.id, image.class_name, image.source) == (7, "ice_cream", "photos/00007.jpg")
    assert (image.width, image.height) == (507, 375)
    assert image.top5 == (("output 3", 3.5), ("tench", 1.25))  # output 3 has no name
    assert (image.predicted, image.is_wrong) == ("output 3", True)
    assert (failed.error, failed.predicted, failed.top5) == ("cannot identify image file", None, ())
    assert (unmatched.predicted, unmatched.is_wrong) == ("ice cream", None)


def test_an_unknown_image_is_named(finished: Path) -> None:
    with RunReader(finished) as run, pytest.raises(AddressNotFound, match=r"no image 40 .*\n.* 0 to 39"):
        run.images([1, 40])


def test_classes_know_how_many_images_they_have(finished: Path) -> None:
    with RunReader(finished) as run:
        assert [(c.name, c.output, c.n_images) for c in run.classes()] == [
            ("tench", 0, 14),
            ("ice_cream", 2, 13),
            ("my cat", None, 13),
        ]
        assert run.outputs() == ("tench", "goldfish", "ice cream", "output 3")


def test_thumbnails_come_for_images_that_have_one(finished: Path) -> None:
    with RunReader(finished) as run:
        assert run.thumbnails([4, 5, 6]) == {4: b"\xff\xd8\x04", 6: b"\xff\xd8\x06"}


def test_layers_stand_in_the_models_order(finished: Path) -> None:
    with RunReader(finished) as run:
        layers = run.layers()
    assert [(layer.path, layer.type, layer.shape, layer.n_units, layer.field) for layer in layers] == [
        (layer.path, layer.type, layer.shape, layer.n_units, layer.field) for layer in LAYERS
    ]
    assert layers[0].field is not None
    assert [layer.n_dead for layer in layers] == [2, 2, 2]
    assert [str(layer.address) for layer in layers] == ["features.0", "features.3", "classifier.1#2"]


def test_a_layer_that_is_not_there_brings_the_nearest_names(finished: Path) -> None:
    with RunReader(finished) as run:
        with pytest.raises(
            AddressNotFound, match=r"no layer 'feature\.3' in small\.nas\.db\.\nDid you mean features\.3"
        ):
            run.layer("feature.3")
        with pytest.raises(AddressNotFound, match=r"features\.3/pca"):
            run.layer("features.3", "pca")


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: layer.path)
def test_values_and_positions_come_back_as_they_went_in(finished: Path, layer: LayerSpec) -> None:
    expected = values(layer.path, N).copy()
    expected[[image for image in range(N) if is_failed(image)]] = np.nan
    with RunReader(finished) as run:
        found = run.layer(layer.path)
        assert np.array_equal(run.activations(found), expected, equal_nan=True)
        last = found.n_units - 1
        assert np.array_equal(run.values(found, last), expected[:, last], equal_nan=True)
        assert np.array_equal(run.values_block(found, 1, 2), expected[:, 1:3].T, equal_nan=True)
        places = run.positions(found, last)
        if not layer.has_positions:
            assert places is None
        else:
            assert places is not None
            assert np.array_equal(places[DECODED], positions(layer.path, N)[DECODED, last])
            assert places[5] == -1


@pytest.mark.parametrize("unit", [-1, 130])
def test_a_unit_that_is_not_there_is_named(finished: Path, unit: int) -> None:
    with RunReader(finished) as run, pytest.raises(AddressNotFound, match=rf"#2 has no unit {unit}\.\n.* 0 to 129"):
        run.values(run.layer("classifier.1#2"), unit)


@pytest.mark.parametrize("first", [0, 50, 100])
@pytest.mark.parametrize("m", [None, 6, 9])
def test_footprints_are_those_of_the_values(finished: Path, first: int, m: int | None) -> None:
    with RunReader(finished) as run:
        found = run.footprints(run.layer("classifier.1#2"), first, 60, m)
    expected = expected_footprints("classifier.1#2", DECODED, m or SPEC.ranges)
    assert_same_footprints(found, expected, slice(first, min(first + 60, 130)))


@pytest.mark.parametrize("m", [0, 40_000])
def test_a_number_of_ranges_that_cannot_be_counted_is_refused(finished: Path, m: int) -> None:
    with RunReader(finished) as run, pytest.raises(UsageError, match=rf"{m:,} ranges.*\n.* 1 to 200"):
        run.footprints(run.layer("features.0"), 0, 3, m)


def test_stored_footprints_need_no_values(finished: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.nas.db"
    copy.write_bytes(finished.read_bytes())
    change(copy, "DELETE FROM activation")
    with RunReader(copy) as run:
        found = run.footprints(run.layer("features.3"), 0, 70)
    assert_same_footprints(found, expected_footprints("features.3", DECODED, SPEC.ranges), slice(0, 70))


def test_measures_are_those_of_the_decoded_images(finished: Path) -> None:
    expected = basic_measures(values("features.3", N)[DECODED].T)
    with RunReader(finished) as run:
        table = run.unit_table(run.layer("features.3"))
    for name in ("n", "lo", "hi", "mean", "std", "density", "zeros", "non_finite"):
        assert np.array_equal(getattr(table, name), getattr(expected, name), equal_nan=True), name


def test_a_stopped_run_shows_what_it_has(stopped: Path) -> None:
    done = [image for image in DECODED if image < 25]
    with RunReader(stopped) as run:
        info = run.info()
        layer = run.layer("features.3")
        table = run.unit_table(layer)
        images = run.image_table()
        assert_same_footprints(run.footprints(layer, 5, 65), expected_footprints("features.3", done, 6), slice(5, 70))
    assert (info.finished, info.n_done, info.n_failed, info.n_images) == (None, 25, 2, N)
    assert layer.n_dead is None
    assert np.array_equal(table.mean, basic_measures(values("features.3", N)[done].T).mean, equal_nan=True)
    assert np.flatnonzero(images.is_ok).tolist() == done
    assert len(images.class_id) == N


def test_a_run_without_an_image_done_can_be_looked_at(tmp_path: Path) -> None:
    with RunReader(make_run(tmp_path / "empty.nas.db", N, n_done=0)) as run:
        layer = run.layer("features.0")
        assert run.info().top1 is None
        assert run.unit_table(layer).n.tolist() == [0, 0, 0]
        assert run.footprints(layer, 0, 3).n_ranges.tolist() == [0, 0, 0]


def test_reviewed_units_are_counted(finished: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.nas.db"
    copy.write_bytes(finished.read_bytes())
    for reviewer in ("ada", "grace"):
        change(
            copy,
            "INSERT INTO verdict (unit_id, verdict, reviewer, created)"
            f" SELECT id, 'odd', '{reviewer}', '2026-01-01T00:00:00Z' FROM unit WHERE basis_id = 2 AND number = 4",
        )
    with RunReader(copy) as run:
        assert [layer.n_reviewed for layer in run.layers()] == [0, 1, 0]
        assert np.flatnonzero(run.unit_table(run.layer("features.3")).is_reviewed).tolist() == [4]


@pytest.mark.parametrize("n_done", [None, 25])
def test_reading_leaves_the_folder_as_it_was(tmp_path: Path, n_done: int | None) -> None:
    path = make_run(tmp_path / "run.nas.db", N, n_done)
    before = hashlib.sha256(path.read_bytes()).hexdigest()
    assert [file.name for file in tmp_path.iterdir()] == ["run.nas.db"]
    with RunReader(path) as run:
        run.unit_table(run.layer("features.0"))
    assert [file.name for file in tmp_path.iterdir()] == ["run.nas.db"]
    assert hashlib.sha256(path.read_bytes()).hexdigest() == before


def test_threads_read_while_the_scan_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiles, "TILE_IMAGES", 256)
    n_images = 600  # two whole rows of tiles and a part of one
    writer = create(tmp_path / "run.nas.db", n_images)
    is_over = threading.Event()
    problems: list[BaseException] = []

    def look(run: RunReader, layer: LayerInfo) -> None:
        n_done = 0
        expected = values(layer.path, n_images)
        try:
            while not is_over.is_set():
                info = run.info()
                assert info.n_done >= n_done
                n_done = info.n_done
                images: ImageTable = run.image_table()
                rows = np.flatnonzero(images.is_ok)
                assert np.array_equal(run.activations(layer)[rows], expected[rows], equal_nan=True)
                assert run.footprints(layer, 0, layer.n_units).counts.sum() > 0 or n_done == 0
        except BaseException as exc:
            problems.append(exc)

    with RunReader(tmp_path / "run.nas.db") as run:
        threads = [threading.Thread(target=look, args=(run, layer)) for layer in run.layers()]
        for thread in threads:
            thread.start()
        while writer.n_done < n_images:
            append(writer, 60, n_images)
            writer.checkpoint()
        writer.finish()
        writer.close()
        is_over.set()
        for thread in threads:
            thread.join()
    assert problems == []


def test_one_image_is_read_across_all_units(finished: Path, stopped: Path) -> None:
    for path in (finished, stopped):
        with RunReader(path) as run:
            for layer in run.layers():
                for image in (0, 7, 24):
                    expected = values(layer.path, N)[image] if not is_failed(image) else np.nan
                    assert np.array_equal(
                        run.image_values(layer, image), np.broadcast_to(expected, layer.n_units), equal_nan=True
                    )


def test_a_reader_that_nobody_closes_leaves_nothing_either(tmp_path: Path) -> None:
    path = make_run(tmp_path / "run.nas.db", N)
    RunReader(path).info()
    assert [file.name for file in tmp_path.iterdir()] == ["run.nas.db"]
    code = f"import nastui; run = nastui.open_run({str(path)!r}); print(run.info().n_done)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert (done.stdout, done.stderr) == (f"{N}\n", "")
    assert [file.name for file in tmp_path.iterdir()] == ["run.nas.db"]


def test_the_last_reader_merges_what_a_killed_writer_left(tmp_path: Path) -> None:
    path, copy = tmp_path / "run.nas.db", tmp_path / "copy.nas.db"
    with create(path, N) as writer:
        append(writer, 25, N)
        writer.checkpoint()
        copy.write_bytes(path.read_bytes())
        wal_of(copy).write_bytes(wal_of(path).read_bytes())
    with RunReader(copy) as run:
        assert run.info().n_done == 25
    assert not wal_of(copy).exists()
    with RunReader(copy) as run:
        assert run.info().n_done == 25


def test_an_image_of_a_later_row_of_tiles_is_found(tmp_path: Path) -> None:
    n = 1_030
    with RunReader(make_run(tmp_path / "long.nas.db", n)) as run:
        layer = run.layers()[0]
        for image in (1_023, 1_024, 1_029):
            assert np.array_equal(run.image_values(layer, image), values(layer.path, n)[image], equal_nan=True)
        with pytest.raises(AddressNotFound, match="no image 1030"):
            run.image_values(layer, n)


def test_one_image_of_a_wide_layer_takes_the_memory_of_a_tile(tmp_path: Path) -> None:
    n_images, n_units = 1_024, 2_048  # 8 MB of values, in 32 tiles of 256 KB
    layer = LayerSpec("wide", "Linear", (n_units,), n_units, has_positions=False)
    wide = np.random.default_rng(0).standard_normal((n_images, n_units), dtype=np.float32)
    images = [ManifestImage(0, str(i)) for i in range(n_images)]
    results = (ImageResult(None, 8, 8, None, ()),) * n_images
    with RunWriter.create(tmp_path / "wide.nas.db", SPEC, CLASSES, OUTPUTS, images, [layer]) as writer:
        writer.append(Batch(0, results, {"wide": wide}, {}))
        writer.finish()
    with RunReader(tmp_path / "wide.nas.db") as run:
        tracemalloc.start()
        try:
            found = run.image_values(run.layer("wide"), 1_000)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert np.array_equal(found, wide[1_000])
    assert peak < 1_000_000


def test_a_run_replaced_while_it_is_open_is_never_mixed_with_the_new_one(tmp_path: Path) -> None:
    path = make_run(tmp_path / "run.nas.db", N)
    with RunReader(path) as run, ThreadPoolExecutor(1) as another_thread:
        before = run.info().created
        create(path, N, force=True, model="torchvision:vgg16").close()
        with pytest.raises(NotARun, match=r"run\.nas\.db was replaced while it was open\.\nOpen it again"):
            another_thread.submit(run.info).result()
        assert (run.info().created, run.info().spec) == (before, SPEC)
    with RunReader(path) as again:
        assert again.info().spec.model == "torchvision:vgg16"
