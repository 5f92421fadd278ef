"""What a run's file holds, as plain records with the names of records.py: the interface's facts, headless."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

import numpy as np

from nastui.addresses import find_layer
from nastui.printing import Record, Value
from nastui.records import Address, Float32, Footprints, Int32, LayerInfo, UnitTable
from nastui.store.reader import RunReader

N_EXTREME = 5  # images shown at each end of a unit


def layer_rows(run: RunReader) -> Iterator[Record]:
    """A record for every layer (and basis) of the run, in the model's order."""
    return (_layer(layer) for layer in run.layers())


def unit_rows(run: RunReader, address: Address | None) -> Iterator[Record]:
    """A record of measures for every unit of a layer, or of all layers; of one unit where the address names it."""
    for layer in run.layers() if address is None else (find_layer(run, address),):
        table = run.unit_table(layer)
        units = range(layer.n_units) if address is None or address.unit is None else (address.unit,)
        yield from ({"address": _unit_address(layer, unit), **_measures(table, unit)} for unit in units)


def details(run: RunReader, address: Address | None) -> Record:
    """Everything there is to say of the run, of a layer, or of a unit."""
    if address is None:
        return _run(run)
    layer = find_layer(run, address)
    return _layer(layer) if address.unit is None else _unit(run, layer, address.unit)


def _unit_address(layer: LayerInfo, unit: int) -> str:
    return str(Address(layer.path, unit, layer.basis))


def _layer(layer: LayerInfo) -> dict[str, Value]:
    return {
        "address": str(layer.address),
        "type": layer.type,
        "shape": [*layer.shape],
        "n_units": layer.n_units,
        "n_dead": layer.n_dead,
        "n_reviewed": layer.n_reviewed,
    }


def _measures(table: UnitTable, unit: int) -> dict[str, Value]:
    return {field.name: getattr(table, field.name)[unit].item() for field in fields(table)}


def _run(run: RunReader) -> dict[str, Value]:
    info = run.info()
    spec = {field.name: getattr(info.spec, field.name) for field in fields(info.spec)}
    return {
        "name": info.name,
        "path": str(info.path),
        "created": info.created,
        "finished": info.finished,
        **spec,
        "versions": dict(info.spec.versions),
        "n_images": info.n_images,
        "n_done": info.n_done,
        "n_failed": info.n_failed,
        "n_matched": info.n_matched,
        "top1": info.top1,
        "classes": [{"id": c.id, "name": c.name, "output": c.output, "n_images": c.n_images} for c in run.classes()],
        "layers": [_layer(layer) for layer in run.layers()],
    }


def _unit(run: RunReader, layer: LayerInfo, unit: int) -> dict[str, Value]:
    values, positions = run.values(layer, unit), run.positions(layer, unit)
    return {
        "address": _unit_address(layer, unit),
        "type": layer.type,
        "shape": [*layer.shape],
        **_measures(run.unit_table(layer), unit),
        "ranges": _ranges(run, run.footprints(layer, unit, 1)),
        "highest": _images(run, layer, _first(-values), values, positions),
        "lowest": _images(run, layer, _first(values), values, positions),
    }


def _first(values: Float32) -> list[int]:
    """The ids of the images with the lowest finite values; of equal values the lower id comes first."""
    finite = np.flatnonzero(np.isfinite(values))
    return [int(i) for i in finite[np.argsort(values[finite], kind="stable")[:N_EXTREME]]]


def _ranges(run: RunReader, footprints: Footprints) -> list[Value]:
    """The unit's ranges from its lowest to its highest; classes without an image in a range are left out."""
    names = [c.name for c in run.classes()]
    edges, counts = footprints.edges[0], footprints.counts[0]
    return [
        {
            "range": r,
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
    """Where in the layer's map (row, column) a flat position lies."""
    return [int(index) for index in np.unravel_index(position, layer.shape[1:])]
