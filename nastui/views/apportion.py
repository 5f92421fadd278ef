"""Shares as whole slots by largest remainder: exact, repeatable, ties to the lower class id."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nastui.records import Int64

Counts = NDArray[np.integer[Any]]


def apportion(counts: Counts, slots: Counts | int) -> Int64:
    """Divide `slots` among the classes of every range in proportion to `counts`.

    `counts`: (…, K), none negative; `slots`: one number, or (…) one for each range. Returns (…, K): every class has
    its exact share of the slots rounded up or down, and the slots of a range add up; all zero where no count is.
    Whole numbers throughout: exact while the counts of a range times its slots stay below 2^63.
    """
    total = counts.sum(axis=-1, dtype=np.int64, keepdims=True)
    wanted = np.where(total > 0, np.asarray(slots, dtype=np.int64)[..., None], 0)
    whole, remainder = np.divmod(counts.astype(np.int64) * wanted, np.maximum(total, 1))
    left_over = wanted - whole.sum(axis=-1, keepdims=True)
    order = np.argsort(-remainder, axis=-1, kind="stable")
    place = np.argsort(order, axis=-1, kind="stable")
    shares: Int64 = whole + (place < left_over)
    return shares


def fold_rare(counts: Counts, slots: Counts | int, neutral: int) -> Int64:
    """`counts` (…, K) with every class whose share is below half a slot counted as class `neutral` instead."""
    total = counts.sum(axis=-1, dtype=np.int64, keepdims=True)
    is_rare = 2 * counts.astype(np.int64) * np.asarray(slots, dtype=np.int64)[..., None] < total
    folded = np.where(is_rare, 0, counts).astype(np.int64)
    folded[..., neutral] = total[..., 0] - folded.sum(axis=-1) + folded[..., neutral]
    return folded
