"""Which classes a layer is most selective for, from its footprints."""

from __future__ import annotations

import numpy as np

from nastui.records import Float64, Footprints, Int32, Int64


def owned_top(footprints: Footprints, class_sizes: Int64) -> Float64:
    """How much of its units' highest values each class owns, (K,); the higher, the more selective the units for it.

    Of every unit the highest ranges are taken until they hold as many images as a class has on average. A class that
    has a larger share there than in the whole run scores the surplus. `class_sizes`: (K,) images per class.
    """
    n_images = int(class_sizes.sum())
    wanted = max(n_images / max(len(class_sizes), 1), 1)
    order = _ranges_from_the_top(footprints)
    falling: Int32 = np.take_along_axis(footprints.counts, order[..., None], axis=1)
    held: Int64 = falling.sum(axis=2, dtype=np.int64)
    is_top = np.cumsum(held, axis=1) - held < wanted
    top: Int64 = np.where(is_top[..., None], falling, 0).sum(axis=1, dtype=np.int64)  # (U, K)
    shares = top / np.maximum(top.sum(axis=1, keepdims=True), 1)
    surplus: Float64 = np.maximum(shares - class_sizes / max(n_images, 1), 0).max(axis=0)
    return surplus


def _ranges_from_the_top(footprints: Footprints) -> Int64:
    """(U, m + 1): each unit's ranges from the highest down, then the unused places."""
    places = np.arange(footprints.counts.shape[1])
    n_ranges = footprints.n_ranges[:, None].astype(np.int64)
    return np.where(places < n_ranges, n_ranges - 1 - places, places)
