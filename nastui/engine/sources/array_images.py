"""Images that are rows of arrays, one row an image, as QuickDraw, MNIST and MedMNIST are handed out."""

from __future__ import annotations

import hashlib
import math
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nastui.engine.pictures import picture_of_array
from nastui.engine.sources.source import SourceImage
from nastui.errors import DataNotFound

_CHANNELS = (1, 3, 4)
_SHAPES = "Rows of images are N×H×W, N×H×W×C, N×C×H×W (C: 1, 3 or 4), or flat and square: N×784."

PixelArray = NDArray[Any]  # (N, …), one of the shapes above


@dataclass(frozen=True, slots=True)
class Rows:
    """An array of images under the name that its keys start with. `stamp`: changes when the file does."""

    name: str
    n_images: int
    stamp: str
    array: Callable[[], PixelArray]


@dataclass(frozen=True, slots=True)
class ArrayImages:
    """Images in one or several arrays, one after the other; `starts`: the index that each begins at."""

    spec: str
    root: Path
    classes: tuple[str, ...]
    labels: Sequence[int]
    arrays: Sequence[Rows]
    starts: Sequence[int]
    notes: tuple[str, ...] = ()

    def key(self, index: int) -> str:
        rows, row = self._find(index)
        return f"{rows.name}[{row}]"

    def stamp(self, index: int) -> str | None:
        return self._find(index)[0].stamp

    def load(self, index: int) -> SourceImage:
        rows, row = self._find(index)
        pixels = image_of_row(rows.array()[row])
        return SourceImage(picture_of_array(pixels), hashlib.sha256(pixels.tobytes()).hexdigest())

    def _find(self, index: int) -> tuple[Rows, int]:
        which = bisect_right(self.starts, index) - 1
        return self.arrays[which], index - self.starts[which]


def check_rows(shape: tuple[int, ...], dtype: np.dtype[Any], name: object) -> None:
    """Raise DataNotFound where an array of this shape and type has no images for rows."""
    if dtype.kind not in "biuf":
        raise DataNotFound(f"{name} holds {dtype}, which are no pixels.", hint=_SHAPES)
    flat = len(shape) == 2 and math.isqrt(shape[1]) ** 2 == shape[1] > 0
    colours = len(shape) == 4 and (shape[3] in _CHANNELS or shape[1] in _CHANNELS)
    if flat or colours or (len(shape) == 3 and 0 not in shape[1:]):
        return
    words = "×".join(f"{side:,}" for side in shape) or "a single number"
    why = f", and rows of {shape[1]:,} values are no square" if len(shape) == 2 else ""
    if len(shape) == 1:
        words, why = f"a row of {words} numbers", ", no images"
    raise DataNotFound(f"{name} is {words}{why}.", hint=_SHAPES)


def image_of_row(row: PixelArray) -> PixelArray:
    """(H, W) or (H, W, C) of a row that `check_rows` let pass, in this machine's byte order."""
    row = np.ascontiguousarray(row, dtype=row.dtype.newbyteorder("="))
    if row.ndim == 1:
        side = math.isqrt(len(row))
        return row.reshape(side, side)
    if row.ndim == 3 and row.shape[2] not in _CHANNELS:
        return np.ascontiguousarray(row.transpose(1, 2, 0))
    return row
