"""Where values that are none of the run's lie among a unit's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import percentileofscore

from nastui.records import Float32
from nastui.stats.probe_places import NOWHERE, find_places, percentiles
from nastui.stats.ranges import range_edges, range_index

FINITE = st.floats(-1e4, 1e4, width=32)


def one_unit(values: Float32, m: int) -> tuple[np.ndarray[tuple[int], np.dtype[np.float64]], int, int]:
    lo, hi = np.array([min(values.tolist())]), np.array([max(values.tolist())])
    edges, n_ranges, n_left = range_edges(lo, hi, m)
    return edges[0], int(n_ranges[0]), int(n_left[0])


@settings(max_examples=150, deadline=None)
@given(arrays(np.float32, st.integers(1, 40), elements=FINITE), st.integers(1, 40))
def test_an_image_of_the_run_falls_into_its_own_range(values: Float32, m: int) -> None:
    edges, n_ranges, n_left = one_unit(values, m)
    places = find_places(values, edges, n_ranges)
    expected = range_index(values[None], edges[None], np.array([n_ranges], np.int32), np.array([n_left], np.int32))[0]
    assert places.stops.tolist() == expected.tolist()
    assert not places.sides.any()


def test_beyond_the_ends_is_said_and_rounding_is_not_beyond() -> None:
    edges, n_ranges, _ = one_unit(np.array([-1.0, 3.0], np.float32), 4)
    given_values = np.array([-1.5, -1.000001, -1, 0, 2.999, 3.000001, 3.2, np.nan, np.inf], np.float32)
    places = find_places(given_values, edges, n_ranges)
    assert places.sides.tolist() == [-1, 0, 0, 0, 0, 0, 1, 0, 0]
    assert places.stops.tolist() == [0, 0, 0, 1, 3, 3, 3, NOWHERE, NOWHERE]


def test_a_dead_unit_that_answers_is_beyond_and_one_without_values_has_no_place() -> None:
    edges, n_ranges, _ = one_unit(np.zeros(5, np.float32), 30)
    places = find_places(np.array([0, 1e-6], np.float32), edges, n_ranges)
    assert (places.stops.tolist(), places.sides.tolist()) == ([0, 0], [0, 1])
    nothing = find_places(np.array([1.0], np.float32), np.full(32, np.nan), 0)
    assert (nothing.stops.tolist(), nothing.sides.tolist()) == ([NOWHERE], [0])


@settings(max_examples=100, deadline=None)
@given(
    arrays(np.float32, st.integers(1, 30), elements=st.integers(-4, 4).map(float)),
    arrays(np.float32, st.integers(1, 6), elements=st.integers(-5, 5).map(float)),
)
def test_percentiles_are_scipys(among: Float32, values: Float32) -> None:
    assert percentiles(values, among) == pytest.approx(percentileofscore(among, values, kind="mean"))


def test_what_is_no_number_counts_for_nothing() -> None:
    among = np.array([1, np.nan, 2, np.inf], np.float32)
    assert percentiles(np.array([1.5, np.nan], np.float32), among).tolist()[0] == 50
    assert np.isnan(percentiles(np.array([1.5, np.nan], np.float32), among)[1])
    assert np.isnan(percentiles(np.array([1.0], np.float32), among[1:2])).all()
