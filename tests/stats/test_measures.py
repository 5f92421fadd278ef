"""The basic measures of units agree with NumPy and SciPy on their finite values."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import stats

from nastui.records import Float32
from nastui.stats import measures
from nastui.stats.measures import basic_measures, is_dead

UNITS = arrays.arrays(np.float32, st.tuples(st.integers(1, 4), st.integers(1, 12)))


def unit(*values: float) -> Float32:
    return np.array([values], dtype=np.float32)


@given(UNITS)
def test_measures_are_numpys_over_the_finite_values(values: Float32) -> None:
    found = basic_measures(values)
    for row, all_of_unit in enumerate(values.astype(np.float64)):
        finite = all_of_unit[np.isfinite(all_of_unit)]
        assert found.n[row] == len(finite)
        assert found.non_finite[row] == len(all_of_unit) - len(finite)
        assert found.zeros[row] == np.count_nonzero(finite == 0)
        if len(finite):
            scale = np.abs(finite).max()
            assert found.lo[row] == finite.min()
            assert found.hi[row] == finite.max()
            assert found.mean[row] == pytest.approx(finite.mean(), rel=1e-12, abs=1e-12 * scale)
            assert found.std[row] == pytest.approx(finite.std(), rel=1e-12, abs=1e-12 * scale)
            assert found.density[row] == np.mean(finite > 0)


def test_mean_and_spread_are_scipys() -> None:
    values = np.random.default_rng(0).normal(3, 2, (5, 1000)).astype(np.float32)
    found = basic_measures(values)
    for row in range(5):
        described = stats.describe(values[row].astype(np.float64), ddof=0)
        assert found.mean[row] == pytest.approx(described.mean, rel=1e-13)
        assert found.std[row] ** 2 == pytest.approx(described.variance, rel=1e-12)
        assert (found.lo[row], found.hi[row]) == described.minmax


def test_a_small_spread_round_a_large_mean_keeps_its_digits() -> None:
    values = unit(*(1_000_000 + offset for offset in (-1, 0, 1)))
    assert basic_measures(values).std[0] == pytest.approx(np.sqrt(2 / 3), rel=1e-12)


def test_a_unit_without_finite_values_has_no_measures() -> None:
    found = basic_measures(unit(np.nan, np.inf, -np.inf))
    assert (found.n[0], found.non_finite[0], found.zeros[0]) == (0, 3, 0)
    assert np.isnan([found.lo[0], found.hi[0], found.mean[0], found.std[0], found.density[0]]).all()


def test_no_images_at_all_is_no_fault() -> None:
    found = basic_measures(np.empty((2, 0), dtype=np.float32))
    assert found.n.tolist() == [0, 0]
    assert np.isnan(found.mean).all()


@pytest.mark.parametrize(
    ("values", "dead"),
    [((-1.0, 0.0), True), ((0.0, 0.0), True), ((-1.0, 1e-45), False), ((np.nan, np.inf), True), ((np.nan, 2.0), False)],
)
def test_dead_units_never_rise_above_zero(values: tuple[float, ...], dead: bool) -> None:
    assert is_dead(basic_measures(unit(*values))).tolist() == [dead]


def test_blocks_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(1).normal(size=(50, 30)).astype(np.float32)
    at_once = basic_measures(values)
    monkeypatch.setattr(measures, "_BLOCK_VALUES", 70)
    in_blocks = basic_measures(values)
    for name in ("n", "lo", "hi", "mean", "std", "density", "zeros", "non_finite"):
        np.testing.assert_array_equal(getattr(at_once, name), getattr(in_blocks, name))


def test_the_neuron_of_the_thesis(shared_data: Path) -> None:
    table = np.genfromtxt(shared_data / "thesis" / "df_unit_0.csv", delimiter=",", names=True)
    found = basic_measures(table["Value"].astype(np.float32)[None])
    assert found.lo[0] == pytest.approx(-277.41824, abs=1e-4)
    assert found.hi[0] == pytest.approx(79.39351, abs=1e-4)
    assert found.mean[0] == pytest.approx(table["Value"].mean(), rel=1e-6)
