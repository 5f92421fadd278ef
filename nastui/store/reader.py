"""Reading a run: finished, still being written, or stopped halfway."""

from __future__ import annotations

import difflib
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import numpy as np

from nastui.ablation_records import AblationCurve, Removal, UnitCost
from nastui.basis_records import BasisInfo, VarianceCurve
from nastui.errors import AddressNotFound, UsageError
from nastui.limits import MAX_RANGES
from nastui.measure_records import Listing, MeasuredUnits
from nastui.records import (
    NEURON,
    Address,
    Bool,
    ClassInfo,
    Float32,
    Float64,
    Footprints,
    ImageInfo,
    ImageTable,
    Int32,
    Int64,
    LayerInfo,
    RunInfo,
    UnitTable,
)
from nastui.store.ablations import read_ablations, read_unit_cost
from nastui.store.bases import (
    read_axes,
    read_axis_variances,
    read_basis_info,
    read_curves,
    read_explained,
    read_neuron_variances,
    read_spectrum,
)
from nastui.store.connection import open_to_read
from nastui.store.faults import translated
from nastui.store.footprint_rows import StoredFootprints
from nastui.store.group_maps import read_group_map
from nastui.store.image_rows import read_image_table, read_images, read_outputs, read_thumbnails
from nastui.store.layer_rows import (
    Extent,
    count_classes,
    read_classes,
    read_extent,
    read_layers,
    read_run,
    read_tiled_layer,
)
from nastui.store.measure_rows import Measuring, read_measured, read_measuring
from nastui.store.originals import read_original
from nastui.store.own_connections import OwnConnections
from nastui.store.probes import ProbeReading
from nastui.store.tiles import read_image_values, read_positions, read_values
from nastui.store.transactions import snapshot
from nastui.store.unit_rows import (
    Sample,
    count_units,
    measure_units,
    read_extremes,
    read_reviewed,
    read_unit_table,
    unit_table,
)
from nastui.store.units_view import COLUMNS

if TYPE_CHECKING:
    from nastui.store.selection import Selection


