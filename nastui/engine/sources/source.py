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
    `sha256`: of the file's bytes, or of the pixels where many images share a file; None where a dataset made it.
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
    `root`: the absolute folder that the keys start from, or that the files with the images lie in; None where they lie
    in no folder. `notes`: what a person should know of how the set was read.
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

    @property
    def notes(self) -> tuple[str, ...]: ...

    def key(self, index: int) -> str:
        """Where an image comes from: a path relative to the root, with `[row]` inside a file, or `[index]`. Unique."""
        ...

    def stamp(self, index: int) -> str | None:
        """What is known without reading the image and changes when its file does, as the file's size in bytes."""
        ...

    def load(self, index: int) -> SourceImage:
        """Read and decode one image. May raise anything that decoding raises; the loader records it.

        A NastuiError says that the whole set cannot be used, and ends the scan.
        """
        ...
