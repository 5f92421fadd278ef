"""A run made up in memory, for tests of views, widgets and screens: known units, no file."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path

import numpy as np
from PIL import Image

from nastui.ablation_records import AblationCurve, UnitCost
from nastui.basis_records import BasisInfo, VarianceCurve
from nastui.errors import AddressNotFound
from nastui.measure_records import Listing, MeasuredUnits
from nastui.probe_records import ProbeInfo
from nastui.records import (
    NEURON,
    ClassInfo,
    Float32,
    Footprints,
    ImageInfo,
    ImageTable,
    Int32,
    Int64,
    LayerInfo,
    ReceptiveField,
    RunInfo,
    RunSpec,
    UnitTable,
)
from nastui.screens.access import ReviewAccess
from nastui.stats.explained import cumulative_shares
from nastui.stats.measures import basic_measures
from nastui.stats.ranges import count_ranges
from tests.fake_units import COLUMNS, FakeUnits, made_up_measures


class FakeRun:
    """`n_images` images over classes of equal size, class i in image i % K, and one matrix of values per layer.

    Unit 0 of every layer rises with the class; the others are seeded noise with a class effect. The first layer has
    maps of 8×8 positions, each of which sees the 3×3 pixels around it; image i gets its value at position i % 64.

    `has_measures`: whether class measures have been taken. `reviews`: whose words filters see, where anybody's.
    """

    def __init__(
        self,
        *,
        n_images: int = 200,
        class_names: Sequence[str] = ("ant", "bee", "cat", "dog"),
        layers: Sequence[tuple[str, int]] = (("features.0", 40), ("classifier.1", 8)),
        finished: bool = True,
        has_measures: bool = True,
    ) -> None:
        self.reviews: ReviewAccess | None = None
        self._has_measures = has_measures
        self._names = tuple(class_names)
        self.class_id = (np.arange(n_images) % len(self._names)).astype(np.int32)
        self._finished = finished
        rng = np.random.default_rng(0)
        self.matrices: dict[int, Float32] = {}
        self._layers = []
        for index, (path, n_units) in enumerate(layers):
            effect = rng.normal(size=(len(self._names), n_units))
            values = rng.normal(size=(n_images, n_units)) + 1.5 * effect[self.class_id]
            values[:, 0] = self.class_id - 1 + np.linspace(-0.4, 0.4, n_images)
            self.matrices[index + 1] = values.astype(np.float32)
            shape = (n_units, 8, 8) if index == 0 else (n_units,)
            kind = "Conv2d" if index == 0 else "Linear"
            field = ReceptiveField(3, 3, 1, 1, -1, -1) if index == 0 else None
            self._layers.append(LayerInfo(index + 1, path, kind, shape, index + 1, "neuron", n_units, 0, 0, field))

    def info(self) -> RunInfo:
        sha256 = [digit * 64 for digit in "0123"]
        prepared = '{"kind": "plain"}'
        spec = RunSpec(
            "nastui scan", {}, "m", "w", "d", sha256[0], prepared, sha256[1], sha256[2], "max", 0, sha256[3], 30, 8, 8
        )
        n = len(self.class_id)
        done = None if not self._finished else "2026-01-01T00:00:00Z"
        return RunInfo(Path("fake.nas.db"), "2026-01-01T00:00:00Z", done, spec, n, n, 0, n, 0.75)

    def classes(self) -> tuple[ClassInfo, ...]:
        counts = np.bincount(self.class_id, minlength=len(self._names))
        return tuple(ClassInfo(i, name, i, int(counts[i])) for i, name in enumerate(self._names))

    def layers(self) -> tuple[LayerInfo, ...]:
        return tuple(self._layers)

    def judge_units(self, layer_index: int, count: int) -> None:
        """As if so many units of a layer had a verdict."""
        self._layers[layer_index] = replace(self._layers[layer_index], n_reviewed=count)

    def layer(self, path: str, basis: str = NEURON) -> LayerInfo:
        for layer in self._layers:
            if (layer.path, layer.basis) == (path, basis):
                return layer
        raise AddressNotFound(f"There is no layer '{path}'.")

    def image_table(self) -> ImageTable:
        n = len(self.class_id)
        wrong = np.arange(n) % 4 == 3
        return ImageTable(self.class_id, self.class_id, np.ones(n, dtype=np.bool_), wrong)

    def unit_table(self, layer: LayerInfo) -> UnitTable:
        m = basic_measures(self.matrices[layer.basis_id].T)
        reviewed = np.zeros(layer.n_units, dtype=np.bool_)
        return UnitTable(m.n, m.lo, m.hi, m.mean, m.std, m.density, m.zeros, m.non_finite, reviewed)

    def footprints(self, layer: LayerInfo, first: int, count: int, m: int | None = None) -> Footprints:
        values = self.matrices[layer.basis_id].T[first : first + count]
        return count_ranges(values, self.class_id, len(self._names), m or 30, first)

    def footprints_of(self, layer: LayerInfo, units: Sequence[int], m: int | None = None) -> Footprints:
        values = self.matrices[layer.basis_id].T[list(units)]
        return count_ranges(values, self.class_id, len(self._names), m or 30)

    def unit_measures(self, layer: LayerInfo) -> MeasuredUnits | None:
        if not self._has_measures:
            return None
        return made_up_measures(self.matrices[layer.basis_id].T, self.class_id, len(self._names))

    def select_units(self, layer: LayerInfo, listing: Listing) -> Int64:
        return self._units(layer).select(listing)

    def count_units(self, layer: LayerInfo, where: str) -> int:
        return len(self.select_units(layer, Listing(where)))

    def select_rows(self, columns: Sequence[str], listing: Listing, layer: LayerInfo) -> list[tuple[object, ...]]:
        return self._units(layer).rows(columns, listing)

    def unknown_texts(self, where: str) -> Mapping[str, Sequence[str]]:
        texts = {text: get_close_matches(text, self._names, n=2) for text in re.findall("'([^']*)'", where)}
        return {text: near for text, near in texts.items() if near and text not in near}

    def filter_columns(self) -> Mapping[str, str]:
        return {name: f"the {name}" for name in COLUMNS}

    def _units(self, layer: LayerInfo) -> FakeUnits:
        return FakeUnits(layer, self.unit_table(layer), self.unit_measures(layer), self._names, self.reviews)

    def values(self, layer: LayerInfo, unit: int) -> Float32:
        return self.matrices[layer.basis_id][:, unit]

    def values_block(self, layer: LayerInfo, first: int, count: int) -> Float32:
        return np.ascontiguousarray(self.matrices[layer.basis_id].T[first : first + count])

    def image_values(self, layer: LayerInfo, image: int) -> Float32:
        values: Float32 = self.matrices[layer.basis_id][image]
        return values

    def positions(self, layer: LayerInfo, unit: int) -> Int32 | None:
        return np.arange(len(self.class_id), dtype=np.int32) % 64 if layer.field is not None else None

    def basis_info(self, layer: LayerInfo) -> BasisInfo | None:
        return None

    def axes(self, layer: LayerInfo, first: int = 0, count: int | None = None) -> Float32:
        raise AddressNotFound("Neurons have no axes.")

    def group_map(self, layer: LayerInfo, image: int) -> Float32 | None:
        return None

    def variance_curves(self, layer: LayerInfo) -> Sequence[VarianceCurve]:
        """Of the neurons alone; whatever the basis."""
        neurons = self.matrices[self.layer(layer.path).basis_id]
        return (VarianceCurve(NEURON, len(neurons), cumulative_shares(neurons.var(axis=0, dtype=np.float64))),)

    def ablations(self, layer: LayerInfo) -> Sequence[AblationCurve]:
        return ()

    def unit_cost(self, layer: LayerInfo, unit: int) -> UnitCost | None:
        return None

    def probes(self) -> tuple[ProbeInfo, ...]:
        return ()

    def probe_values(self, layer: LayerInfo) -> Float32:
        return np.zeros((0, layer.n_units), dtype=np.float32)

    def probe_thumbnails(self, ids: Sequence[int]) -> dict[int, bytes]:
        return {}

    def images(self, ids: Sequence[int]) -> list[ImageInfo]:
        return [self._image(image_id) for image_id in ids]

    def _image(self, image_id: int) -> ImageInfo:
        class_id = int(self.class_id[image_id])
        name = self._names[class_id]
        wrong = image_id % 4 == 3
        predicted = self._names[(class_id + wrong) % len(self._names)]
        return ImageInfo(image_id, class_id, name, f"{name}/{image_id:04}.png", 8, 8, predicted, wrong, (), None)

    def thumbnails(self, ids: Sequence[int]) -> dict[int, bytes]:
        found = {}
        for image_id in ids:
            data = io.BytesIO()
            Image.new("RGB", (8, 8), (image_id % 256, 80, 160)).save(data, "png")
            found[image_id] = data.getvalue()
        return found

    def original(self, image: int) -> bytes:
        data = io.BytesIO()
        Image.new("RGB", (64, 48), (200, image % 256, 30)).save(data, "png")
        return data.getvalue()
