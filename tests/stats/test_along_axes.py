"""Values along computed axes, of images that the axes never saw."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.optimize import nnls

from nastui.basis_records import BasisInfo, BasisKind, Nonlinearity
from nastui.records import Float64
from nastui.stats.along_axes import nonnegative_coefficients, values_along

INFO = BasisInfo(
    basis_id=2,
    name="mine",
    kind=BasisKind.FILE,
    created="",
    options={},
    nonlinearity=Nonlinearity.IDENTITY,
    total_variance=1.0,
    fitted_on=np.ones(3, np.bool_),
    shift=np.array([1, 0, 2], np.float32),
    bias=np.array([0.5, -4], np.float32),
)
LOADINGS = np.array([[1, 2, 3], [0, -1, 0]], np.float32)


def test_linear_ones_by_hand_and_with_relu_what_is_above_zero() -> None:
    values = np.array([[2, 1, 2], [1, 1, 1], [np.nan, 0, 0]], np.float32)
    found = values_along(INFO, LOADINGS, values)
    assert found[:2].tolist() == [[1 + 2 + 0.5, -5], [2 - 3 + 0.5, -5]]
    assert np.isnan(found[2]).all()
    rectified = values_along(replace(INFO, nonlinearity=Nonlinearity.RELU), LOADINGS, values)
    assert rectified[:2].tolist() == [[3.5, 0], [0, 0]]


@settings(max_examples=150, deadline=None)
@given(
    st.tuples(st.integers(1, 6), st.integers(1, 8)).flatmap(
        lambda shape: st.tuples(
            arrays(np.float64, shape, elements=st.integers(0, 9).map(float)),
            arrays(np.float64, shape[1], elements=st.integers(0, 9).map(float)),
        )
    )
)
def test_non_negative_parts_are_as_near_as_scipys(problem: tuple[Float64, Float64]) -> None:
    axes, target = problem
    h = nonnegative_coefficients(axes, target)
    _, smallest = nnls(axes.T, target)
    assert (h >= 0).all()
    assert np.linalg.norm(h @ axes - target) == pytest.approx(smallest, abs=1e-6)


def test_many_parts_of_many_neurons() -> None:
    draw = np.random.default_rng(0)
    axes, target = draw.random((50, 400)), np.maximum(draw.standard_normal(400), 0)
    expected, _ = nnls(axes.T, target)
    assert nonnegative_coefficients(axes, target) == pytest.approx(expected, abs=1e-9)
