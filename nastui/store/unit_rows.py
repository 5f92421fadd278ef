"""What a run knows about its units: rows of `unit` and `footprint`, or the same measured from the tiles."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nastui.records import Bool, Float32, Float64, Footprints, ImageTable, Int32, UnitTable
from nastui.stats.measures import BasicMeasures, basic_measures, is_dead
from nastui.stats.ranges import count_ranges
from nastui.store.counts import encode_counts
from nastui.store.tiles import TILE_UNITS, TiledLayer, read_rows
from nastui.store.transactions import snapshot

_VALUES_AT_ONCE = 1 << 22  # 16 MB: the units of a run with very many images are looked at a few at a time

_COUNTS_A_ROW = 1 << 18
_MEASURES = tuple(field.name for field in fields(BasicMeasures))  # the columns of `unit` have the same names


@dataclass(frozen=True, slots=True)
class Sample:
    """The images that count. `is_ok` (N,): which decoded; `class_ids`: of those alone, in order."""

    is_ok: Bool
    class_ids: Int32
    n_classes: int

    @classmethod
    def of(cls, images: ImageTable, n_classes: int) -> Sample:
        return cls(images.is_ok, images.class_id[images.is_ok], n_classes)


@dataclass(frozen=True, slots=True)
class Block:
    """What is stored of some consecutive units; `counts` (U, m + 1, K)."""

    layer: TiledLayer
    units: range
    measures: BasicMeasures
    counts: Int32


def measure_units(
    connection: sqlite3.Connection, path: Path, layer: TiledLayer, units: range, sample: Sample
) -> BasicMeasures:
    """The basic measures of consecutive units, from their values."""
    return joined_measures([basic_measures(values) for values in read_parts(connection, path, layer, units, sample)])


def count_units(
    connection: sqlite3.Connection, path: Path, layer: TiledLayer, units: Sequence[int], sample: Sample, m: int
) -> Footprints:
    """The footprints of units in the order of `units`, from their values."""
    parts = read_parts(connection, path, layer, units, sample)
    found = [count_ranges(values, sample.class_ids, sample.n_classes, m) for values in parts]
    return _joined_footprints(m, found)


def write_block(connection: sqlite3.Connection, block: Block) -> None:
    """Write what was measured of some units."""
    columns = [getattr(block.measures, name).tolist() for name in _MEASURES]
    places = ", ".join(f"{name} = ?" for name in (*_MEASURES, "is_dead"))
    connection.executemany(
        f"UPDATE unit SET {places} WHERE basis_id = {block.layer.basis_id} AND number = ?",
        zip(*columns, is_dead(block.measures).tolist(), block.units, strict=True),
    )
    connection.executemany(
        "INSERT INTO footprint (basis_id, first_unit, n_units, encoding, counts) VALUES (?, ?, ?, ?, ?)",
        _footprint_rows(block),
    )


def read_unit_table(
    connection: sqlite3.Connection, layer: TiledLayer, reviewer: str | None, count: int | None = None
) -> UnitTable:
    """The stored measures of a layer's units, or of the first `count` of them."""
    n_units = layer.n_units if count is None else min(count, layer.n_units)
    return unit_table(read_basic(connection, layer, n_units), read_reviewed(connection, layer, reviewer)[:n_units])


def read_basic(connection: sqlite3.Connection, layer: TiledLayer, n_units: int) -> BasicMeasures:
    """The stored basic measures of a layer's first units."""
    rows = connection.execute(
        f"SELECT {', '.join(_MEASURES)} FROM unit WHERE basis_id = ? AND number < ? ORDER BY number",
        (layer.basis_id, n_units),
    ).fetchall()
    n, lo, hi, mean, std, density, zeros, non_finite = columns_of(rows, len(_MEASURES))
    counted = [column.astype(np.int64) for column in (n, zeros, non_finite)]
    return BasicMeasures(counted[0], lo, hi, mean, std, density, counted[1], counted[2])


def read_extremes(connection: sqlite3.Connection, basis_id: int) -> tuple[Float64, Float64]:
    """The stored lo and hi of a layer's units."""
    rows = connection.execute("SELECT lo, hi FROM unit WHERE basis_id = ? ORDER BY number", (basis_id,)).fetchall()
    lo, hi = columns_of(rows, 2)
    return lo, hi


def unit_table(measures: BasicMeasures, is_reviewed: Bool) -> UnitTable:
    """The measures with what reviewers did."""
    return UnitTable(**{name: getattr(measures, name) for name in _MEASURES}, is_reviewed=is_reviewed)


def read_reviewed(connection: sqlite3.Connection, layer: TiledLayer, reviewer: str | None) -> Bool:
    """Which of a layer's units have a verdict of the reviewer's, or of anyone's where that is None: (U,)."""
    is_reviewed = np.zeros(layer.n_units, dtype=np.bool_)
    rows = connection.execute(
        "SELECT number FROM unit WHERE basis_id = ?"
        " AND id IN (SELECT unit_id FROM verdict WHERE ?2 IS NULL OR reviewer = ?2)",
        (layer.basis_id, reviewer),
    )
    is_reviewed[[number for (number,) in rows]] = True
    return is_reviewed


def read_parts(
    connection: sqlite3.Connection, path: Path, layer: TiledLayer, units: Sequence[int], sample: Sample
) -> Iterator[Float32]:
    """The values of the images that count, a few units at a time: (units, images). Each part is a transaction."""
    step = max(1, min(TILE_UNITS, _VALUES_AT_ONCE // max(len(sample.is_ok), 1)))
    for start in range(0, max(len(units), 1), step):
        yield read_values(connection, path, layer, units[start : start + step], sample)


def read_values(
    connection: sqlite3.Connection, path: Path, layer: TiledLayer, units: Sequence[int], sample: Sample
) -> Float32:
    """The values of the images that count: (units, images)."""
    with snapshot(connection):
        values = read_rows(connection, path, layer, units, range(len(sample.is_ok)))
    return values if sample.is_ok.all() else values[:, sample.is_ok]


def units_in_a_row(m: int, n_classes: int) -> int:
    """How many units' counts go into one row, at most. A screen shows some 50 units: with many classes, fewer go into
    one row, so that fewer are read in vain."""
    return max(8, min(TILE_UNITS, _COUNTS_A_ROW // ((m + 1) * n_classes)))


def _footprint_rows(block: Block) -> Iterator[tuple[int, int, int, str, bytes]]:
    step = units_in_a_row(block.counts.shape[1] - 1, block.counts.shape[2])
    for start in range(0, len(block.counts), step):
        counts = block.counts[start : start + step]
        yield block.layer.basis_id, block.units[start], len(counts), *encode_counts(counts)


def joined_measures(parts: Sequence[BasicMeasures]) -> BasicMeasures:
    return BasicMeasures(*(np.concatenate([getattr(part, name) for part in parts]) for name in _MEASURES))


def _joined_footprints(m: int, parts: list[Footprints]) -> Footprints:
    names = ("edges", "n_ranges", "n_left", "counts")
    return Footprints(0, m, *(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def columns_of(rows: list[tuple[float | None, ...]], n_columns: int) -> NDArray[np.float64]:
    """The rows as columns, NaN where there is NULL."""
    return np.array(rows, dtype=np.float64).reshape(-1, n_columns).T
