"""`digits:`, `digits:train`, `digits:test`: scikit-learn's handwritten digits, which need no download."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from nastui.engine.sources.location import no_folder as parts
from nastui.engine.sources.source import SourceImage
from nastui.errors import DataNotFound

__all__ = ["Digits", "open_source", "parts"]

_HIGHEST = 16  # pixels are counts 0..16
_TEST_SHARE = 0.3


@dataclass(frozen=True, slots=True)
class Digits:
    """8×8 grey digits, `indices` of the 1,797 in scikit-learn's order. Keys are scikit-learn's indices."""

    spec: str
    pixels: NDArray[np.uint8]  # (1797, 8, 8), 0..255
    labels: Sequence[int]
    indices: Sequence[int]

    @property
    def root(self) -> None:
        return None

    @property
    def notes(self) -> tuple[str, ...]:
        return ()

    @property
    def classes(self) -> tuple[str, ...]:
        return tuple("0123456789")

    def key(self, index: int) -> str:
        return f"[{self.indices[index]}]"

    def stamp(self, index: int) -> str | None:
        return None

    def load(self, index: int) -> SourceImage:
        pixels = self.pixels[self.indices[index]]
        return SourceImage(Image.fromarray(pixels), hashlib.sha256(pixels.tobytes()).hexdigest())


def open_source(split: str) -> Digits:
    """All digits, or those of a split: "test" is the 30 % of each class whose index hashes lowest, "train" the rest."""
    from sklearn.datasets import load_digits

    if split not in ("", "train", "test"):
        raise DataNotFound(f"The digits have no split '{split}'.", hint="Write digits:, digits:train or digits:test.")
    bunch = load_digits()
    labels = [int(label) for label in bunch.target]
    test = set(_test_indices(labels))
    indices = [i for i in range(len(labels)) if not split or (i in test) == (split == "test")]
    pixels = (bunch.images * (255 / _HIGHEST)).round().astype(np.uint8)
    return Digits(f"digits:{split}", pixels, [labels[i] for i in indices], indices)


def _test_indices(labels: Sequence[int]) -> list[int]:
    chosen: list[int] = []
    for digit in sorted(set(labels)):
        members = [i for i, label in enumerate(labels) if label == digit]
        members.sort(key=lambda i: hashlib.sha256(f"digits {i}".encode()).digest())
        chosen += members[: round(len(members) * _TEST_SHARE)]
    return chosen
