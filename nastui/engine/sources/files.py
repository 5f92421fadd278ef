"""Images that are files of their own."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from nastui.engine.pictures import open_picture
from nastui.engine.sources.names import as_text
from nastui.engine.sources.source import SourceImage


@dataclass(frozen=True, slots=True)
class FileImages:
    """Files by their `paths`, with forward slashes, from `root` on or absolute.

    `copies`: by index, of images that are listed before: 2 for the second time, and so on. A file may be missing: then
    this image cannot be loaded.
    """

    spec: str
    root: Path
    classes: tuple[str, ...]
    labels: Sequence[int]
    paths: Sequence[str]
    copies: Mapping[int, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def key(self, index: int) -> str:
        path = as_text(self.paths[index])
        return f"{path}#{self.copies[index]}" if index in self.copies else path

    def stamp(self, index: int) -> str | None:
        """The size of the file in bytes."""
        try:
            # A third of what Path takes; the set may have a million files.
            return str(os.stat(os.path.join(self.root, self.paths[index])).st_size)  # noqa: PTH116, PTH118
        except OSError:
            return None

    def load(self, index: int) -> SourceImage:
        data = (self.root / self.paths[index]).read_bytes()
        return SourceImage(open_picture(data), hashlib.sha256(data).hexdigest())
