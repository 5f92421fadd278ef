"""The class measures of a block of units. U: units of the block, N: images, K: classes, P: shuffles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nastui.records import Bool, Float32, Float64, Int64
from nastui.stats.entropy import top_entropy
from nastui.stats.finite import FiniteValues
from nastui.stats.labels import Labels
from nastui.stats.ranking import Ranking, best_class
from nastui.stats.resampling import Resampling
from nastui.stats.selectivity import selectivity, two_highest
from nastui.stats.spans import Spans
from nastui.stats.sparseness import bimodality, hoyer_sparseness, lifetime_sparseness
from nastui.stats.surprise import surprise

_BLOCK_VALUES = 1 << 16  # values ranked together: the copies stay in the processor's cache
_SHARING = 0.2  # a class with this share of the top is one of those that share it
_ROUNDING = 1e-9

Columns = dict[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class BlockMeasures:
    """`columns`: those of ClassMeasures but `p_value`, each (U,). `surprise` (U,): how surprising the mean of a unit's
    top class is, NaN where it has none; `by_chance` (P,): the highest of the units' surprises in each shuffle."""

    columns: Columns
    surprise: Float64
    by_chance: Float64


@dataclass(frozen=True, slots=True)
class BlockMeasuring:
    """What is the same for all blocks of a layer. `m`: ranges of a unit; `top_k`: images at an end of its values."""

    labels: Labels
    m: int
    top_k: int
    resampling: Resampling

    def measure(self, values: Float32) -> BlockMeasures:
        """`values`: (U, N)."""
        step = max(1, _BLOCK_VALUES // values.shape[1])
        parts, spans_of_parts = [], []
        for first in range(0, len(values), step):
            part = values[first : first + step]
            finite = FiniteValues.of(part)
            parts.append(self._without_resampling(part, finite))
            spans_of_parts.append(Spans.of(part, finite))
        columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        spans = Spans.joined(values, spans_of_parts)
        null = self.resampling.null(spans)
        lo, hi = self.resampling.interval(spans, columns["top_class"])
        is_defined = ~np.isnan(columns["selectivity_shifted"])
        resampled = {"shifted_lo": lo, "shifted_hi": hi, "shifted_null": null.mean}
        columns |= {name: _where(is_defined, column) for name, column in resampled.items()}
        return BlockMeasures(columns, _where(is_defined, columns.pop("surprise")), null.by_chance)

    def _without_resampling(self, values: Float32, finite: FiniteValues) -> Columns:
        sizes = self.labels.counts(finite)
        of_classes = _selectivities(finite, self.labels, sizes)
        ranking = Ranking.of(values, self.labels, sizes, finite)
        of_classes |= _rankings(ranking, of_classes["top_class"])
        of_classes |= _ends(ranking, self.top_k)
        of_classes["top_entropy"] = top_entropy(finite, self.labels, self.m)
        return {
            # A unit that does not vary tells no classes apart.
            **{name: _where(finite.varies, column) for name, column in of_classes.items()},
            "n_sharing": _where(finite.varies, of_classes["n_sharing"], nothing=0),
            "sparseness": lifetime_sparseness(finite),
            "hoyer": hoyer_sparseness(finite),
            "bimodality": bimodality(finite),
        }


def _selectivities(finite: FiniteValues, labels: Labels, sizes: Int64) -> Columns:
    means = labels.means(finite)
    top_class, second_class = two_highest(means)
    rows = np.arange(len(means))
    above, n_top = means[rows, top_class] - finite.mean, sizes[rows, top_class]
    shifted = np.maximum(means - finite.lo[:, None], 0)
    return {
        "top_class": top_class,
        "second_class": second_class,
        "selectivity": np.clip(selectivity(means, top_class), 0, 1),  # rounding may lead out
        "selectivity_shifted": np.clip(selectivity(shifted, top_class), 0, 1),
        "surprise": surprise(np.nan_to_num(above), n_top, finite.variance, finite.hi - finite.mean),
    }


def _rankings(ranking: Ranking, top_class: Int64) -> Columns:
    hit_rate, false_alarm_rate, threshold = ranking.best_threshold(top_class)
    auroc, auroc_class = best_class(ranking.auroc())
    ap, ap_class = best_class(ranking.average_precision())
    return {
        "hit_rate": hit_rate,
        "false_alarm_rate": false_alarm_rate,
        "threshold": threshold,
        "auroc": auroc,
        "auroc_class": auroc_class,
        "ap": ap,
        "ap_class": ap_class,
    }


def _ends(ranking: Ranking, top_k: int) -> Columns:
    """The most frequent classes among the highest and the lowest values."""
    shares = ranking.end_shares(top_k)
    low_precision, low_class = best_class(ranking.end_shares(top_k, of_lowest=True))
    first, second = two_highest(np.where(shares > 0, shares, np.nan))
    rows = np.arange(len(shares))
    is_sharing = shares >= _SHARING - _ROUNDING
    return {
        "precision": shares[rows, first],
        "precision_class": first,
        "second_precision": np.where(second >= 0, shares[rows, second], 0),
        "second_precision_class": second,
        "shared_precision": (shares * is_sharing).sum(axis=1),
        "n_sharing": is_sharing.sum(axis=1),
        "low_precision": low_precision,
        "low_class": low_class,
    }


def _where(is_defined: Bool, column: NDArray[Any], nothing: int = -1) -> NDArray[Any]:
    """The column with NaN, or `nothing` in one of whole numbers, where it is not defined."""
    if column.dtype == np.float64:
        return np.where(is_defined, column, np.nan)
    return np.where(is_defined, column, nothing).astype(np.int32)
