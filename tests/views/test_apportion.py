"""Largest remainder: exact shares, rounded up or down, and the same picture every time."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from nastui.records import Int64
from nastui.views.apportion import apportion, fold_rare

COUNTS = arrays.arrays(
    np.int64,
    st.tuples(st.integers(1, 4), st.integers(1, 12)),
    elements=st.one_of(st.integers(0, 5), st.integers(0, 50_000)),
)
SLOTS = st.integers(0, 100)


def slow_apportion(counts: list[int], slots: int) -> list[int]:
    total = sum(counts)
    if total == 0:
        return [0] * len(counts)
    quotas = [Fraction(count * slots, total) for count in counts]
    shares = [int(quota) for quota in quotas]
    by_remainder = sorted(range(len(counts)), key=lambda k: (shares[k] - quotas[k], k))
    for k in by_remainder[: slots - sum(shares)]:
        shares[k] += 1
    return shares


@given(COUNTS, SLOTS)
def test_slots_are_shared_out_like_by_hand(counts: Int64, slots: int) -> None:
    found = apportion(counts, slots)
    assert found.tolist() == [slow_apportion(row, slots) for row in counts.tolist()]


@given(COUNTS, st.lists(SLOTS, min_size=4, max_size=4))
def test_every_range_may_have_slots_of_its_own(counts: Int64, slots: list[int]) -> None:
    slots = slots[: len(counts)]
    found = apportion(counts, np.array(slots))
    assert found.tolist() == [slow_apportion(row, n) for row, n in zip(counts.tolist(), slots, strict=True)]


@given(COUNTS, SLOTS)
def test_shares_are_off_by_less_than_a_slot_and_none_comes_from_nothing(counts: Int64, slots: int) -> None:
    found = apportion(counts, slots)
    for row, shares in zip(counts.tolist(), found.tolist(), strict=True):
        if total := sum(row):
            assert sum(shares) == slots
            assert all(abs(share - count * slots / total) < 1 for count, share in zip(row, shares, strict=True))
            assert all(share == 0 for count, share in zip(row, shares, strict=True) if count == 0)
            # A class with at least one slot's share has a slot, and a larger class never fewer.
            assert all(share >= 1 for count, share in zip(row, shares, strict=True) if count * slots >= total)
            assert [share for _, share in sorted(zip(row, shares, strict=True))] == sorted(shares)


def test_ties_go_to_the_lower_class() -> None:
    assert apportion(np.array([1, 1, 1]), 8).tolist() == [3, 3, 2]
    assert apportion(np.array([1, 1, 1]), 1).tolist() == [1, 0, 0]


def test_images_and_slots_by_the_million_stay_exact() -> None:
    counts = np.array([10**9 + 1, 10**9, 10**9], dtype=np.int32)
    assert apportion(counts, 10).tolist() == [4, 3, 3]


@given(COUNTS, st.integers(1, 100))
def test_only_classes_below_half_a_slot_are_folded(counts: Int64, slots: int) -> None:
    folded = fold_rare(counts, slots, neutral=0)
    assert folded.sum(axis=1).tolist() == counts.sum(axis=1).tolist()
    for row, kept in zip(counts.tolist(), folded.tolist(), strict=True):
        for count, left in zip(row[1:], kept[1:], strict=True):
            assert left == (count if 2 * count * slots >= sum(row) else 0)
