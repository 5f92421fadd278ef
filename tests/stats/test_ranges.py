"""Ranges by DESIGN 2, sentence by sentence, and against an oracle that follows the same sentences slowly."""

from __future__ import annotations

import bisect
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from nastui.records import Float32, Footprints
from nastui.stats import ranges
from nastui.stats.ranges import count_ranges, range_edges, range_index

VALUES = st.one_of(
    st.floats(width=32),
    st.floats(-1, 1, width=32),
    st.sampled_from([0.0, -0.0, 1e-45, -1e-45, 1e-30, -1e-30, 1.0, -1.0, 3.4e38, -3.4e38, 16777216.0, 16777218.0]),
    st.integers(-6, 6).map(float),
)
UNITS = arrays.arrays(np.float32, st.tuples(st.integers(1, 3), st.integers(1, 25)), elements=VALUES)
FINITE = UNITS.map(lambda values: np.nan_to_num(values, posinf=7, neginf=-7))
M = st.integers(1, 60)


def footprints_of(values: Float32, m: int) -> Footprints:
    return count_ranges(values, np.zeros(values.shape[1], dtype=np.int32), 1, m)


def slow_edges(values: list[float], m: int) -> tuple[list[float], int]:
    """The edges of one unit and how many ranges lie left of zero, straight from the sentences."""
    lo, hi = min(values), max(values)
    if lo == hi:
        return [lo, hi], int(lo < 0)
    w = (hi - lo) / m
    if lo >= 0 or hi <= 0:
        return [lo + k * w for k in range(m)] + [hi], m if lo < 0 else 0
    below, k = [lo], 1
    while lo + k * w < 0:
        if 0 - (lo + k * w) > 1e-9 * w:
            below.append(lo + k * w)
        k += 1
    above, k = [0.0], 1
    while k * w < hi:
        if hi - k * w > 1e-9 * w:
            above.append(k * w)
        k += 1
    return [*below, *above, hi], len(below)


def slow_index(value: float, edges: list[float]) -> int:
    if not np.isfinite(value):
        return -1
    return min(bisect.bisect_right(edges, value) - 1, len(edges) - 2)


def assert_like_the_oracle(values: Float32, m: int) -> None:
    found = footprints_of(values, m)
    index = range_index(values, found.edges, found.n_ranges, found.n_left)
    for row, unit in enumerate(values.astype(np.float64).tolist()):
        finite = [value for value in unit if np.isfinite(value)]
        edges, n_left = slow_edges(finite, m) if finite else ([], 0)
        n_ranges = max(len(edges) - 1, 0)
        assert (found.n_ranges[row], found.n_left[row]) == (n_ranges, n_left)
        assert found.edges[row, : len(edges)].tolist() == edges
        assert np.isnan(found.edges[row, len(edges) :]).all()
        expected = [slow_index(value, edges) for value in unit]
        assert index[row].tolist() == expected
        counted = [expected.count(r) for r in range(m + 1)]
        assert found.counts[row, :, 0].tolist() == counted


@settings(max_examples=400)
@given(UNITS, M)
def test_ranges_are_the_oracles(values: Float32, m: int) -> None:
    assert_like_the_oracle(values, m)


def adversarial_units(rng: np.random.Generator, n_units: int, m: int) -> Float32:
    """Units whose values sit on and one float beside edges, of many scales and signs, some with zeros or NaN."""
    size = 10.0 ** rng.uniform(-20, 20, (n_units, 1))
    lo = -size * rng.choice([0, 1e-12, 1e-3, 0.3, 1, 1, 5], (n_units, 1))
    hi = size * rng.choice([0, 1e-12, 1e-3, 0.3, 1, 1, 5], (n_units, 1))
    shift = size * rng.choice([0, 0, 0, -6, 6, 1000], (n_units, 1))
    lo, hi = lo + shift, hi + shift
    k = rng.integers(0, m + 1, (n_units, 40))
    on_edges = np.where(rng.random(k.shape) < 0.5, lo + k * (hi - lo) / m, k * (hi - lo) / m)
    values: Float32 = np.clip(on_edges, lo, hi).astype(np.float32)
    beside = np.nextafter(values, rng.choice([-np.inf, np.inf], values.shape).astype(np.float32))
    values = np.where(rng.random(values.shape) < 0.5, values, np.clip(beside, lo, hi)).astype(np.float32)
    values[:, 0], values[:, 1] = lo[:, 0], hi[:, 0]
    values[rng.random(n_units) < 0.3, 2:6] = 0
    values[rng.random(n_units) < 0.2, 6:8] = np.nan
    return values


