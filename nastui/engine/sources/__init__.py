"""Image sets by kind: `imagefolder:PATH`, `digits:`, a person's factory, or a dataset object.

A new kind is a file here with `open_source(location) -> ImageSource` and one line in KINDS.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from nastui.engine.sources import digits, factory, imagefolder
from nastui.engine.sources.source import ImageSource, SourceImage
from nastui.errors import DataNotFound

__all__ = ["KINDS", "ImageSource", "SourceImage", "load_source"]

KINDS: Mapping[str, Callable[[str], ImageSource]] = {
    "digits": digits.open_source,
    "imagefolder": imagefolder.open_source,
}


def load_source(data: str | Any) -> ImageSource:
    """Open an image set by its spec, or take a map-style dataset as it is. Raises DataNotFound."""
    if not isinstance(data, str):
        return factory.DatasetSource(data, f"{type(data).__module__}.{type(data).__qualname__}")
    kind, colon, location = data.partition(":")
    if colon and kind in KINDS:
        return KINDS[kind](location)
    if colon:
        return factory.open_source(data)
    kinds = ", ".join(f"{name}:…" for name in sorted(KINDS))
    hint = f"Did you mean imagefolder:{data}?" if Path(data).is_dir() else f"Write {kinds} or path/to/file.py:factory."
    raise DataNotFound(f"'{data}' names no image set.", hint=hint)
