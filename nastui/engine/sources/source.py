"""What every kind of image set gives to a scan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from PIL import Image
from torch import Tensor


@dataclass(frozen=True, slots=True)
class SourceImage:
    """One decoded image.

    `picture`: upright, 8 bits, mode "L" or "RGB". `width`, `height`: pixels of the original, upright.
    `sha256`: of the file's bytes, None where there is no file.
    `tensor`: (C, H, W) float32 where the image set gives what the model takes; the picture is then only to look at.
    """

    picture: Image.Image
    sha256: str | None
    tensor: Tensor | None = None

    @property
    def width(self) -> int:
        return self.picture.width

    @property
    def height(self) -> int:
        return self.picture.height


class ImageSource(Protocol):
    """A labelled image set, indexed 0 … len(labels) - 1.

    `spec`: how a person named it. `classes`: names by class id. `labels`: the class id of each image.
    `root`: the absolute folder that the keys start from, None where the images are no files.
    `load` is called from several threads at once; a source that cannot bear that holds a lock of its own.
    """

    @property
    def spec(self) -> str: ...

    @property
    def root(self) -> Path | None: ...

    @property
    def classes(self) -> tuple[str, ...]: ...

    @property
    def labels(self) -> Sequence[int]: ...

    def key(self, index: int) -> str:
        """Where an image comes from: a path relative to the set, or `[index]`. Unique in the set."""
        ...

    def n_bytes(self, index: int) -> int | None:
        """The size of the image's file, None where there is none."""
        ...

    def load(self, index: int) -> SourceImage:
        """Read and decode one image. May raise anything that decoding raises; the loader records it."""
        ...
