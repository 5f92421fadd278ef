"""Making a run's file: the place it goes to, and all that is known before the first image is looked at."""

from __future__ import annotations

import json
import os
import re
import sqlite3
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import astuple
from pathlib import Path

from nastui.errors import NotARun, OutputExists, SchemaTooNew, StoreLocked
from nastui.records import NEURON, ClassInfo, LayerSpec, ManifestImage, RunInfo, RunSpec
from nastui.store.connection import connect, leave_one_file, open_to_read, shm_of, wal_of
from nastui.store.differences import kept_layers, what_differs
from nastui.store.faults import translated
from nastui.store.file_size import page_size
from nastui.store.layer_rows import FIELD_COLUMNS, read_layers, read_run
from nastui.store.schema import migrate
from nastui.store.text import now, storable
from nastui.store.tiles import images_in_a_tile, position_type
from nastui.store.transactions import transaction


def create_file(
    path: Path,
    spec: RunSpec,
    classes: Sequence[ClassInfo],
    outputs: Sequence[str],
    images: Sequence[ManifestImage],
    layers: Sequence[LayerSpec],
    *,
    force: bool,
) -> None:
    """Make the file of a run that has not looked at any image yet. The caller holds the writer's lock.

    The file is made under another name and takes its place when it is complete: with `force` the old run stays until
    then, and is gone from then on. Raises OutputExists where something lies there that may not be replaced.
    """
    check_place(path, spec, layers, force=force)
    for left in _drafts(path):
        left.unlink(missing_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        with translated(path), closing(connect(draft, "mode=rwc")) as connection:
            connection.execute(f"PRAGMA page_size = {page_size(layers, len(images))}")
            connection.execute("PRAGMA journal_mode = OFF")  # a draft that fails is thrown away
            migrate(connection)
            connection.execute("PRAGMA foreign_keys = ON")
            with transaction(connection):
                _write_run(connection, spec, len(images), layers)
                _write_manifest(connection, classes, outputs, images)
                _write_layers(connection, layers)
        settle(path)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _drafts(path: Path) -> list[Path]:
    """What scans that were killed while they made the file at `path` have left."""
    draft = re.compile(rf"\.{re.escape(path.name)}\.\d+\.new")
    return [file for file in path.parent.glob("*.new") if draft.fullmatch(file.name)]


def check_place(path: Path, spec: RunSpec, layers: Sequence[LayerSpec] = (), *, force: bool) -> None:
    """Raise OutputExists unless nothing lies at `path`, or with `force` a run of nastui does."""
    if not os.path.lexists(path):
        return
    try:
        with closing(open_to_read(path)) as connection, translated(path):
            found = read_run(connection, path)
    except SchemaTooNew as exc:
        if force:
            return
        raise OutputExists(
            f"{path} is there already: a run of a newer nastui.", hint="Choose another --out, or replace it: --force."
        ) from exc
    except NotARun as exc:
        what = "a folder" if path.is_dir() else "not a whole nastui run"
        raise OutputExists(
            f"{path} is there already and is {what}.",
            hint="Choose another --out; what is not a run is never overwritten, not even with --force.",
        ) from exc
    if force:
        return
    check_same_scan(found, spec, layers)
    raise same_scan(path, found.finished, found.n_done, found.n_images)


def check_same_scan(found: RunInfo, wanted: RunSpec, layers: Sequence[LayerSpec] = ()) -> None:
    """Raise OutputExists, saying what differs, where a run is not the scan of these layers that is wanted."""
    if found.spec.scan_sha256 == wanted.scan_sha256:
        return
    with closing(open_to_read(found.path)) as connection, translated(found.path):
        known = kept_layers(read_layers(connection, None))
    leave_one_file(found.path)
    if different := what_differs(found.spec, wanted, known, kept_layers(layers)):
        raise OutputExists(
            f"{found.path} is there already and holds another scan: {found.spec.model} on {found.spec.data}.\n"
            f"What differs: {'; '.join(different)}.",
            hint="Choose another --out, or replace it: --force.",
        )


def same_scan(path: Path, finished: str | None, n_done: int, n_images: int) -> OutputExists:
    """The error for an output that holds the very scan that was asked for."""
    if finished is None:
        return OutputExists(
            f"{path} holds this very scan, stopped after {n_done:,} of {n_images:,} images.",
            hint="Resume it, or start anew: --force.",
        )
    return OutputExists(
        f"{path} holds this very scan, finished on {finished}.",
        hint=f"Look at it: nastui {path}  (or scan anew: --force)",
    )


def settle(path: Path) -> None:
    """Get the run at `path`, if any, ready to be replaced: a WAL left behind would be read into the new file."""
    if not os.path.lexists(path):
        return
    with translated(path), closing(connect(path, "mode=rw")) as connection:
        is_busy = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    if is_busy:
        raise StoreLocked(f"{path} is being read by another program.", hint="Close it there and try again.")
    # What a reader of the old file still has open stays with the old file.
    wal_of(path).unlink(missing_ok=True)
    shm_of(path).unlink(missing_ok=True)


def _write_run(connection: sqlite3.Connection, spec: RunSpec, n_images: int, layers: Sequence[LayerSpec]) -> None:
    row = {
        "id": 1,
        "created": now(),
        "command": storable(spec.command),
        "versions": json.dumps(dict(spec.versions)),
        "model": storable(spec.model),
        "weights": storable(spec.weights),
        "weights_sha256": spec.weights_sha256,
        "data": storable(spec.data),
        "data_root": None if spec.data_root is None else storable(spec.data_root),
        "manifest_sha256": spec.manifest_sha256,
        "preprocessing": storable(spec.preprocessing),
        "preprocessing_sha256": spec.preprocessing_sha256,
        "reduction": spec.reduction,
        "seed": spec.seed,
        "ranges": spec.ranges,
        "input_height": spec.input_height,
        "input_width": spec.input_width,
        "scan_sha256": spec.scan_sha256,
        "layers_sha256": spec.layers_sha256,
        "computing": spec.computing,
        "n_images": n_images,
        "tile_images": images_in_a_tile(layers),
    }
    connection.execute(f"INSERT INTO run ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})", [*row.values()])


def _write_manifest(
    connection: sqlite3.Connection,
    classes: Sequence[ClassInfo],
    outputs: Sequence[str],
    images: Sequence[ManifestImage],
) -> None:
    n_images = Counter(image.class_id for image in images)
    connection.executemany("INSERT INTO output (id, name) VALUES (?, ?)", enumerate(map(storable, outputs)))
    connection.executemany(
        "INSERT OR IGNORE INTO output (id) VALUES (?)", [(c.output,) for c in classes if c.output is not None]
    )
    connection.executemany(
        "INSERT INTO class (id, name, output_id, n_images) VALUES (?, ?, ?, ?)",
        [(c.id, storable(c.name), c.output, n_images[c.id]) for c in classes],
    )
    connection.executemany(
        "INSERT INTO image (id, class_id, source) VALUES (?, ?, ?)",
        ((i, image.class_id, storable(image.source)) for i, image in enumerate(images)),
    )


def _write_layers(connection: sqlite3.Connection, layers: Sequence[LayerSpec]) -> None:
    for i, layer in enumerate(layers, start=1):
        field = astuple(layer.field) if layer.field is not None else (None,) * len(FIELD_COLUMNS)
        grid = None if layer.token_grid is None else json.dumps(layer.token_grid)
        connection.execute(
            f"INSERT INTO layer (id, path, type, shape, unit_dim, tokens, token_grid, {', '.join(FIELD_COLUMNS)})"
            f" VALUES (?, ?, ?, ?, ?, ?, ?{', ?' * len(FIELD_COLUMNS)})",
            (i, layer.path, layer.type, json.dumps(layer.shape), layer.unit_dim, layer.tokens, grid, *field),
        )
        connection.execute(
            "INSERT INTO basis (id, layer_id, name, n_units, position_type, value_type) VALUES (?, ?, ?, ?, ?, ?)",
            (i, i, NEURON, layer.n_units, position_type(layer), layer.value_type),
        )
        connection.executemany(
            "INSERT INTO unit (basis_id, number) VALUES (?, ?)", ((i, unit) for unit in range(layer.n_units))
        )
