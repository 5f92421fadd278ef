"""Class measures of a layer's units: how their values tell the classes apart. docs/measures.md has every formula.

U: units, N: images, K: classes, m: ranges asked for, P: shuffles.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nastui.measure_records import ClassMeasures, MeasureOptions
from nastui.records import Float32
from nastui.stats.block_measures import BlockMeasures, BlockMeasuring
from nastui.stats.labels import Labels
from nastui.stats.resampling import Resampling

_MOST_AT_AN_END = 50
_BLOCK_UNITS = (64, 256)  # at least and at most, for one long and many short calls of NumPy
_BLOCK_VALUES = 1 << 18
_MOST_VALUES = 1 << 23  # held at a time: 32 MB
_LEAST_UNITS = 4
_SAME = 1 - 1e-4  # shuffled statistics are float32: one that is lower by less than this counts as equal


def default_top_k(class_sizes: NDArray[np.integer[Any]]) -> int:
    """How many images stand for an end of a unit's values: the median class size, at most 50 and at least 1.

    `class_sizes`: (K,), images of each class; empty classes do not count. Of more images than a class has it could not
    own all.
    """
    present = class_sizes[class_sizes > 0]
    return max(1, min(_MOST_AT_AN_END, int(np.median(present)))) if len(present) else 1


def measure_layer(
    blocks: Iterable[Float32],
    class_ids: NDArray[np.integer[Any]],
    n_classes: int,
    m: int,
    options: MeasureOptions | None = None,
) -> ClassMeasures:
    """The class measures of a layer, each (U,).

    `blocks`: its values, consecutive units each, (u, N) float32; how they are cut does not show, and 64 to 256 units
    are held at a time, of more than 131,072 images fewer. NaN and ±inf are left out unit by unit. `class_ids`: (N,), 0
    to n_classes - 1. `m`: ranges, for `top_entropy`. `options.top_k` None: `default_top_k` of these images.
    """
    options = MeasureOptions() if options is None else options
    if not len(class_ids):  # no images are as one without a value
        class_ids, n_classes = np.zeros(1, dtype=np.int32), max(n_classes, 1)
        blocks = (np.full((len(block), 1), np.nan, dtype=np.float32) for block in blocks)
    labels = Labels.of(class_ids, n_classes)
    top_k = default_top_k(labels.sizes) if options.top_k is None else options.top_k
    resampling = Resampling.of(labels, options.shuffles, options.resamples, options.seed)
    measuring = BlockMeasuring(labels, m, top_k, resampling)
    return _join([measuring.measure(values) for values in _in_blocks(blocks, len(class_ids))])


def units_in_a_block(n_images: int) -> int:
    """How many units are measured at a time."""
    return int(np.clip(_BLOCK_VALUES // n_images, *_BLOCK_UNITS))


def _in_blocks(blocks: Iterable[Float32], n_images: int) -> Iterator[Float32]:
    """The same units in blocks of one size: then rounding does not depend on how they came.

    With very many images these are taken in parts. Rounding does not show that, since a part of one unit alone, which
    NumPy sums in another order, only comes where the block is of one.
    """
    n_units = units_in_a_block(n_images)
    n_at_once = n_units
    while n_at_once > _LEAST_UNITS and n_at_once * n_images > _MOST_VALUES:
        n_at_once //= 2
    waiting: deque[Float32] = deque()
    n_waiting, n_left = 0, n_units  # of the block
    for block in blocks:
        waiting.append(block)
        n_waiting += len(block)
        while n_waiting >= n_left or n_waiting >= n_at_once + 2:
            count = n_left if n_left <= n_at_once + 1 else n_at_once
            yield _first_units(waiting, count)
            n_waiting -= count
            n_left = n_left - count or n_units
    if n_waiting:
        yield _first_units(waiting, n_waiting)


def _first_units(waiting: deque[Float32], count: int) -> Float32:
    """Take so many units away from what waits; nothing is copied where they came together."""
    taken = []
    while count:
        block = waiting.popleft()
        taken.append(block[:count])
        if len(block) > count:
            waiting.appendleft(block[count:])
        count -= len(taken[-1])
    return taken[0] if len(taken) == 1 else np.concatenate(taken)


def _join(blocks: list[BlockMeasures]) -> ClassMeasures:
    """Measures of consecutive blocks as those of their layer, `p_value` included.

    It is family-wise by Westfall and Young's (1993) single-step maxT: the share, among the shuffles and the labels as
    they are, of those in which the most surprising unit of the layer is at least as surprising as this one.
    """
    if not blocks:
        return _no_measures()
    columns: dict[str, Any] = {
        name: np.concatenate([block.columns[name] for block in blocks]) for name in blocks[0].columns
    }
    surprise = np.concatenate([block.surprise for block in blocks])
    by_chance = np.sort(np.max([block.by_chance for block in blocks], axis=0))
    n_as_high = len(by_chance) - np.searchsorted(by_chance, surprise * _SAME)
    is_defined = ~np.isnan(surprise) & (len(by_chance) > 0)
    p_value = np.where(is_defined, (1 + n_as_high) / (1 + len(by_chance)), np.nan)
    return ClassMeasures(p_value=p_value, **columns)


def _no_measures() -> ClassMeasures:
    classes = {name for name in ClassMeasures.__annotations__ if name.endswith("_class") or name == "n_sharing"}
    columns: dict[str, Any] = {
        name: np.empty(0, dtype=np.int32 if name in classes else np.float64) for name in ClassMeasures.__annotations__
    }
    return ClassMeasures(**columns)