@pytest.mark.parametrize("m", [1, 2, 3, 7, 30, 31, 200])
def test_thousands_of_adversarial_units_are_the_oracles(m: int) -> None:
    rng = np.random.default_rng(m)
    assert_like_the_oracle(adversarial_units(rng, 600, m), m)
    assert_like_the_oracle(rng.normal(0, 1, (200, 60)).astype(np.float32), m)
    assert_like_the_oracle(rng.integers(-m, m + 1, (200, 60)).astype(np.float32), m)


@given(FINITE, M)
def test_zero_is_always_an_edge_and_no_value_crosses_it(values: Float32, m: int) -> None:
    found = footprints_of(values, m)
    index = range_index(values, found.edges, found.n_ranges, found.n_left)
    for row in range(len(values)):
        n_left, n_ranges = found.n_left[row], found.n_ranges[row]
        if values[row].min() < 0 < values[row].max():
            assert found.edges[row, n_left] == 0
        negative = values[row] < 0
        assert (index[row][negative] < n_left).all()
        if values[row].max() > 0 or n_left == 0:
            assert (index[row][~negative] >= n_left).all()
        else:  # hi = 0: there is no range right of the zero line
            assert (index[row][~negative] == n_ranges - 1).all()


@given(FINITE, M)
def test_there_are_m_or_one_more_ranges_and_no_slivers(values: Float32, m: int) -> None:
    found = footprints_of(values, m)
    for row, unit in enumerate(values.astype(np.float64)):
        lo, hi, n_ranges = float(unit.min()), float(unit.max()), int(found.n_ranges[row])
        edges = found.edges[row, : n_ranges + 1]
        if lo == hi:
            assert n_ranges == 1
            continue
        assert n_ranges == m or (n_ranges == m + 1 and lo < 0 < hi)
        width, lengths = (hi - lo) / m, np.diff(edges)
        assert (lengths > 0).all()
        assert (lengths <= width * (1 + 1e-6)).all()
        inner = [r for r in range(n_ranges) if edges[r] not in (0, lo) and edges[r + 1] not in (0, hi)]
        assert lengths[inner] == pytest.approx(width, rel=1e-6)
        # Only a range that lo and zero, or zero and hi, enclose by themselves may be a sliver.
        slivers = np.flatnonzero(lengths <= 0.9e-9 * width)
        assert all({edges[r], edges[r + 1]} in ({lo, 0.0}, {0.0, hi}) for r in slivers.tolist())


@given(FINITE, M)
def test_the_first_edge_is_the_lowest_value_and_the_last_the_highest(values: Float32, m: int) -> None:
    found = footprints_of(values, m)
    index = range_index(values, found.edges, found.n_ranges, found.n_left)
    for row, unit in enumerate(values):
        n_ranges = found.n_ranges[row]
        assert found.edges[row, 0] == unit.min()
        assert found.edges[row, n_ranges] == unit.max()
        assert index[row, unit.argmin()] == 0
        assert index[row, unit.argmax()] == n_ranges - 1


@given(UNITS, M, st.integers(1, 5))
def test_counts_add_up_to_the_finite_values_of_each_class(values: Float32, m: int, n_classes: int) -> None:
    class_ids = np.arange(values.shape[1]) % n_classes
    found = count_ranges(values, class_ids, n_classes, m, first_unit=5)
    assert (found.first_unit, found.m, found.counts.shape) == (5, m, (len(values), m + 1, n_classes))
    for class_id in range(n_classes):
        finite = np.isfinite(values[:, class_ids == class_id]).sum(axis=1)
        assert found.counts[:, :, class_id].sum(axis=1).tolist() == finite.tolist()


@pytest.mark.parametrize(
    ("values", "m", "edges", "n_left", "counts"),
    [
        ([-1, -0.5, 0, 0.5, 2], 3, [-1, 0, 1, 2], 1, [2, 2, 1]),
        ([-3, -1, 0, 1], 2, [-3, -1, 0, 1], 2, [1, 1, 2]),  # the range right before zero is the narrower one
        ([-1, 0, 4], 2, [-1, 0, 2.5, 4], 1, [1, 1, 1]),  # the last is cut at hi
        ([0, 1, 2, 3], 3, [0, 1, 2, 3], 0, [1, 1, 2]),  # the last is closed on both sides
        ([2, 4], 2, [2, 3, 4], 0, [1, 1]),
        ([-4, -3, -2], 2, [-4, -3, -2], 2, [1, 2]),
        ([-4, -2, 0], 2, [-4, -2, 0], 2, [1, 2]),  # hi = 0: zero has no range to its right
        ([5, 5], 30, [5, 5], 0, [2]),
        ([-5, -5], 30, [-5, -5], 1, [2]),
        ([0, -0.0], 30, [0, 0], 0, [2]),
        ([-1e-30, 1], 2, [-1e-30, 0, 0.5, 1], 1, [1, 0, 1]),  # a sliver, but no value moves across zero
        ([-1, 1e-30], 2, [-1, -0.5, 0, 1e-30], 2, [1, 0, 1]),
        ([7], 4, [7, 7], 0, [1]),
        ([np.nan, 1, np.inf, 3, -np.inf], 2, [1, 2, 3], 0, [1, 1]),
        ([np.nan, np.inf], 2, [], 0, []),
    ],
)
def test_ranges_by_hand(values: list[float], m: int, edges: list[float], n_left: int, counts: list[int]) -> None:
    found = footprints_of(np.array([values], dtype=np.float32), m)
    assert found.n_left[0] == n_left
    assert found.n_ranges[0] == max(len(edges) - 1, 0)
    assert found.edges[0, : len(edges)] == pytest.approx(edges, rel=1e-6)
    assert found.counts[0, :, 0].tolist() == counts + [0] * (m + 1 - len(counts))