class RunReader(ProbeReading):
    """A run's file, opened read-only. Any number of threads may use it: each has a connection of its own.

    Every call sees one state of the file, in transactions so short that a scan's WAL stays small; calls on a run that
    is being written see it grow. N is the number of images that were asked for; those not looked at yet, and those that
    did not decode, have no values.
    """

    def __init__(self, path: str | Path, reviewer: str | None = None) -> None:
        """Open the run at `path`. Raises NotARun, SchemaTooNew, StoreLocked and StoreFull, as every method may.

        `reviewer`: whose words count where units are reviewed, selected and sorted; None: anyone's.
        A run that is replaced meanwhile is not mixed up with the new one: threads that have not read yet get NotARun.
        """
        self._path = Path(path)
        self._reviewer = reviewer
        self._connections = OwnConnections(self._path)
        self._sample: tuple[int, Sample] | None = None
        self._footprints = StoredFootprints()
        self._connections.get(open_to_read)

    def info(self) -> RunInfo:
        """What was looked at with what, how far it got and how it came out."""
        with self._reading() as connection:
            return read_run(connection, self._path)

    def classes(self) -> tuple[ClassInfo, ...]:
        """All classes, by id."""
        with self._reading() as connection:
            return read_classes(connection)

    def outputs(self) -> tuple[str, ...]:
        """The names of the model's outputs, by index; `output 7` for one without a name."""
        with self._reading() as connection:
            return read_outputs(connection)

    def layers(self) -> tuple[LayerInfo, ...]:
        """All layers in the model's order, along each of their bases."""
        with self._reading() as connection:
            return read_layers(connection, self._reviewer)

    def layer(self, path: str, basis: str = NEURON) -> LayerInfo:
        """The layer at a module path. Raises AddressNotFound, with the names that are nearest."""
        layers = {str(layer.address): layer for layer in self.layers()}
        wanted = str(Address(path, basis=basis))
        if wanted in layers:
            return layers[wanted]
        near = difflib.get_close_matches(wanted, layers, n=3, cutoff=0.5) or [*layers][:3]
        raise AddressNotFound(
            f"There is no layer '{wanted}' in {self._path.name}.", hint=f"Did you mean {' or '.join(near)}?"
        )

    def image_table(self) -> ImageTable:
        """All images as columns, each (N,)."""
        with self._reading() as connection:
            return read_image_table(connection)

    def images(self, ids: Sequence[int]) -> list[ImageInfo]:
        """The images with these ids, in their order. Raises AddressNotFound."""
        with self._reading() as connection:
            return read_images(connection, ids, read_outputs(connection))

    def thumbnails(self, ids: Iterable[int]) -> dict[int, bytes]:
        """The small pictures (JPEG or PNG) of those of the images that have one."""
        with self._reading() as connection:
            return read_thumbnails(connection, ids)

    def original(self, image: int) -> bytes:
        """The file that an image was read from, where it still is. Raises AddressNotFound, with the reason."""
        spec = self.info().spec
        return read_original(spec.data, spec.data_root, self.images([image])[0].source)

    def unit_table(self, layer: LayerInfo) -> UnitTable:
        """The measures of all units, each (U,); of the images so far where the run is not finished."""
        with self._reading() as connection:
            tiled = read_tiled_layer(connection, layer.basis_id)
            extent = read_extent(connection)
            if extent.is_finished:
                return read_unit_table(connection, tiled, self._reviewer)
            sample = self._images_that_count(connection, extent)
            is_reviewed = read_reviewed(connection, tiled, self._reviewer)
        with translated(self._path):
            return unit_table(measure_units(connection, self._path, tiled, range(tiled.n_units), sample), is_reviewed)

    def first_units(self, layer: LayerInfo, count: int) -> UnitTable:
        """The measures of the first units of a finished run, up to `count` of them: for a page at once."""
        with self._reading() as connection:
            return read_unit_table(connection, read_tiled_layer(connection, layer.basis_id), self._reviewer, count)

    def first_measures(self, layer: LayerInfo, count: int) -> MeasuredUnits | None:
        """The class measures and kinds of the first units, up to `count` of them; None where they were not taken."""
        with self._reading() as connection:
            return read_measured(connection, layer.basis_id, count)

    def extremes(self, layer: LayerInfo) -> tuple[Float64, Float64]:
        """lo and hi of all units of a finished run, each (U,): a third of the time that all their measures take."""
        with self._reading() as connection:
            return read_extremes(connection, layer.basis_id)

    def footprints(self, layer: LayerInfo, first: int, count: int, m: int | None = None) -> Footprints:
        """The footprints of up to `count` units from `first` on, with `m` ranges (default: the run's).

        They are stored for the default of a finished run, else counted from the values: 0.1 ms against some 10 ms a
        unit with 50,000 images. Raises AddressNotFound where there is no unit `first`, and UsageError for more than 200
        ranges or none.
        """
        units = _units(layer, first, count)
        return replace(self.footprints_of(layer, units, m), first_unit=first)

    def footprints_of(self, layer: LayerInfo, units: Sequence[int], m: int | None = None) -> Footprints:
        """The footprints of any units of a layer, in the order of `units`; `first_unit` is 0. Else as `footprints`."""
        if m is not None and not 1 <= m <= MAX_RANGES:
            raise UsageError(f"{m:,} ranges cannot be counted.", hint=f"Ask for 1 to {MAX_RANGES}.")
        for unit in (min(units, default=0), max(units, default=0)):
            _units(layer, unit, 1)
        with self._reading() as connection:
            tiled = read_tiled_layer(connection, layer.basis_id)
            extent = read_extent(connection)
            m = extent.ranges if m is None else m
            if extent.is_finished and m == extent.ranges:
                return self._footprints.read(connection, self._path, tiled, units, count_classes(connection), m)
            sample = self._images_that_count(connection, extent)
        with translated(self._path):
            return count_units(connection, self._path, tiled, units, sample, m)

    def unit_measures(self, layer: LayerInfo) -> MeasuredUnits | None:
        """The class measures and kinds of all units, each (U,); None where they were not taken yet."""
        with self._reading() as connection:
            return read_measured(connection, layer.basis_id)

    def measuring(self) -> Measuring | None:
        """How the class measures were taken; None where they never were."""
        with self._reading() as connection:
            return read_measuring(connection)

    def select_units(self, layer: LayerInfo, listing: Listing) -> Int64:
        """The numbers of the units that are listed, in the listing's order. Raises FilterError."""
        if listing.is_plain:
            return np.arange(layer.n_units)
        return self._selection().select_units(layer, listing)

    def count_units(self, layer: LayerInfo, where: str) -> int:
        """How many units of a layer a condition holds for. Raises FilterError."""
        return self._selection().count_units(layer, where)

    def select_rows(
        self,
        columns: Sequence[str],
        listing: Listing,
        layer: LayerInfo | None = None,
        *,
        unit: int | None = None,
        limit: int | None = None,
    ) -> Iterator[Sequence[object]]:
        """These columns of the units that are listed: of a layer, of one unit of it, or of all layers; up to `limit` of
        them. Raises FilterError."""
        return self._selection().select_rows(columns, listing, layer, unit, limit)

    def query(self, sql: str) -> tuple[list[str], Iterator[Sequence[object]]]:
        """The names of the columns and the rows of an SQL statement that only reads. Raises FilterError."""
        return self._selection().query(sql)

    def unknown_texts(self, where: str) -> dict[str, list[str]]:
        """Texts in a condition that the run does not have anywhere, with those it has that are nearest to each."""
        return self._selection().unknown_texts(where)

    def filter_columns(self) -> dict[str, str]:
        """The columns of the view `units` by name, in its order, and what each means in one line."""
        return {column.name: column.meaning for column in COLUMNS}

    def values(self, layer: LayerInfo, unit: int) -> Float32:
        """A unit's values for all images: (N,) float32, NaN where there is none. Raises AddressNotFound."""
        values: Float32 = self.values_block(layer, unit, 1)[0]
        return values

    def values_block(self, layer: LayerInfo, first: int, count: int) -> Float32:
        """The values of up to `count` units from `first` on: (count, N) float32. Raises AddressNotFound."""
        units = _units(layer, first, count)
        with self._reading() as connection:
            tiled = read_tiled_layer(connection, layer.basis_id)
            return read_values(connection, self._path, tiled, units, range(read_extent(connection).n_images))

    def image_values(self, layer: LayerInfo, image: int) -> Float32:
        """What all units of a layer gave one image: (U,) float32, NaN where it has none. Raises AddressNotFound."""
        with self._reading() as connection:
            n_images = read_extent(connection).n_images
            if not 0 <= image < n_images:
                raise AddressNotFound(f"There is no image {image}.", hint=f"The images are 0 to {n_images - 1}.")
            return read_image_values(connection, self._path, read_tiled_layer(connection, layer.basis_id), image)

    def activations(self, layer: LayerInfo) -> Float32:
        """All values of a layer: (N, U) float32, unit by unit in memory (column-major)."""
        return self.values_block(layer, 0, layer.n_units).T

    def positions(self, layer: LayerInfo, unit: int) -> Int32 | None:
        """Where in its map a unit's value was found: (N,) int32 flat indices (row-major), -1 where there is no value.

        None where the layer has no positions. Raises AddressNotFound.
        """
        units = _units(layer, unit, 1)
        with self._reading() as connection:
            tiled = read_tiled_layer(connection, layer.basis_id)
            if tiled.position_type is None:
                return None
            images = range(read_extent(connection).n_images)
            positions: Int32 = read_positions(connection, self._path, tiled, units, images)[0]
            return positions

    def basis_info(self, layer: LayerInfo) -> BasisInfo | None:
        """How the basis was computed that the layer is read along; None for neurons."""
        with self._reading() as connection:
            return read_basis_info(connection, layer.basis_id)

    def axes(self, layer: LayerInfo, first: int = 0, count: int | None = None) -> Float32:
        """The loadings of up to `count` units of a computed basis, of all without it: (units, neurons) float32.

        Raises AddressNotFound, also for neurons, which have none.
        """
        units = _units(layer, first, layer.n_units if count is None else count)
        with self._reading() as connection:
            return read_axes(connection, layer.basis_id, units)

    def axis_variances(self, layer: LayerInfo) -> Float64:
        """The population variances of a computed basis's units over the images that it was fitted to: (k,)."""
        with self._reading() as connection:
            return read_axis_variances(connection, layer.basis_id)

    def explained(self, layer: LayerInfo) -> Float64:
        """The share of the layer's variance that the first 1, 2, … k axes of a computed basis explain: (k,)."""
        with self._reading() as connection:
            return read_explained(connection, layer.basis_id)

    def spectrum(self, layer: LayerInfo) -> Float64 | None:
        """The variances of all principal components, falling, however many were kept; None but for PCA."""
        with self._reading() as connection:
            return read_spectrum(connection, layer.basis_id)

    def neuron_variances(self, layer: LayerInfo) -> Float64 | None:
        """The population variances of the layer's neurons over the images that a computed basis was fitted to: (D,);
        None for the neurons themselves, see `unit_variances`."""
        with self._reading() as connection:
            return read_neuron_variances(connection, layer.basis_id)

    def unit_variances(self, layer: LayerInfo, images: Bool) -> Float64:
        """The population variances of a layer's units over some images, from the values: (U,), NaN where a unit has no
        finite one. `images` (N,): which."""
        with self._reading() as connection:
            tiled = read_tiled_layer(connection, layer.basis_id)
        sample = Sample(images, np.zeros(int(images.sum()), dtype=np.int32), 1)
        with translated(self._path):
            return measure_units(connection, self._path, tiled, range(tiled.n_units), sample).std ** 2

    def variance_curves(self, layer: LayerInfo) -> tuple[VarianceCurve, ...]:
        """How much of the layer's variance the first axes explain, for each of its bases: neurons first."""
        with self._reading() as connection:
            return read_curves(connection, layer.id)

    def ablations(self, layer: LayerInfo) -> tuple[AblationCurve, ...]:
        """How well the model does without more and more units of the layer, along any of its bases: neurons first."""
        with self._reading() as connection:
            return read_ablations(connection, layer.id)

    def unit_cost(self, layer: LayerInfo, unit: int, removal: Removal | None = None) -> UnitCost | None:
        """How well the model does without this unit alone, by the newest test (of this removal); None without any."""
        with self._reading() as connection:
            return read_unit_cost(connection, layer.basis_id, unit, removal)

    def group_map(self, layer: LayerInfo, image: int) -> Float32 | None:
        """What the units of a basis give an image at every position of the layer's map: (k, h, w); None where nobody
        has asked for that."""
        with self._reading() as connection:
            return read_group_map(connection, self._path, layer, image)

    def close(self) -> None:
        """Let go of the file, in all threads; none may be using it. A second call does nothing."""
        self._connections.close()

    def __enter__(self) -> RunReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        connection = self._connections.get(open_to_read)
        with translated(self._path), snapshot(connection):
            yield connection

    def _selection(self) -> Selection:
        from nastui.store.selection import Selection  # not before a person asks: a run opens sooner

        return Selection(self._connections.get(self._open_guarded), self._path)

    def _open_guarded(self, path: Path) -> sqlite3.Connection:
        from nastui.store.guarded import open_guarded

        return open_guarded(path, self._reviewer)

    def _images_that_count(self, connection: sqlite3.Connection, extent: Extent) -> Sample:
        """Kept: they stay the same until more images are done."""
        kept = self._sample
        if kept is None or kept[0] != extent.n_done:
            kept = extent.n_done, Sample.of(read_image_table(connection), count_classes(connection))
            self._sample = kept
        return kept[1]


def _units(layer: LayerInfo, first: int, count: int) -> range:
    if not 0 <= first < layer.n_units:
        raise AddressNotFound(
            f"{layer.address} has no unit {first}.",
            hint=f"Its units are 0 to {layer.n_units - 1}, e.g. {layer.address}:0.",
        )
    return range(first, min(first + count, layer.n_units))
