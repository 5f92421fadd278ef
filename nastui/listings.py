"""What a run's file holds, as plain records with the names of records.py: the interface's facts, headless."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import fields
from pathlib import Path
from typing import cast

import numpy as np

from nastui.addresses import find_layer
from nastui.measure_records import Listing
from nastui.printing import Record, Value
from nastui.records import Address, Float32, Footprints, Int32, LayerInfo, UnitTable
from nastui.stats.probe_places import NOWHERE, find_places, percentiles
from nastui.store.content import read_content
from nastui.store.reader import RunReader
from nastui.store.units_view import COLUMNS, FLAGS

UNIT_COLUMNS = (
    "address",
    "kind",
    "top_class",
    "selectivity",
    "selectivity_shifted",
    "hit_rate",
    "false_alarm_rate",
    "p_value",
    "precision_class",
    "precision",
    "density",
    "verdict",
    "tags",
)
N_EXTREME = 5  # images shown at each end of a unit
_RANGE_WORDS: dict[int, Value] = {-1: "below", 1: "above"}


def layer_rows(run: RunReader) -> Iterator[Record]:
    """A record for every layer (and basis) of the run, in the model's order."""
    return (_layer(layer) for layer in run.layers())


def unit_rows(
    run: RunReader, columns: Sequence[str], listing: Listing, address: Address | None, limit: int | None = None
) -> Iterator[list[Value]]:
    """These columns of the units that are listed, in their order: of all layers, a layer, or one unit of it."""
    layer = None if address is None else find_layer(run, address)
    unit = None if address is None else address.unit
    is_flag = [name in FLAGS for name in columns]
    for row in run.select_rows(columns, listing, layer, unit=unit, limit=limit):
        yield [
            bool(value) if flag and value is not None else plain(value)
            for value, flag in zip(row, is_flag, strict=True)
        ]


def notes(run: RunReader, where: str, columns: Sequence[str]) -> Iterator[str]:
    """Why these columns may be empty, and why a condition may hold for no unit."""
    info, stages = run.info(), {column.stage for column in COLUMNS if column.name in columns}
    if info.finished is None and stages & {"basic", "class"}:
        yield f"{info.n_done:,} of {info.n_images:,} images are scanned; units are measured when all are"
    elif "class" in stages and run.measuring() is None:
        yield f"the units' class measures have not been taken: nastui measure {shlex.quote(str(info.path))}"
    for text, near in run.unknown_texts(where).items():
        yield f"this run has no '{text}'; did you mean '{near[0]}'?"


def plain(value: object) -> Value:
    """A value of SQL's as a plain one; of bytes only how many there are."""
    return f"{len(value):,} bytes" if isinstance(value, bytes) else cast(str | int | float | None, value)


def details(run: RunReader, address: Address | None) -> Record:
    """Everything there is to say of the run, of a layer, or of a unit."""
    if address is None:
        return _run(run)
    layer = find_layer(run, address)
    return {**_layer(layer), **_basis(run, layer)} if address.unit is None else _unit(run, layer, address.unit)


def content(path: Path) -> dict[str, Value]:
    """What the whole file holds, as sums."""
    found = read_content(path)
    return {
        "content": found.sha256,
        "tables": [{"table": name, "sha256": sha256} for name, sha256 in found.tables.items()],
    }


def _basis(run: RunReader, layer: LayerInfo) -> dict[str, Value]:
    """How the basis was computed that a layer is read along; nothing for neurons."""
    info = run.basis_info(layer)
    if info is None:
        return {}
    return {
        "kind": info.kind.value,
        "created": info.created,
        "n_fitted": info.n_fitted,
        "total_variance": info.total_variance,
        "explained": float(run.explained(layer)[-1]),
        "options": dict(info.options),
    }


def _unit_address(layer: LayerInfo, unit: int) -> str:
    return str(Address(layer.path, unit, layer.basis))


def _layer(layer: LayerInfo) -> dict[str, Value]:
    return {
        "address": str(layer.address),
        "type": layer.type,
        "shape": [*layer.shape],
        "unit_dim": layer.unit_dim,
        "tokens": layer.tokens,
        "dtype": layer.value_type,
        "n_units": layer.n_units,
        "n_dead": layer.n_dead,
        "n_reviewed": layer.n_reviewed,
    }


def _measures(table: UnitTable, unit: int) -> dict[str, Value]:
    names = [field.name for field in fields(table) if field.name != "is_reviewed"]
    return {name: getattr(table, name)[unit].item() for name in names}