@pytest.mark.parametrize("scale", [1e-45, 1e-38, 1e38])
def test_the_smallest_and_largest_numbers_have_ranges_like_any_other(scale: float) -> None:
    values = np.array([[-1, -0.4, 0, 1, 2, 3]], dtype=np.float64) * scale
    found = footprints_of(values.astype(np.float32), 4)
    assert found.counts[0].sum() == 6
    assert found.edges[0, found.n_left[0]] == 0


def test_footprints_of_a_thousand_classes() -> None:
    values = np.random.default_rng(0).normal(size=(3, 2000)).astype(np.float32)
    class_ids = np.arange(2000) % 1000
    found = count_ranges(values, class_ids, 1000, 30)
    np.testing.assert_array_equal(found.counts.sum(axis=1), np.full((3, 1000), 2))
    np.testing.assert_array_equal(found.counts.sum(axis=2), footprints_of(values, 30).counts[:, :, 0])


def test_no_units_and_no_images_are_no_fault() -> None:
    assert footprints_of(np.empty((0, 5), dtype=np.float32), 30).n_units == 0
    assert footprints_of(np.empty((2, 0), dtype=np.float32), 30).n_ranges.tolist() == [0, 0]


def test_a_transposed_matrix_is_counted_like_a_copy() -> None:
    values = np.random.default_rng(3).integers(-5, 6, (40, 7)).astype(np.float32)
    np.testing.assert_array_equal(footprints_of(values.T, 10).counts, footprints_of(values.T.copy(), 10).counts)


def test_blocks_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    values = adversarial_units(np.random.default_rng(2), 50, 30)
    at_once = footprints_of(values, 30)
    index = range_index(values, at_once.edges, at_once.n_ranges, at_once.n_left)
    monkeypatch.setattr(ranges, "_BLOCK_VALUES", 130)
    in_blocks = footprints_of(values, 30)
    np.testing.assert_array_equal(at_once.counts, in_blocks.counts)
    np.testing.assert_array_equal(at_once.edges, in_blocks.edges)
    np.testing.assert_array_equal(index, range_index(values, at_once.edges, at_once.n_ranges, at_once.n_left))


def test_extremes_alone_give_the_edges_that_the_values_do() -> None:
    values = adversarial_units(np.random.default_rng(4), 50, 30)
    found = footprints_of(values, 30)
    lo, hi = (extreme(values, axis=1).astype(np.float64) for extreme in (np.nanmin, np.nanmax))
    edges, n_ranges, n_left = range_edges(lo, hi, 30)
    np.testing.assert_array_equal(edges, found.edges)
    assert (n_ranges.tolist(), n_left.tolist()) == (found.n_ranges.tolist(), found.n_left.tolist())


def test_the_neuron_of_the_thesis(shared_data: Path) -> None:
    table = np.genfromtxt(shared_data / "thesis" / "df_unit_0.csv", delimiter=",", names=True)
    values = table["Value"].astype(np.float32)[None]
    labels = table["Label"].astype(np.int32)
    found = count_ranges(values, labels, 10, 30)
    edges = found.edges[0, : found.n_ranges[0] + 1]
    assert (edges[0], edges[-1]) == pytest.approx((-277.41824, 79.39351), abs=1e-4)
    assert (found.n_ranges[0], found.n_left[0]) == (31, 24)  # 277.42 / 11.89 and 79.39 / 11.89, both rounded up
    assert found.counts.sum() == len(labels)
    assert_like_the_oracle(values, 30)
    for class_id in np.unique(labels):
        expected, _ = np.histogram(values[0, labels == class_id].astype(np.float64), bins=edges)
        assert found.counts[0, :31, class_id].tolist() == expected.tolist()
