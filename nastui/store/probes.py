"""Probes in a run's file: written one by one in short transactions, beside scans and reviewers, and read."""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np

from nastui.errors import AddressNotFound
from nastui.probe_records import NewProbe, ProbeInfo
from nastui.records import NEURON, Float32, Int32, LayerInfo
from nastui.stats.along_axes import values_along
from nastui.store.bases import read_axes, read_basis_info
from nastui.store.connection import writing_once
from nastui.store.faults import damaged
from nastui.store.half_precision import to_float16, to_float32
from nastui.store.image_rows import read_outputs
from nastui.store.layer_rows import read_tiled_layer
from nastui.store.text import now, storable
from nastui.store.tiles import pack_positions, unpack_positions

_VALUES = np.dtype("<f4")


class ProbeReading:
    """The part of a run's reader that is about probes."""

    _path: Path

    def _reading(self) -> AbstractContextManager[sqlite3.Connection]:
        raise NotImplementedError

    def probes(self) -> tuple[ProbeInfo, ...]:
        """All probes, in the order in which they were added."""
        with self._reading() as connection:
            return _read_probes(connection)

    def probe_values(self, layer: LayerInfo, units: Sequence[int] | None = None) -> Float32:
        """What units of a layer, all without `units`, give the probes: (P, units) float32, in the order of `probes`.

        Along a computed basis that is computed now, from what the neurons gave. NaN where nothing is known.
        """
        with self._reading() as connection:
            values = _read_values(connection, self._path, layer)
        return values if units is None else values[:, list(units)]

    def probe_positions(self, layer: LayerInfo) -> Int32 | None:
        """Where in its map each neuron's value was found: (P, U) flat indices, -1 where there is none; None where the
        layer, or the basis, has no positions."""
        with self._reading() as connection:
            return _read_positions(connection, self._path, layer)

    def probe_thumbnails(self, ids: Iterable[int]) -> dict[int, bytes]:
        """The small pictures (JPEG or PNG) of probes."""
        with self._reading() as connection:
            rows = connection.execute(
                "SELECT id, thumbnail FROM probe WHERE id IN (SELECT value FROM json_each(?))",
                (json.dumps(list(ids)),),
            )
            return dict(rows.fetchall())

    def image_with_sha256(self, sha256: str) -> int | None:
        """The first image of the run that was read from a file with this sum; None where none was."""
        with self._reading() as connection:
            (found,) = connection.execute("SELECT min(id) FROM image WHERE sha256 = ?", (sha256,)).fetchone()
            return None if found is None else int(found)


def write_probe(path: Path, probe: NewProbe, command: str, versions: Mapping[str, str]) -> int:
    """Add a probe to the run at `path`, or take the place of the one that has the same file; returns its id.

    It waits for other writers some seconds. Raises NotARun and StoreFull, and StoreLocked where the wait was in vain.
    """
    top5 = [(output, logit if math.isfinite(logit) else None) for output, logit in probe.top5]
    with writing_once(path) as connection:
        connection.execute(
            "INSERT INTO probe (source, sha256, width, height, prediction, top5, thumbnail, note, created, command,"
            " versions) VALUES (?, ?, ?, ?, (SELECT id FROM output WHERE id = ?), ?, ?, ifnull(?, ''), ?, ?, ?)"
            " ON CONFLICT (sha256) DO UPDATE SET source = excluded.source, prediction = excluded.prediction,"
            " top5 = excluded.top5, thumbnail = excluded.thumbnail, note = ifnull(?, note), created = excluded.created,"
            " command = excluded.command, versions = excluded.versions",
            (
                *(storable(probe.source), probe.sha256, probe.width, probe.height),
                *(top5[0][0] if top5 else None, json.dumps(top5) if top5 else None, probe.thumbnail),
                *(_note(probe), now(), storable(command), json.dumps(dict(versions)), _note(probe)),
            ),
        )
        (probe_id,) = connection.execute("SELECT id FROM probe WHERE sha256 = ?", (probe.sha256,)).fetchone()
        connection.execute("DELETE FROM probe_value WHERE probe_id = ?", (probe_id,))
        for layer_path, values in probe.values.items():
            _write_values(connection, probe_id, layer_path, values, probe.positions.get(layer_path))
        return int(probe_id)


def remove_probes(path: Path, ids: Sequence[int]) -> None:
    """Remove probes with all that hangs on them. Raises AddressNotFound where one of them is not there, and removes
    none then."""
    with writing_once(path) as connection:
        known = [probe_id for (probe_id,) in connection.execute("SELECT id FROM probe ORDER BY id")]
        missing = [probe_id for probe_id in ids if probe_id not in known]
        if missing:
            there = f"The probes are {', '.join(map(str, known))}." if known else "The run has no probes."
            raise AddressNotFound(f"There is no probe {missing[0]}.", hint=there)
        connection.executemany("DELETE FROM probe WHERE id = ?", [(probe_id,) for probe_id in ids])


