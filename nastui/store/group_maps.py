"""Where in an image the units of a basis answer, as it is stored: one map a basis and image."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import numpy as np

from nastui.records import Float32, LayerInfo
from nastui.store.connection import writing_once
from nastui.store.faults import damaged

_VALUES = np.dtype("<f4")


def read_group_map(connection: sqlite3.Connection, path: Path, layer: LayerInfo, image: int) -> Float32 | None:
    """The values of all units at every position of the layer's map for one image: (k, h, w); None where there are
    none."""
    row = connection.execute(
        "SELECT n_rows, n_columns, value_map FROM group_map WHERE basis_id = ? AND image_id = ?",
        (layer.basis_id, image),
    ).fetchone()
    if row is None:
        return None
    n_rows, n_columns, blob = row
    if len(blob) != layer.n_units * n_rows * n_columns * _VALUES.itemsize:
        raise damaged(path, f"the map of {layer.address} over image {image} has a wrong size")
    values: Float32 = np.frombuffer(blob, _VALUES).reshape(layer.n_units, n_rows, n_columns)
    return values


def write_group_map(path: Path, layer: LayerInfo, image: int, values: Float32) -> None:
    """Keep the map of a basis over an image, (k, h, w), in place of one that is there."""
    blob = np.ascontiguousarray(values, dtype=_VALUES).tobytes()
    with writing_once(path) as connection:
        connection.execute(
            "INSERT OR REPLACE INTO group_map (basis_id, image_id, n_rows, n_columns, value_map)"
            " VALUES (?, ?, ?, ?, ?)",
            (layer.basis_id, image, *values.shape[1:], blob),
        )
