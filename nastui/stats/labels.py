"""The classes of the images, laid out so that sums over classes are quick."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nastui.records import Float64, Int64
from nastui.stats.finite import FiniteValues


@dataclass(frozen=True, slots=True)
class Labels:
    """The classes of N images. `ids`: (N,); `sizes`: (K,), images of each class; `order`: (N,), images class by class;
    `present`: classes with an image, and `starts`: where each of these starts in `order`.
    """

    ids: Int64
    sizes: Int64
    order: Int64
    present: Int64
    starts: Int64

    @classmethod
    def of(cls, class_ids: NDArray[np.integer[Any]], n_classes: int) -> Labels:
        """Lay out `class_ids`: (N,), 0 to n_classes - 1."""
        ids = class_ids.astype(np.int64)
        sizes = np.bincount(ids, minlength=n_classes)
        present = np.flatnonzero(sizes)
        return cls(ids, sizes, np.argsort(ids, kind="stable"), present, (np.cumsum(sizes) - sizes)[present])

    @property
    def starts_by_id(self) -> Int64:
        """Where each class starts in `order`, (K,); one without images where the next one does."""
        starts: Int64 = np.cumsum(self.sizes) - self.sizes
        return starts

    @property
    def n_classes(self) -> int:
        return len(self.sizes)

    def counts(self, values: FiniteValues) -> Int64:
        """How many finite values each class has, (U, K)."""
        if values.mask is None:
            return np.broadcast_to(self.sizes, (len(values.n), self.n_classes))
        return self.sums(values.mask[:, self.order]).astype(np.int64)

    def means(self, values: FiniteValues) -> Float64:
        """The mean of each class's finite values, (U, K), NaN for a class without any."""
        counts = self.counts(values)
        return np.where(counts > 0, self.sums(values.exact[:, self.order]) / np.maximum(counts, 1), np.nan)

    def sums(self, columns: NDArray[Any]) -> Float64:
        """The sums of `columns` (U, N), images class by class, over each class: (U, K), 0 for one without images."""
        sums = np.zeros((len(columns), self.n_classes))
        if len(self.present):
            sums[:, self.present] = np.add.reduceat(columns, self.starts, axis=1, dtype=np.float64)
        return sums
