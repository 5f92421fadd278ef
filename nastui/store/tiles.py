"""Activations as tiles: the values of up to 64 neighbouring units for consecutive images, unit by unit, in one BLOB.

A tile is written as soon as its images fill it; images that wait for their tile to fill lie in shorter ones meanwhile.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from nastui.records import Float32, Int32, LayerSpec, ValueType
from nastui.store.faults import damaged
from nastui.store.half_precision import to_float32

TILE_UNITS = 64
TILE_IMAGES = 1024

_ROW_BYTES = 128 << 20  # of a row of tiles, which is kept in memory while it fills
_POSITION_TYPES = ("uint8", "uint16", "uint32")
_VALUES: dict[ValueType, np.dtype[Any]] = {"float32": np.dtype("<f4"), "float16": np.dtype("<f2")}

Tile = NDArray[Any]
TileName = Literal["value_tile", "position_tile"]


@dataclass(frozen=True, slots=True)
class TiledLayer:
    """Where a layer's tiles are: its basis, how many units wide, the types of its positions (None: it has none) and
    its values."""

    path: str
    basis_id: int
    n_units: int
    position_type: str | None
    value_type: ValueType = "float32"


def position_type(layer: LayerSpec) -> str | None:
    """The smallest type that holds every place in a unit's map and one number more, which means none."""
    if not layer.has_positions:
        return None
    map_size = int(np.prod(layer.shape)) // layer.n_units
    return next(name for name in _POSITION_TYPES if map_size <= np.iinfo(name).max)


def images_in_a_tile(layers: Sequence[LayerSpec]) -> int:
    """How many images a row of tiles may hold without taking more than 128 MB of memory."""
    per_image = image_bytes(layers)
    images = TILE_IMAGES
    while images > 1 and images * per_image > _ROW_BYTES:
        images //= 2
    return images


def image_bytes(layers: Iterable[LayerSpec]) -> int:
    """Bytes of an image's values and positions as they are stored, in all layers."""
    return sum(layer.n_units * bytes_of_a_value(layer) for layer in layers)


def bytes_of_a_value(layer: LayerSpec) -> int:
    """As it is stored, with its position."""
    name = position_type(layer)
    return _VALUES[layer.value_type].itemsize + (0 if name is None else np.dtype(name).itemsize)


def remove_tiles(connection: sqlite3.Connection, layer: TiledLayer, first_image: int) -> None:
    """Remove the tiles of the images from `first_image` on."""
    connection.execute("DELETE FROM activation WHERE basis_id = ? AND first_image >= ?", (layer.basis_id, first_image))


def write_tiles(
    connection: sqlite3.Connection, layer: TiledLayer, first_image: int, values: Tile, positions: Tile | None
) -> None:
    """Write the tiles of consecutive images: `values` (n, U) and `positions` (n, U) in the layer's types, the latter
    None where it has none."""
    connection.executemany(
        "INSERT INTO activation (basis_id, first_unit, first_image, n_units, n_images, value_tile, position_tile)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        _rows(layer.basis_id, first_image, values, positions),
    )


def _rows(
    basis_id: int, first_image: int, values: Tile, positions: Tile | None
) -> Iterator[tuple[int, int, int, int, int, Tile, Tile | None]]:
    n_images, n_units = values.shape
    for first in range(0, n_units, TILE_UNITS):
        tile = _unit_major(values, first)
        places = None if positions is None else _unit_major(positions, first)
        yield basis_id, first, first_image, len(tile), n_images, tile, places


def _unit_major(matrix: Tile, first: int) -> Tile:
    tile = np.ascontiguousarray(matrix[:, first : first + TILE_UNITS].T)
    return tile.astype(tile.dtype.newbyteorder("<"), copy=False)


def read_values(connection: sqlite3.Connection, path: Path, layer: TiledLayer, units: range, images: range) -> Float32:
    """The values of consecutive units: (units, images) float32, NaN where there is none yet.

    `images` begins and ends where a row of tiles does, or with the run.
    """
    out = np.full((len(units), len(images)), np.nan, dtype=np.float32)
    _fill(out, _VALUES[layer.value_type], connection, path, layer, "value_tile", units, images)
    return out


def read_rows(
    connection: sqlite3.Connection, path: Path, layer: TiledLayer, units: Sequence[int], images: range
) -> Float32:
    """The values of any units, in the order of `units`: (units, images) float32. `images` as above."""
    out = np.full((len(units), len(images)), np.nan, dtype=np.float32)
    dtype = _VALUES[layer.value_type]
    for at, run in _runs(units):
        _fill(out[at : at + len(run)], dtype, connection, path, layer, "value_tile", run, images)
    return out


