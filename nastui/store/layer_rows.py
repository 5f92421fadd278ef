"""What a run knows about itself, its classes and its layers: rows of `run`, `class`, `layer` and `basis`."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass, fields
from pathlib import Path

from nastui.errors import AddressNotFound
from nastui.records import NEURON, ClassInfo, LayerInfo, ReceptiveField, RunInfo, RunSpec, TokenGrid
from nastui.store.image_rows import Score, read_score
from nastui.store.tiles import TiledLayer

_TILED = "SELECT path, basis.id, n_units, position_type, value_type FROM basis JOIN layer ON layer.id = layer_id"
FIELD_COLUMNS = tuple(f"field_{field.name}" for field in fields(ReceptiveField))
_SPEC = [field.name for field in fields(RunSpec)]
_RUN = ("created", "finished", "n_images", "n_done", "n_failed", "n_matched", "top1")


@dataclass(frozen=True, slots=True)
class Extent:
    """How far a run goes and how far it got: what reading values and footprints needs of it."""

    n_images: int
    n_done: int
    ranges: int
    tile_images: int
    is_finished: bool


def read_extent(connection: sqlite3.Connection) -> Extent:
    row = connection.execute("SELECT n_images, n_done, ranges, tile_images, finished IS NOT NULL FROM run").fetchone()
    return Extent(row[0], row[1], row[2], row[3], bool(row[4]))


def read_run(connection: sqlite3.Connection, path: Path) -> RunInfo:
    """The run as a whole; how its images came out is counted as long as it is not finished."""
    row = connection.execute(f"SELECT {', '.join((*_SPEC, *_RUN))} FROM run").fetchone()
    values = dict(zip((*_SPEC, *_RUN), row, strict=True))
    spec = RunSpec(**{**{name: values[name] for name in _SPEC}, "versions": json.loads(values["versions"])})
    if values["finished"] is None:
        score = read_score(connection)
    else:
        score = Score(values["n_failed"], values["n_matched"], values["top1"])
    return RunInfo(
        path=path,
        created=values["created"],
        finished=values["finished"],
        spec=spec,
        n_images=values["n_images"],
        n_done=values["n_done"],
        n_failed=score.n_failed,
        n_matched=score.n_matched,
        top1=score.top1,
    )


def read_classes(connection: sqlite3.Connection) -> tuple[ClassInfo, ...]:
    """All classes by id."""
    rows = connection.execute("SELECT id, name, output_id, n_images FROM class ORDER BY id")
    return tuple(ClassInfo(*row) for row in rows)


def count_classes(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT count(*) FROM class").fetchone()[0])


def read_layers(connection: sqlite3.Connection, reviewer: str | None) -> tuple[LayerInfo, ...]:
    """All layers in the model's order, each along each of its bases. `reviewer`: whose verdicts count; None: all."""
    rows = connection.execute(
        "SELECT layer.id, path, type, shape, basis.id, basis.name, n_units,"
        " (SELECT CASE WHEN count(*) = count(is_dead) THEN sum(is_dead) END FROM unit WHERE basis_id = basis.id),"
        " (SELECT count(DISTINCT unit_id) FROM verdict JOIN unit ON unit.id = unit_id"
        "  WHERE basis_id = basis.id AND (?1 IS NULL OR reviewer = ?1))"
        f", unit_dim, tokens, token_grid, value_type, {', '.join(FIELD_COLUMNS)}"
        " FROM basis JOIN layer ON layer.id = basis.layer_id WHERE is_complete ORDER BY layer.id, basis.id",
        (reviewer,),
    )
    return tuple(
        LayerInfo(
            id=layer_id,
            path=path,
            type=kind,
            shape=tuple(json.loads(shape)),
            basis_id=basis_id,
            basis=basis,
            n_units=n_units,
            n_dead=n_dead,
            n_reviewed=n_reviewed,
            unit_dim=unit_dim,
            tokens=tokens,
            token_grid=None if token_grid is None else TokenGrid(*json.loads(token_grid)),
            value_type=value_type,
            field=None if field[0] is None or basis != NEURON else ReceptiveField(*field),
        )
        for layer_id, path, kind, shape, basis_id, basis, n_units, n_dead, n_reviewed, *more in rows
        for unit_dim, tokens, token_grid, value_type, *field in (more,)
    )


def read_tiled_layers(connection: sqlite3.Connection) -> list[TiledLayer]:
    """Where the tiles of all layers that were scanned are, in the model's order."""
    rows = connection.execute(f"{_TILED} WHERE basis.name = ? ORDER BY layer.id", (NEURON,))
    return [TiledLayer(*row) for row in rows]


def read_tiled_bases(connection: sqlite3.Connection) -> list[TiledLayer]:
    """Where the tiles of all layers are along each of their bases, neurons first; of one that is being computed too."""
    return [TiledLayer(*row) for row in connection.execute(f"{_TILED} ORDER BY layer.id, basis.id")]


def read_tiled_layer(connection: sqlite3.Connection, basis_id: int) -> TiledLayer:
    """Where the tiles of a layer along a basis are. Raises AddressNotFound where that was replaced."""
    row = connection.execute(f"{_TILED} WHERE basis.id = ?", (basis_id,)).fetchone()
    if row is None:
        raise AddressNotFound("This basis of the layer was replaced meanwhile.", hint="Open the run again.")
    return TiledLayer(*row)
