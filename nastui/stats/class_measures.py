"""Class measures of a layer's units: how their values tell the classes apart. docs/measures.md has every formula.

U: units, N: images, K: classes, m: ranges asked for, P: shuffles.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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
_SAME = 1 - 1e-4  # with many classes shuffled statistics are float32: lower by less than this counts as equal


def default_top_k(class_sizes: NDArray[np.integer[Any]]) -> int:
    """How many images stand for an end of a unit's values: the median class size, at most 50 and at least 1.

    `class_sizes`: (K,), images of each class; empty classes do not count. Of more images than a class has it could not
    own all.
    """
    present = class_sizes[class_sizes > 0]
    return max(1, min(_MOST_AT_AN_END, int(np.median(present)))) if len(present) else 1


class ClassMeasuring:
    """Takes class measures of units, any of them together: no unit's numbers depend on which others are there.

    What depends on the images alone is made once for all layers. Several threads may share it.
    """

    def __init__(
        self,
        class_ids: NDArray[np.integer[Any]],
        n_classes: int,
        m: int,
        options: MeasureOptions | None = None,
    ) -> None:
        """As for `measure_layer`."""
        options = MeasureOptions() if options is None else options
        self._has_images = len(class_ids) > 0
        if not self._has_images:  # no images are as one without a value
            class_ids, n_classes = np.zeros(1, dtype=np.int32), max(n_classes, 1)
        labels = Labels.of(class_ids, n_classes)
        top_k = default_top_k(labels.sizes) if options.top_k is None else options.top_k
        resampling = Resampling.of(labels, options.shuffles, options.resamples, options.seed)
        self._measuring = BlockMeasuring(labels, m, top_k, resampling)

    def measure(self, values: Float32) -> BlockMeasures:
        """Of some units: `values` (U, N), U > 0."""
        if not self._has_images:
            values = np.full((len(values), 1), np.nan, dtype=np.float32)
        return self._measuring.measure(values)


def measure_layer(
    blocks: Iterable[Float32],
    class_ids: NDArray[np.integer[Any]],
    n_classes: int,
    m: int,
    options: MeasureOptions | None = None,
) -> ClassMeasures:
    """The class measures of a layer, each (U,).

    `blocks`: its values, consecutive units each, (u, N) float32; how they are cut does not show. NaN and ±inf are left
    out unit by unit. `class_ids`: (N,), 0 to n_classes - 1. `m`: ranges, for `top_entropy`. `options.top_k` None:
    `default_top_k` of these images.
    """
    measuring = ClassMeasuring(class_ids, n_classes, m, options)
    n_units = units_in_a_block(len(class_ids))
    parts = (block[first : first + n_units] for block in blocks for first in range(0, len(block), n_units))
    return join_blocks([measuring.measure(part) for part in parts])


def units_in_a_block(n_images: int) -> int:
    """How many units are best measured at a time: many for long calls of NumPy, few to hold at most 32 MB."""
    n_units = int(np.clip(_BLOCK_VALUES // max(n_images, 1), *_BLOCK_UNITS))
    return max(1, min(n_units, _MOST_VALUES // max(n_images, 1)))


def join_blocks(blocks: Sequence[BlockMeasures]) -> ClassMeasures:
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
