"""Taking the measures of all units of a run and writing them: at the end of a scan, or again."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from nastui.errors import UsageError
from nastui.measure_records import KindThresholds, MeasureOptions
from nastui.records import Float32, Int32
from nastui.stats.block_measures import BlockMeasures
from nastui.stats.class_measures import ClassMeasuring, default_top_k, join_blocks, units_in_a_block
from nastui.stats.kinds import rule_kinds
from nastui.stats.measures import BasicMeasures, basic_measures
from nastui.stats.ranges import count_ranges
from nastui.stats.threads import in_order, threads_to_use
from nastui.store.bases import remove_drafts
from nastui.store.connection import open_to_write
from nastui.store.faults import translated
from nastui.store.image_rows import read_image_table
from nastui.store.layer_rows import count_classes, read_extent, read_tiled_bases
from nastui.store.lock import WriterLock
from nastui.store.measure_rows import Measuring, has_all, read_measuring, start_anew, write_measures
from nastui.store.tiles import TILE_UNITS, TiledLayer
from nastui.store.transactions import transaction
from nastui.store.unit_rows import Block, Sample, joined_measures, read_basic, read_values, write_block

OnProgress = Callable[[int, int], None]

_MOST_COUNTS = 1 << 21  # of footprints, held by each thread: 8 MB


def measure_run(
    path: Path,
    options: MeasureOptions | None = None,
    thresholds: KindThresholds | None = None,
    on_progress: OnProgress | None = None,
) -> None:
    """Take the class measures and kinds of a finished run, again where it has them.

    Stopped halfway the run is valid, without those measures that are still to be taken; the same call goes on.
    `on_progress` is told how many units are measured, and of how many; what it raises stops the measuring.
    Raises UsageError where the scan is not finished, StoreLocked where another process writes measures.
    """
    path = path.resolve()
    with closing(open_to_write(path)) as connection, WriterLock(path), translated(path):
        if not read_extent(connection).is_finished:
            raise UsageError(
                f"The scan of {path} is not finished.", hint="Its last step takes the measures: scan on, as before."
            )
        remove_drafts(connection)
        measuring = UnitMeasuring(connection, path, options, thresholds)
        measuring.begin(anew=has_all(connection))
        measuring.measure(on_progress)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


@dataclass(frozen=True, slots=True)
class _Part:
    """Some consecutive units of a layer to be looked at. `values`: (U, N), of the images that count; `is_stored`:
    whether their footprints and basic measures are in the file."""

    units: range
    values: Float32
    is_stored: bool


@dataclass(frozen=True, slots=True)
class _Found:
    """What was found of them: `counts` (U, m + 1, K)."""

    units: range
    basic: BasicMeasures | None
    counts: Int32 | None
    of_classes: BlockMeasures


class UnitMeasuring:
    """Measures the units of a run whose images have all been looked at. What is in the file already stays: killed at
    any moment, it goes on to the same contents."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        path: Path,
        options: MeasureOptions | None = None,
        thresholds: KindThresholds | None = None,
    ) -> None:
        self._connection = connection
        self._path = path
        self._thresholds = thresholds or KindThresholds()
        self._ranges = read_extent(connection).ranges
        self._sample = sample = Sample.of(read_image_table(connection), count_classes(connection))
        self._class_sizes = np.bincount(sample.class_ids, minlength=sample.n_classes)
        options = options or MeasureOptions()
        top_k = default_top_k(self._class_sizes) if options.top_k is None else options.top_k
        self._options = MeasureOptions(top_k, options.shuffles, options.resamples, options.seed)
        self._top_k = top_k
        self._measuring = ClassMeasuring(sample.class_ids, sample.n_classes, self._ranges, self._options)

    def begin(self, *, anew: bool) -> None:
        """Say how measures are taken, and forget those that were taken in another way; with `anew` all of them."""
        wanted = Measuring.of(self._top_k, self._options, self._thresholds)
        if anew or read_measuring(self._connection) != wanted:
            with transaction(self._connection):
                start_anew(self._connection, wanted)

    def measure(self, on_progress: OnProgress | None) -> None:
        """Take the measures that are not in the file yet: all of a block of units or of a layer at once, or nothing.

        This thread reads and writes, others compute; what is found does not depend on how many there are.
        """
        layers = read_tiled_bases(self._connection)
        report = on_progress or (lambda done, total: None)
        total, n_before = sum(layer.n_units for layer in layers), 0
        missing = [layer for layer in layers if not has_all(self._connection, layer.basis_id)]
        with closing(in_order(self._look_at, self._parts(missing), threads_to_use())) as found:
            for layer in layers:
                if layer in missing:
                    self._write_layer(layer, found, partial(_report_from, report, n_before, total))
                else:
                    report(n_before + layer.n_units, total)
                n_before += layer.n_units

    def _parts(self, layers: Iterable[TiledLayer]) -> Iterator[_Part]:
        """The values of the layers, some consecutive units at a time: whole tiles, or an even part of one."""
        a_unit = (self._ranges + 1) * self._sample.n_classes
        n_units = min(units_in_a_block(len(self._sample.class_ids)), max(1, _MOST_COUNTS // a_unit))
        step = 1 << (n_units.bit_length() - 1)
        for layer in layers:
            stored = self._stored(layer)
            for first in range(0, layer.n_units, step):
                units = range(first, min(first + step, layer.n_units))
                values = read_values(self._connection, self._path, layer, units, self._sample)
                is_stored = all(tile.start in stored for tile in _tiles_of(layer, units))
                yield _Part(units, values, is_stored)

    def _look_at(self, part: _Part) -> _Found:
        """Take all measures of some units. Called by several threads."""
        basic = None if part.is_stored else basic_measures(part.values)
        counts = None if part.is_stored else self._counts(part.values)
        return _Found(part.units, basic, counts, self._measuring.measure(part.values))

    def _write_layer(self, layer: TiledLayer, found: Iterator[_Found], on_done: Callable[[int], None]) -> None:
        """Write what is found of a layer: basic measures and footprints tile by tile, then what its units are only
        known by together."""
        blocks: list[BlockMeasures] = []
        writing = _TileWriting(self._connection, layer, self._stored(layer))
        n_done = 0
        while n_done < layer.n_units:
            part = next(found)
            blocks.append(part.of_classes)
            for n_done in writing.write(part):
                on_done(n_done)
            n_done = part.units.stop
        basic = read_basic(self._connection, layer, layer.n_units)
        measures = join_blocks(blocks)
        kinds = rule_kinds(basic, measures, self._class_sizes, self._top_k, self._thresholds)
        with transaction(self._connection):
            write_measures(self._connection, layer.basis_id, measures, kinds)

    def _counts(self, values: Float32) -> Int32:
        return count_ranges(values, self._sample.class_ids, self._sample.n_classes, self._ranges).counts

    def _stored(self, layer: TiledLayer) -> set[int]:
        rows = self._connection.execute("SELECT first_unit FROM footprint WHERE basis_id = ?", (layer.basis_id,))
        return {first for (first,) in rows}


class _TileWriting:
    """Writes basic measures and footprints of a layer's units as soon as all of a tile are there."""

    def __init__(self, connection: sqlite3.Connection, layer: TiledLayer, stored: set[int]) -> None:
        self._connection = connection
        self._layer = layer
        self._stored = stored
        self._waiting: list[tuple[BasicMeasures, Int32]] = []  # of the tile that is not all there

    def write(self, found: _Found) -> Iterator[int]:
        """Write what is found of the next units; gives the number of units that are done, tile by tile."""
        for tile in _tiles_of(self._layer, found.units):
            if tile.start not in self._stored and found.basic is not None and found.counts is not None:
                start, stop = (
                    min(max(unit - found.units.start, 0), len(found.units)) for unit in (tile.start, tile.stop)
                )
                self._waiting.append((found.basic.of_units(slice(start, stop)), found.counts[start:stop]))
                if found.units.stop >= tile.stop:
                    self._write(tile)
            if found.units.stop >= tile.stop:
                yield tile.stop

    def _write(self, tile: range) -> None:
        measures, counts = zip(*self._waiting, strict=True)
        self._waiting = []
        with transaction(self._connection):
            write_block(self._connection, Block(self._layer, tile, joined_measures(measures), np.concatenate(counts)))


def _tiles_of(layer: TiledLayer, units: range) -> Iterator[range]:
    """The units of each tile that holds some of these."""
    for first in range(units.start // TILE_UNITS * TILE_UNITS, units.stop, TILE_UNITS):
        yield range(first, min(first + TILE_UNITS, layer.n_units))


def _report_from(report: OnProgress, n_before: int, total: int, done: int) -> None:
    report(n_before + done, total)
