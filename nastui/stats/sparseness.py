"""How a unit's values are spread, whatever the classes: sparse, peaked, in two heaps. U: units.

Every function takes the finite values of U units and returns (U,).
"""

from __future__ import annotations

import numpy as np

from nastui.records import Bool, Float64
from nastui.stats.finite import FiniteValues


def lifetime_sparseness(values: FiniteValues) -> Float64:
    """Treves and Rolls's sparseness as Vinje and Gallant (2000) scale it: (1 - A) / (1 - 1/n), A = (Σr/n)² / (Σr²/n).

    0 where all values are equal, 1 where one alone is not 0: [4, 3, 2, 1] gives 0.2222. NaN where a value is negative,
    where all are 0, and for fewer than two values.
    """
    squares = _squares(values) / np.maximum(values.n, 1)
    is_defined = (values.n > 1) & (squares > 0) & (values.lo >= 0)
    activity = _ratio(values.mean**2, squares, is_defined)
    return _ratio(1 - activity, 1 - 1 / np.maximum(values.n, 1), is_defined)


def hoyer_sparseness(values: FiniteValues) -> Float64:
    """Hoyer's (2004) sparseness (√n - ‖x‖₁ / ‖x‖₂) / (√n - 1): [4, 3, 2, 1] gives 0.174258.

    0 where all values are equally far from 0, 1 where one alone is not 0. NaN where all are 0, and for fewer than two.
    """
    length = np.sqrt(_squares(values))
    is_defined = (values.n > 1) & (length > 0)
    root = np.sqrt(values.n)
    return _ratio(root - _ratio(np.abs(values.exact).sum(axis=1), length, is_defined), root - 1, is_defined)


def bimodality(values: FiniteValues) -> Float64:
    """The bimodality coefficient (g² + 1) / (k + 3(n - 1)² / ((n - 2)(n - 3))), g skewness and k excess kurtosis, both
    corrected for bias as SAS does (Pfister et al. 2013).

    Uniform values tend to 5/9. NaN for fewer than four values and where they do not vary.
    """
    is_defined = (values.n > 3) & values.varies
    n = np.where(is_defined, values.n, 4).astype(np.float64)
    squares = values.distance * values.distance  # of float32 numbers: their fourth powers are numbers in float64
    second = squares.sum(axis=1) / n
    third = np.einsum("un,un->u", squares, values.distance) / n
    fourth = np.einsum("un,un->u", squares, squares) / n
    skew = np.sqrt(n * (n - 1)) / (n - 2) * _ratio(third, second**1.5, is_defined)
    excess = (n - 1) / ((n - 2) * (n - 3)) * ((n + 1) * _ratio(fourth, second**2, is_defined) - 3 * (n - 1))
    return _ratio(skew**2 + 1, excess + 3 * (n - 1) ** 2 / ((n - 2) * (n - 3)), is_defined)


def _squares(values: FiniteValues) -> Float64:
    squares: Float64 = np.einsum("un,un->u", values.exact, values.exact)
    return squares


def _ratio(above: Float64, below: Float64, is_defined: Bool) -> Float64:
    ratio: Float64 = np.divide(above, below, out=np.full(len(above), np.nan), where=is_defined)
    return ratio