def _opinions(run: RunReader, layer: LayerInfo, unit: int) -> dict[str, Value]:
    """What sets a unit's classes apart, and what people said of it."""
    columns = [column.name for column in COLUMNS if column.stage in ("class", "review")]
    (row,) = unit_rows(run, columns, Listing(), Address(layer.path, unit, layer.basis))
    return dict(zip(columns, row, strict=True))


def _run(run: RunReader) -> dict[str, Value]:
    info = run.info()
    spec = {field.name: getattr(info.spec, field.name) for field in fields(info.spec)}
    return {
        "name": info.name,
        "path": str(info.path),
        "created": info.created,
        "finished": info.finished,
        **spec,
        **_kept(run.layers()),
        "versions": dict(info.spec.versions),
        "n_images": info.n_images,
        "n_done": info.n_done,
        "n_failed": info.n_failed,
        "n_matched": info.n_matched,
        "top1": info.top1,
        "classes": [{"id": c.id, "name": c.name, "output": c.output, "n_images": c.n_images} for c in run.classes()],
        "layers": [_layer(layer) for layer in run.layers()],
    }


def _kept(layers: Sequence[LayerInfo]) -> dict[str, Value]:
    """How the scan kept what layers gave: the type of the values, and which tokens counted where there are any."""
    return {
        "dtype": next((layer.value_type for layer in layers), None),
        "tokens": next((layer.tokens for layer in layers if layer.tokens is not None), None),
    }


def _unit(run: RunReader, layer: LayerInfo, unit: int) -> dict[str, Value]:
    values, positions = run.values(layer, unit), run.positions(layer, unit)
    footprints = run.footprints(layer, unit, 1)
    return {
        "address": _unit_address(layer, unit),
        "type": layer.type,
        "shape": [*layer.shape],
        **_measures(run.unit_table(layer), unit),
        **_opinions(run, layer, unit),
        "ranges": _ranges(run, footprints),
        "highest": _images(run, layer, _first(-values), values, positions),
        "lowest": _images(run, layer, _first(values), values, positions),
        "probes": _probes(run, layer, unit, values, footprints),
    }


def _probes(run: RunReader, layer: LayerInfo, unit: int, values: Float32, footprints: Footprints) -> list[Value]:
    """Where the probes fall, ranges counted from 1: beyond the unit's lowest or highest value there is none."""
    probes, given = run.probes(), run.probe_values(layer, [unit])[:, 0]
    places = find_places(given, footprints.edges[0], int(footprints.n_ranges[0]))
    return [
        {
            "probe": probe.id,
            "name": probe.name,
            "value": float(value),
            "range": _RANGE_WORDS.get(side, stop + 1 if stop != NOWHERE else None),
            "percentile": percentile,
            "predicted": probe.predicted,
        }
        for probe, value, stop, side, percentile in zip(
            probes,
            given,
            places.stops.tolist(),
            places.sides.tolist(),
            percentiles(given, values).tolist(),
            strict=True,
        )
    ]


def _first(values: Float32) -> list[int]:
    """The ids of the images with the lowest finite values; of equal values the lower id comes first."""
    finite = np.flatnonzero(np.isfinite(values))
    return [int(i) for i in finite[np.argsort(values[finite], kind="stable")[:N_EXTREME]]]


def _ranges(run: RunReader, footprints: Footprints) -> list[Value]:
    """The unit's ranges from its lowest, which is 1, to its highest; classes without an image in a range are left
    out."""
    names = [c.name for c in run.classes()]
    edges, counts = footprints.edges[0], footprints.counts[0]
    return [
        {
            "range": r + 1,
            "lo": float(edges[r]),
            "hi": float(edges[r + 1]),
            "n": int(counts[r].sum()),
            "classes": {names[k]: int(counts[r, k]) for k in np.flatnonzero(counts[r])},
        }
        for r in range(int(footprints.n_ranges[0]))
    ]


def _images(run: RunReader, layer: LayerInfo, ids: list[int], values: Float32, positions: Int32 | None) -> list[Value]:
    return [
        {
            "image": image.id,
            "value": float(values[image.id]),
            "position": None if positions is None else _place(layer, int(positions[image.id])),
            "class": image.class_name,
            "predicted": image.predicted,
            "is_wrong": image.is_wrong,
            "source": image.source,
        }
        for image in run.images(ids)
    ]


def _place(layer: LayerInfo, position: int) -> list[Value]:
    """Where in the layer's map (row, column) a flat position lies; of tokens which of those that count it is."""
    return [int(index) for index in np.unravel_index(position, layer.places)]