def _note(probe: NewProbe) -> str | None:
    return None if probe.note is None else storable(probe.note)


def _write_values(
    connection: sqlite3.Connection, probe_id: int, layer_path: str, values: Float32, positions: Int32 | None
) -> None:
    basis_id, value_type, position_type = connection.execute(
        "SELECT basis.id, value_type, position_type FROM basis JOIN layer ON layer.id = layer_id"
        " WHERE path = ? AND basis.name = ?",
        (layer_path, NEURON),
    ).fetchone()
    kept = values if value_type == "float32" else _as_halves(values, layer_path)
    places = None
    if positions is not None and position_type is not None:
        packed = pack_positions(positions, position_type)
        places = packed.astype(packed.dtype.newbyteorder("<")).tobytes()
    connection.execute(
        "INSERT INTO probe_value (probe_id, basis_id, value_vector, position_vector) VALUES (?, ?, ?, ?)",
        (probe_id, basis_id, kept.astype(_VALUES).tobytes(), places),
    )


def _as_halves(values: Float32, layer_path: str) -> Float32:
    """The values rounded as those of the run's images are; what float16 does not hold stays as it is."""
    holds = np.abs(values) <= float(np.finfo(np.float16).max)
    return np.where(holds, to_float32(to_float16(np.where(holds, values, 0)[None], layer_path, 0))[0], values)


def _read_probes(connection: sqlite3.Connection) -> tuple[ProbeInfo, ...]:
    rows = connection.execute(
        "SELECT id, source, sha256, width, height, top5, note, created FROM probe ORDER BY id"
    ).fetchall()
    outputs = read_outputs(connection) if rows else ()
    return tuple(
        ProbeInfo(probe_id, source, sha256, width, height, _named(json.loads(top5 or "[]"), outputs), note, created)
        for probe_id, source, sha256, width, height, top5, note, created in rows
    )


def _named(top5: list[tuple[int, float | None]], outputs: Sequence[str]) -> tuple[tuple[str, float], ...]:
    return tuple(
        (outputs[output] if output < len(outputs) else f"output {output}", math.nan if logit is None else logit)
        for output, logit in top5
    )


def _read_values(connection: sqlite3.Connection, path: Path, layer: LayerInfo) -> Float32:
    info = read_basis_info(connection, layer.basis_id)
    if info is None:
        return _neurons(connection, path, layer.basis_id, layer.n_units)
    basis_id = _neuron_basis(connection, layer)
    values = _neurons(connection, path, basis_id, len(info.shift))
    return values_along(info, read_axes(connection, layer.basis_id, range(layer.n_units)), values)


def _neuron_basis(connection: sqlite3.Connection, layer: LayerInfo) -> int:
    (basis_id,) = connection.execute(
        "SELECT id FROM basis WHERE layer_id = ? AND name = ?", (layer.id, NEURON)
    ).fetchone()
    return int(basis_id)


def _neurons(connection: sqlite3.Connection, path: Path, basis_id: int, n_units: int) -> Float32:
    """What the neurons of a layer gave the probes: (P, U)."""
    rows = _vectors(connection, basis_id, "value_vector")
    values = np.full((len(rows), n_units), np.nan, dtype=np.float32)
    for row, blob in enumerate(rows):
        if blob is not None:
            if len(blob) != n_units * _VALUES.itemsize:
                raise damaged(path, "the values of a probe have a wrong size")
            values[row] = np.frombuffer(blob, _VALUES)
    return values


def _read_positions(connection: sqlite3.Connection, path: Path, layer: LayerInfo) -> Int32 | None:
    tiled = read_tiled_layer(connection, layer.basis_id)
    if tiled.position_type is None:
        return None
    dtype = np.dtype(tiled.position_type).newbyteorder("<")
    rows = _vectors(connection, layer.basis_id, "position_vector")
    positions = np.full((len(rows), layer.n_units), -1, dtype=np.int32)
    for row, blob in enumerate(rows):
        if blob is not None:
            if len(blob) != layer.n_units * dtype.itemsize:
                raise damaged(path, "the positions of a probe have a wrong size")
            positions[row] = unpack_positions(np.frombuffer(blob, dtype))
    return positions


def _vectors(connection: sqlite3.Connection, basis_id: int, column: str) -> list[bytes | None]:
    """A vector a probe, None where it has none, in the order of the probes."""
    rows = connection.execute(
        f"SELECT {column} FROM probe LEFT JOIN probe_value ON probe_id = probe.id AND basis_id = ? ORDER BY probe.id",
        (basis_id,),
    )
    return [blob for (blob,) in rows]
