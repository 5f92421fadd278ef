"""What a run holds, as sums: two runs with the same sums hold the same, however they came about.

A run's file also says when, where and by which commands it was made, in what order things were written, and how tiles
were cut while a scan stopped and went on. None of that counts here.
"""

from __future__ import annotations

import hashlib
import sqlite3
import struct
import zlib
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from nastui.store.connection import leave_one_file, open_to_read
from nastui.store.faults import translated
from nastui.store.layer_rows import read_extent
from nastui.store.tiles import TiledLayer, read_positions, read_values
from nastui.store.transactions import snapshot

_VALUES_AT_ONCE = 1 << 22  # 16 MB

# When something happened, by what command, and how tiles are cut.
_NO_CONTENT = {"created", "finished", "command", "versions", "tile_images"}
# What was given for model, weights and images, and how the model was run: their sums and the values stand for them.
_GIVEN = {"run": {"model", "weights", "data", "data_root", "computing"}}
# Tables whose `id` means something; others number their rows as they come.
_NUMBERED = {"run", "output", "class", "image", "layer"}
# The history of a review, where a reviewer left off, and tiles, whose values are summed instead.
_LEFT_OUT = {"event", "standing", "activation"}

_BASIS = "SELECT path || '/' || basis.name FROM basis JOIN layer ON layer.id = layer_id WHERE basis.id = "
_UNIT = (
    "SELECT path || '/' || basis.name || ':' || number FROM unit JOIN basis ON basis.id = basis_id"
    " JOIN layer ON layer.id = layer_id WHERE unit.id = "
)
_ABLATION = (
    "SELECT json_array(path, basis.name, ranking, seed, unit, removal) FROM ablation"
    " JOIN basis ON basis.id = basis_id JOIN layer ON layer.id = layer_id WHERE ablation.id = "
)
# What is packed: not every zlib packs alike.
_PACKED = {("footprint", "counts")}
# What stands for a reference to a row whose number means nothing.
_NAMES = {
    "basis": _BASIS,
    "unit": _UNIT,
    "ablation": _ABLATION,
    "layer": "SELECT path FROM layer WHERE id = ",
    "probe": "SELECT sha256 FROM probe WHERE id = ",
}


@dataclass(frozen=True, slots=True)
class Content:
    """`sha256` over all that a run holds, and by the name of each table over that table: where two runs differ."""

    sha256: str
    tables: dict[str, str]


def read_content(path: Path) -> Content:
    """Sum up the run at `path`; this reads all of it.

    A row's sum is the sha256 over its values, a table's that over its columns' names and its rows' sums in ascending
    order, so that no order and no number that was only handed out has a part in it. References are taken by name
    (`features.0/neuron:3`). Activations are summed unit by unit over all images, whatever tiles they lie in. Left out
    are times, commands, versions, what was typed for model, weights and images (their own sums count), how the model
    was run, the log of a review, where a reviewer left off, and bases that are still being computed.
    """
    with closing(open_to_read(path)) as connection, translated(path), snapshot(connection):
        connection.create_function("unpacked", 1, zlib.decompress, deterministic=True)
        names = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").fetchall()
        tables = {name: _table_sha256(connection, name) for (name,) in names if name not in _LEFT_OUT}
        tables["activation"] = _activations_sha256(connection, path)
    leave_one_file(path)
    tables = dict(sorted(tables.items()))
    whole = hashlib.sha256()
    for name, sha256 in tables.items():
        whole.update(f"{name} {sha256}\n".encode())
    return Content(whole.hexdigest(), tables)


def _table_sha256(connection: sqlite3.Connection, table: str) -> str:
    references = {row[3]: row[2] for row in connection.execute(f"PRAGMA foreign_key_list({table})")}
    left_out = _NO_CONTENT | _GIVEN.get(table, set()) | (set() if table in _NUMBERED else {"id"})
    known = sorted(row[1] for row in connection.execute(f"PRAGMA table_info({table})"))
    columns = [name for name in known if name not in left_out]
    read = [_named(table, name, references.get(name)) for name in columns]
    rows = connection.execute(f"SELECT {', '.join(read)} FROM {table}{_complete(table, columns)}")
    return _sum_of(columns, (_row_sha256(row) for row in rows))


def _named(table: str, column: str, referred: str | None) -> str:
    """The column, unpacked, or what the row that it refers to is called."""
    if (table, column) in _PACKED:
        return f"unpacked({column})"
    return f"({_NAMES[referred]}{table}.{column})" if referred in _NAMES else f"{table}.{column}"


def _complete(table: str, columns: Sequence[str]) -> str:
    """The condition that leaves out what belongs to a basis that is being computed."""
    if table == "basis":
        return " WHERE is_complete"
    return " WHERE basis_id IN (SELECT id FROM basis WHERE is_complete)" if "basis_id" in columns else ""


def _activations_sha256(connection: sqlite3.Connection, path: Path) -> str:
    layers = connection.execute(
        "SELECT path, basis.id, n_units, position_type, value_type, basis.name"
        " FROM basis JOIN layer ON layer.id = layer_id WHERE is_complete"
    ).fetchall()
    n_images = read_extent(connection).n_images
    sums = []
    for *tiled, basis in layers:
        layer = TiledLayer(*tiled)
        sums.append(_row_sha256((layer.path, basis, *_layer_sha256s(connection, path, layer, n_images))))
    return _sum_of(("layer", "basis", "values", "positions"), sums)


def _layer_sha256s(
    connection: sqlite3.Connection, path: Path, layer: TiledLayer, n_images: int
) -> tuple[str, str | None]:
    """The sums over a layer's values and positions, unit by unit: little-endian float32 and int32; -1: nowhere."""
    values, positions = hashlib.sha256(), hashlib.sha256()
    step = max(1, _VALUES_AT_ONCE // max(n_images, 1))
    for first in range(0, layer.n_units, step):
        units = range(first, min(first + step, layer.n_units))
        values.update(read_values(connection, path, layer, units, range(n_images)).astype("<f4").tobytes())
        if layer.position_type is not None:
            positions.update(read_positions(connection, path, layer, units, range(n_images)).astype("<i4").tobytes())
    return values.hexdigest(), None if layer.position_type is None else positions.hexdigest()


def _sum_of(columns: Sequence[str], rows: Iterable[bytes]) -> str:
    whole = hashlib.sha256(" ".join(columns).encode())
    for row in sorted(rows):
        whole.update(row)
    return whole.hexdigest()


def _row_sha256(row: Sequence[object]) -> bytes:
    digest = hashlib.sha256()
    for part in map(_encoded, row):
        digest.update(part)
    return digest.digest()


def _encoded(value: object) -> bytes:
    """A value of SQLite's so that no two have the same: its type, its length in bytes, and itself."""
    match value:
        case None:
            kind, data = b"n", b""
        case int():
            kind, data = b"i", str(value).encode()
        case float():
            kind, data = b"r", struct.pack("<d", value)
        case str():
            kind, data = b"t", value.encode("utf-8", "surrogateescape")
        case bytes():
            kind, data = b"b", value
        case _:
            raise TypeError(f"SQLite gives no {type(value).__name__}")
    return kind + len(data).to_bytes(8, "little") + data
