"""What the units of a computed basis give images, from what its layer's neurons gave them.

D: neurons of the layer, k: units of the basis.
"""

from __future__ import annotations

import numpy as np

from nastui.basis_records import BasisInfo, Nonlinearity
from nastui.records import Bool, Float32, Float64

_ZERO = 1e-10  # of the largest product of an axis with the values: so much is no gain


def values_along(info: BasisInfo, loadings: Float32, values: Float32) -> Float32:
    """The values of all units, (images, k), of `values` (images, D) along `loadings` (k, D).

    NaN where an image has a NaN or infinite neuron: these take no part in a basis.
    """
    found = np.full((len(values), len(loadings)), np.nan, dtype=np.float32)
    finite = np.isfinite(values).all(axis=1)
    exact = values[finite].astype(np.float64)
    if info.nonlinearity is Nonlinearity.NONNEGATIVE:
        axes = loadings.astype(np.float64)
        positive = np.maximum(exact, 0)
        found[finite] = [nonnegative_coefficients(axes, image) for image in positive] or np.empty((0, len(axes)))
        return found
    along = (exact - info.shift) @ loadings.T.astype(np.float64) + info.bias
    found[finite] = np.maximum(along, 0) if info.nonlinearity is Nonlinearity.RELU else along
    return found


def nonnegative_coefficients(axes: Float64, target: Float64) -> Float64:
    """The h ≥ 0, (k,), for which h · axes is nearest to `target` (D,); `axes` (k, D).

    Source: Lawson and Hanson, Solving Least Squares Problems (1974), algorithm NNLS, on the normal equations.
    """
    gram, products = axes @ axes.T, axes @ target
    h = np.zeros(len(axes))
    is_free = np.zeros(len(axes), dtype=np.bool_)
    enough = _ZERO * float(np.max(np.abs(products), initial=0))
    for _ in range(3 * len(axes)):
        gain = np.where(is_free, -np.inf, products - gram @ h)
        best = int(np.argmax(gain)) if len(gain) else 0
        if not len(gain) or gain[best] <= enough:
            break
        is_free[best] = True
        h = _inside(gram, products, h, is_free)
    return h


def _inside(gram: Float64, products: Float64, h: Float64, is_free: Bool) -> Float64:
    """The best h over the free coefficients; those that would fall below zero are bound again, in `is_free`."""
    while True:
        wanted = np.zeros(len(h))
        wanted[is_free] = np.linalg.lstsq(gram[np.ix_(is_free, is_free)], products[is_free], rcond=None)[0]
        falling = is_free & (wanted <= 0)
        if not falling.any():
            return wanted
        step = float(np.min(h[falling] / (h[falling] - wanted[falling] + 1e-300), initial=1))
        h = h + step * (wanted - h)
        is_free &= ~(falling & (h <= 1e-15 * float(np.max(h, initial=1e-300))))
        h = np.where(is_free, h, 0)
        if not is_free.any():
            return h