def read_image_values(connection: sqlite3.Connection, path: Path, layer: TiledLayer, image: int) -> Float32:
    """The values of all units for one image: (U,) float32, NaN where there is none yet. One tile at a time is read."""
    out = np.full(layer.n_units, np.nan, dtype=np.float32)
    units, images, dtype = range(layer.n_units), range(image, image + 1), _VALUES[layer.value_type]
    for at, first_image, part in _parts(dtype, connection, path, layer, "value_tile", units, images):
        out[at.start : at.stop] = part[:, image - first_image]
    return out


def read_positions(connection: sqlite3.Connection, path: Path, layer: TiledLayer, units: range, images: range) -> Int32:
    """The positions of consecutive units: (units, images) int32, -1 where there is none. `images` as above."""
    assert layer.position_type is not None
    none = np.iinfo(layer.position_type).max
    raw = np.full((len(units), len(images)), none, dtype=layer.position_type)
    _fill(raw, raw.dtype.newbyteorder("<"), connection, path, layer, "position_tile", units, images)
    return unpack_positions(raw)


def pack_positions(positions: Int32, name: str) -> Tile:
    """Positions in the layer's type; -1 becomes its highest number, which means none."""
    lowest, highest = int(np.min(positions, initial=-1)), int(np.max(positions, initial=-1))
    if highest >= np.iinfo(name).max or lowest < -1:
        raise ValueError(f"a position of {max(highest, lowest, key=abs)} does not lie in the layer's map")
    return positions.astype(name)  # which is what becomes of the bits of -1


def unpack_positions(packed: Tile) -> Int32:
    """What `pack_positions` was given."""
    return np.where(packed == np.iinfo(packed.dtype).max, -1, packed.astype(np.int64)).astype(np.int32)


def _runs(units: Sequence[int]) -> Iterator[tuple[int, range]]:
    """Where in `units` numbers begin that follow each other, and those numbers."""
    start = 0
    for at in range(1, len(units) + 1):
        if at == len(units) or units[at] != units[at - 1] + 1:
            yield start, range(units[start], units[start] + at - start)
            start = at


def _fill(
    out: Tile,
    dtype: np.dtype[Any],
    connection: sqlite3.Connection,
    path: Path,
    layer: TiledLayer,
    name: TileName,
    units: range,
    images: range,
) -> None:
    """Copy the parts of the tiles that `out` (units, images) covers into it."""
    for at, first_image, part in _parts(dtype, connection, path, layer, name, units, images):
        first = first_image - images.start
        if first < 0 or first + part.shape[1] > len(images):
            raise damaged(path, f"the tile at {layer.path}:{at.start}, image {first_image} lies in a wrong place")
        out[at.start - units.start : at.stop - units.start, first : first + part.shape[1]] = part


def _parts(
    dtype: np.dtype[Any],
    connection: sqlite3.Connection,
    path: Path,
    layer: TiledLayer,
    name: TileName,
    units: range,
    images: range,
) -> Iterator[tuple[range, int, Tile]]:
    """The tiles of numbers of `dtype` that hold some of these units and images, one at a time and without their other
    units. Each as its units, its first image and (units, n_images), float32 where they are float16.
    """
    tiles = connection.execute(
        "SELECT id, first_unit, first_image, n_units, n_images FROM activation"
        " WHERE basis_id = ? AND first_unit > ? AND first_unit < ? AND first_image + n_images > ? AND first_image < ?",
        (layer.basis_id, units.start - TILE_UNITS, units.stop, images.start, images.stop),
    ).fetchall()
    for tile_id, first_unit, first_image, n_units, n_images in tiles:
        start, stop = max(units.start, first_unit), min(units.stop, first_unit + n_units)
        if start >= stop:
            continue
        unit_bytes = n_images * dtype.itemsize
        # A part of a BLOB is read without the rest: one unit of 10,000 images is 40 KB of 2.5 MB.
        with connection.blobopen("activation", name, tile_id, readonly=True) as blob:
            if len(blob) != n_units * unit_bytes:
                raise damaged(path, f"the tile at {layer.path}:{first_unit}, image {first_image} has a wrong size")
            blob.seek((start - first_unit) * unit_bytes)
            part = np.frombuffer(blob.read((stop - start) * unit_bytes), dtype).reshape(stop - start, n_images)
        yield range(start, stop), first_image, to_float32(part) if dtype == _VALUES["float16"] else part
