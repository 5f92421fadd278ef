"""Reading what a part of a scan gave, as the engine handed it over, so that it can be written into the whole."""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Generator, Sequence
from contextlib import closing
from pathlib import Path

from nastui.records import Batch, Float32, ImageResult, Int32
from nastui.store.connection import leave_one_file, open_to_read
from nastui.store.faults import damaged, translated
from nastui.store.layer_rows import read_extent, read_tiled_layers
from nastui.store.tiles import TiledLayer, read_positions, read_values

_IMAGES_AT_ONCE = 128


def read_batches(path: Path, start: int) -> Generator[Batch, None, None]:
    """What the part at `path` holds from its image `start` on, some images at a time; ids are those of the part.

    Never more than a row of tiles is in memory. Raises NotARun where the part is not complete.
    """
    try:
        with closing(open_to_read(path)) as connection, translated(path):
            extent, layers = read_extent(connection), read_tiled_layers(connection)
            if extent.n_done != extent.n_images:
                raise damaged(path, f"{extent.n_images - extent.n_done:,} of its images were not looked at")
            for first in range(start - start % extent.tile_images, extent.n_images, extent.tile_images):
                row = range(first, min(first + extent.tile_images, extent.n_images))
                values = {layer.path: _values(connection, path, layer, row) for layer in layers}
                positions = {
                    layer.path: _positions(connection, path, layer, row) for layer in layers if layer.position_type
                }
                yield from _cut(connection, row, max(start, first), values, positions)
    finally:
        leave_one_file(path)


def _cut(
    connection: sqlite3.Connection, row: range, start: int, values: dict[str, Float32], positions: dict[str, Int32]
) -> Generator[Batch, None, None]:
    for first in range(start, row.stop, _IMAGES_AT_ONCE):
        images = range(first, min(first + _IMAGES_AT_ONCE, row.stop))
        rows = slice(images.start - row.start, images.stop - row.start)
        yield Batch(
            first,
            tuple(_read_results(connection, images)),
            {path: matrix[rows] for path, matrix in values.items()},
            {path: matrix[rows] for path, matrix in positions.items()},
        )


def _values(connection: sqlite3.Connection, path: Path, layer: TiledLayer, row: range) -> Float32:
    return read_values(connection, path, layer, range(layer.n_units), row).T


def _positions(connection: sqlite3.Connection, path: Path, layer: TiledLayer, row: range) -> Int32:
    return read_positions(connection, path, layer, range(layer.n_units), row).T


def _read_results(connection: sqlite3.Connection, images: range) -> list[ImageResult]:
    """What was found out about consecutive images, as `write_results` takes it."""
    rows = connection.execute(
        "SELECT data, width, height, sha256, top5, error FROM image LEFT JOIN thumbnail ON image_id = id"
        " WHERE id >= ? AND id < ? ORDER BY id",
        (images.start, images.stop),
    )
    return [
        ImageResult(thumbnail, width, height, sha256, _top5(top5), error)
        for thumbnail, width, height, sha256, top5, error in rows
    ]


def _top5(text: str | None) -> tuple[tuple[int, float], ...]:
    pairs: Sequence[tuple[int, float | None]] = json.loads(text or "[]")
    return tuple((output, math.nan if logit is None else logit) for output, logit in pairs)
