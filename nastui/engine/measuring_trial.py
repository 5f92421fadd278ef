"""What the measures at the end of a scan will cost: taken of some units, with as many values as there will be."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nastui.records import Float32, Int32, LayerInfo
from nastui.stats.class_measures import ClassMeasuring, units_in_a_block
from nastui.stats.measures import basic_measures
from nastui.stats.ranges import count_ranges
from nastui.stats.threads import in_order, threads_to_use
from nastui.store.counts import encode_counts
from nastui.store.reader import RunReader
from nastui.store.unit_rows import units_in_a_row

_FEW = 1 / 8  # of the units of a block, beside whole ones
_MOST_VALUES = 1 << 22  # 16 MB
_JITTER = 0.02  # of a unit's spread: values drawn again are not equal
_WRITING = 40e-6  # seconds of a core a unit: its rows in the file, written while others compute


@dataclass(frozen=True, slots=True)
class MeasuringCost:
    """Seconds for all units, and the sizes in bytes of all rows of compressed counts. `thinned`: the images that there
    will be, of those that it was tried with."""

    seconds: float
    footprints: tuple[int, ...]
    thinned: float


def try_measuring(run: RunReader, n_tried: int, class_ids: Sequence[int], ranges: int) -> MeasuringCost:
    """`run`: a trial with the values of `n_tried` images. `class_ids`: of all images of the scan.

    What the images alone ask for is done once. A block costs something itself and something a unit: both follow from
    measuring a few units and many, in as many threads at once as the scan will have.
    """
    layers = run.layers()
    classes = np.asarray(class_ids, dtype=np.int32)
    largest = max(layers, key=lambda layer: layer.n_units)
    block = units_in_a_block(len(classes))
    n_few = max(1, int(block * _FEW))
    some = classes[:: max(1, math.ceil(len(classes) * block / _MOST_VALUES))]
    began = time.perf_counter()
    measuring = ClassMeasuring(some, int(np.max(some)) + 1, ranges)
    once = time.perf_counter() - began
    few, many = (
        _seconds_for(_values(run, largest, n_tried, some, count), some, ranges, measuring) for count in (n_few, block)
    )
    a_unit = max(0.0, (many - few) / max(block - n_few, 1))
    a_block = max(0.0, few - n_few * a_unit)
    n_units, n_blocks = (sum(-(-layer.n_units // size) for layer in layers) for size in (1, block))
    footprints = [size for layer in layers for size in _footprints(run, layer, n_tried, some, ranges)]
    thinned = len(classes) / len(some)
    seconds = thinned * (once + a_unit * n_units + a_block * n_blocks) + _WRITING * n_units / threads_to_use()
    return MeasuringCost(seconds, tuple(footprints), thinned)


def _values(run: RunReader, layer: LayerInfo, n_tried: int, classes: Int32, count: int) -> Float32:
    """(count, N) values like those that the trial found, units in turn where the layer has fewer."""
    found = run.values_block(layer, 0, min(count, layer.n_units))[:, :n_tried]
    random = np.random.default_rng(0)
    drawn = found[np.arange(count) % len(found)][:, random.integers(0, n_tried, len(classes))]
    spread = np.std(np.where(np.isfinite(found), found, 0), axis=1)[np.arange(count) % len(found), None]
    noise = random.standard_normal(drawn.shape, dtype=np.float32) * spread * np.float32(_JITTER)
    return np.asarray(drawn + noise, dtype=np.float32)


def _seconds_for(values: Float32, classes: Int32, ranges: int, measuring: ClassMeasuring) -> float:
    """How long a block of units keeps the threads busy, each of them with one like it."""

    def work(values: Float32) -> None:
        basic_measures(values)
        encode_counts(count_ranges(values, classes, int(np.max(classes)) + 1, ranges).counts)
        measuring.measure(values)

    n_threads = threads_to_use()
    began = time.perf_counter()
    deque(in_order(work, [values] * n_threads, n_threads), maxlen=0)
    return (time.perf_counter() - began) / n_threads


def _footprints(run: RunReader, layer: LayerInfo, n_tried: int, classes: Int32, ranges: int) -> list[int]:
    """Of all rows of a layer, each as large as the first one is."""
    n_classes = int(np.max(classes)) + 1
    step = min(units_in_a_row(ranges, n_classes), layer.n_units)
    counts = count_ranges(_values(run, layer, n_tried, classes, step), classes, n_classes, ranges).counts
    whole, rest = divmod(layer.n_units, step)
    size = len(encode_counts(counts)[1])
    return [size] * whole + [round(size * rest / step)] * (rest > 0)
