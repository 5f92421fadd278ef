"""The numbers of a unit's ranges against a count by hand, and the images in every order."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nastui.records import ImageTable
from nastui.views.unit_view import NON_FINITE, Order, UnitView

N_CLASSES = 4

some_values = st.lists(
    st.one_of(st.floats(-100, 100, width=32), st.sampled_from([0.0, 1.0, -1.0, math.nan, math.inf, -math.inf])),
    min_size=1,
    max_size=60,
)
ranges_asked = st.integers(1, 40)


def view_of(values: list[float], m: int, failed: tuple[int, ...] = ()) -> UnitView:
    n = len(values)
    is_ok = ~np.isin(np.arange(n), failed)
    table = ImageTable(classes(n), classes(n), is_ok, np.zeros(n, dtype=np.bool_))
    return UnitView.build(np.array(values, dtype=np.float32), table, N_CLASSES, m)


def classes(n: int) -> np.ndarray[tuple[int], np.dtype[np.int32]]:
    return ((np.arange(n) * 7 + np.arange(n) // 3) % N_CLASSES).astype(np.int32)


@given(some_values, ranges_asked)
def test_every_image_that_counts_is_in_one_stop(values: list[float], m: int) -> None:
    view = view_of(values, m, failed=(0,))
    stops = view.stops()
    assert stops == sorted(stops, key=lambda stop: math.inf if stop == NON_FINITE else stop)
    seen = [int(image) for stop in stops for image in view.image_ids(stop, Order.FALLING)]
    assert sorted(seen) == list(range(1, len(values)))
    assert all(len(view.image_ids(stop, Order.FALLING)) for stop in stops)
    non_finite = {image for image in range(1, len(values)) if not math.isfinite(values[image])}
    assert view.n_non_finite == len(non_finite)
    assert set(view.image_ids(NON_FINITE, Order.FALLING).tolist()) == non_finite


@given(some_values, ranges_asked)
def test_the_facts_of_a_range_are_those_counted_by_hand(values: list[float], m: int) -> None:
    view = view_of(values, m)
    exact = np.array(values, dtype=np.float32).astype(np.float64)
    finite = exact[np.isfinite(exact)]
    for stop in (stop for stop in view.stops() if stop != NON_FINITE):
        facts = view.facts(stop)
        ids = [i for i, value in enumerate(exact) if facts.low <= value and _is_below(value, facts.high, facts.is_last)]
        assert sorted(view.image_ids(stop, Order.FALLING).tolist()) == ids
        assert (facts.n, facts.n_finite) == (len(ids), len(finite))
        assert facts.counts.tolist() == [sum(int(view.class_id[i]) == k for i in ids) for k in range(N_CLASSES)]
        assert facts.mean == pytest.approx(math.fsum(exact[ids]) / len(ids), rel=1e-9, abs=1e-9)
        assert facts.rank_first == 1 + int((finite < min(exact[ids])).sum())
        assert facts.rank_last == int((finite <= max(exact[ids])).sum())
        assert facts.is_last == (facts.high == max(finite) and facts.rank_last == len(finite))


def _is_below(value: float, high: float, is_closed: bool) -> bool:
    return value <= high if is_closed else value < high


@given(some_values, ranges_asked)
def test_the_ranks_of_the_ranges_follow_each_other_without_a_gap(values: list[float], m: int) -> None:
    view = view_of(values, m)
    ranks = [(view.facts(stop).rank_first, view.facts(stop).rank_last) for stop in view.stops() if stop != NON_FINITE]
    assert [first for first, _ in ranks] == [1, *(last + 1 for _, last in ranks)][: len(ranks)]
    assert not ranks or ranks[-1][1] == sum(math.isfinite(value) for value in values)


@given(some_values, ranges_asked, st.integers(0, 5))
def test_every_order_holds_the_same_images_in_its_own_way(values: list[float], m: int, seed: int) -> None:
    view = view_of(values, m)
    for stop in view.stops():
        orders = {order: view.image_ids(stop, order, seed=seed).tolist() for order in Order}
        assert len({tuple(sorted(ids)) for ids in orders.values()}) == 1
        assert orders[Order.RANDOM] == view.image_ids(stop, Order.RANDOM, seed=seed).tolist()
        if stop == NON_FINITE:
            continue
        key = {i: (float(view.values[i]), int(view.class_id[i])) for i in orders[Order.FALLING]}
        assert orders[Order.FALLING] == sorted(key, key=lambda i: (-key[i][0], i))
        assert orders[Order.RISING] == sorted(key, key=lambda i: (key[i][0], i))
        assert orders[Order.CLASS] == sorted(key, key=lambda i: (key[i][1], -key[i][0], i))


@given(some_values, ranges_asked, st.integers(0, N_CLASSES - 1))
def test_one_class_only_is_the_part_of_all_that_has_it(values: list[float], m: int, class_id: int) -> None:
    view = view_of(values, m)
    for stop in view.stops():
        for order in (Order.FALLING, Order.RISING, Order.CLASS):
            everything = view.image_ids(stop, order)
            assert view.image_ids(stop, order, class_id).tolist() == [
                image for image in everything.tolist() if int(view.class_id[image]) == class_id
            ]


@given(some_values, ranges_asked)
def test_jumps_lead_to_ranges_that_hold_what_they_say(values: list[float], m: int) -> None:
    view = view_of(values, m)
    held = [stop for stop in view.stops() if stop != NON_FINITE]
    if not held:
        return
    finite = sorted(value for value in np.array(values, dtype=np.float32).tolist() if math.isfinite(value))
    median = view.facts(view.median_stop())
    assert median.rank_first <= (len(finite) + 1) // 2 <= median.rank_last
    assert view.zero_stop() in held
    nearest = min(abs(stop - view.n_left) for stop in held)
    assert abs(view.zero_stop() - view.n_left) == nearest
    if 0.0 in finite and finite[-1] > 0:
        zero = view.facts(view.zero_stop())
        assert zero.low <= 0 < zero.high


def test_orders_go_round() -> None:
    seen = [Order.FALLING]
    while (order := seen[-1].next()) is not Order.FALLING:
        seen.append(order)
    assert set(seen) == set(Order)


def test_a_unit_without_numbers_has_no_ranges() -> None:
    view = view_of([math.nan, math.inf], 30)
    assert (view.n_ranges, view.edges, view.stops()) == (0, [], [NON_FINITE])
    assert view_of([math.nan], 30, failed=(0,)).stops() == []
