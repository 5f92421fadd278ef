"""How large a run's file will be, and the pages that it is made of."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from nastui.records import Batch, ClassInfo, ImageResult, LayerSpec, ManifestImage
from nastui.store.connection import wal_of
from nastui.store.file_size import LARGE_PAGE, SMALL_PAGE, Contents, log_bytes, page_size, table_bytes, tile_bytes
from nastui.store.writer import RunWriter
from tests.store.small_scan import SPEC


def layer(n_units: int, *, has_positions: bool) -> LayerSpec:
    return LayerSpec("conv", "Conv2d", (n_units, 8, 8), n_units, has_positions)


def test_tiles_are_counted_in_whole_pages() -> None:
    values = 64 * 1000 * 4
    assert 0 <= tile_bytes([layer(64, has_positions=False)], 1000) - values < 2 * SMALL_PAGE
    with_positions = tile_bytes([layer(64, has_positions=True)], 1000)
    assert 0 <= with_positions - 64 * 1000 * 5 < 2 * SMALL_PAGE
    assert tile_bytes([layer(64, has_positions=False)], 0) == 0


@pytest.mark.parametrize("page", [SMALL_PAGE, LARGE_PAGE])
def test_rows_that_do_not_share_a_page_take_one_each(page: int) -> None:
    assert table_bytes([page * 6 // 10] * 7, page) == 7 * page
    assert table_bytes([page * 4 // 10] * 7, page) == 4 * page
    assert table_bytes([], page) == 0


@pytest.mark.parametrize(("n_images", "page"), [(1_500, SMALL_PAGE), (3_000, LARGE_PAGE)])
def test_pages_are_large_where_there_is_much_to_write(tmp_path: Path, n_images: int, page: int) -> None:
    layers = [LayerSpec("fc", "Linear", (3_000,), 3_000, has_positions=False)]
    images = [ManifestImage(0, f"{i}.png") for i in range(n_images)]
    values = np.random.default_rng(0).standard_normal((n_images, 3_000), dtype=np.float32)
    result = ImageResult(None, 8, 8, None, ())
    classes = [ClassInfo(0, "a", 0, n_images)]
    with RunWriter.create(tmp_path / "run.nas.db", SPEC, classes, ["a"], images, layers) as writer:
        writer.append(Batch(0, (result,) * n_images, {"fc": values}, {}))
    with closing(sqlite3.connect(tmp_path / "run.nas.db")) as database:
        assert database.execute("PRAGMA page_size").fetchone() == (page,)
        tiles, pages = database.execute(
            "SELECT sum(n_images * n_units * 4), (SELECT sum(pgsize) FROM dbstat WHERE name = 'activation')"
            " FROM activation"
        ).fetchone()
    assert tiles == values.nbytes
    assert page_size(layers, n_images) == page
    assert tile_bytes(layers, n_images) == pytest.approx(pages, rel=0.01)


def test_the_log_takes_no_more_than_is_said(tmp_path: Path) -> None:
    layers, n_images = [LayerSpec("fc", "Linear", (1_000,), 1_000, has_positions=False)], 3_000
    values = np.random.default_rng(0).standard_normal((n_images, 1_000), dtype=np.float32)
    images = [ManifestImage(0, f"{i}.png") for i in range(n_images)]
    result = ImageResult(b"\xff\xd8" * 500, 8, 8, None, ())
    said = log_bytes(Contents(layers, n_images, [1_000], len("1000.png"), [], 1))
    path, most = tmp_path / "run.nas.db", 0
    with RunWriter.create(path, SPEC, [ClassInfo(0, "a", 0, n_images)], ["a"], images, layers) as writer:
        for first in range(0, n_images, 50):
            writer.append(Batch(first, (result,) * 50, {"fc": values[first : first + 50]}, {}))
            if first % 200 == 0:
                writer.checkpoint()
            most = max(most, wal_of(path).stat().st_size)
        writer.finish()
        most = max(most, wal_of(path).stat().st_size)
    assert said / 3 < most <= said
