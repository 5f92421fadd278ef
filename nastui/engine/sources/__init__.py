"""Image sets by kind: `imagefolder:PATH`, `csv:FILE`, …, a person's factory, or a dataset object.

A new kind is a file here with `open_source(location) -> ImageSource`, `parts(location)`, and one line in KINDS.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from nastui.engine.factories import misspelt
from nastui.engine.sources import (
    csv_list,
    digits,
    factory,
    hf,
    imagefolder,
    npy,
    npz,
    tar,
    torchvision_sets,
)
from nastui.engine.sources.location import Parts
from nastui.engine.sources.source import ImageSource, SourceImage
from nastui.errors import DataNotFound, UsageError

__all__ = ["KINDS", "ImageSource", "SourceImage", "folder_in", "load_again", "load_source"]


class SourceKind(Protocol):
    """A module that opens image sets of a kind."""

    def open_source(self, location: str) -> ImageSource:
        """Raises DataNotFound."""
        ...

    def parts(self, location: str) -> Parts:
        """The folder in a location that the set's `root` is, with what stands before and after it."""
        ...


KINDS: Mapping[str, SourceKind] = {
    "csv": csv_list,
    "digits": digits,
    "hf": hf,
    "imagefolder": imagefolder,
    "npy": npy,
    "npz": npz,
    "tar": tar,
    "torchvision": torchvision_sets,
    "wds": tar,
}

_FILES = ("csv", "npz")  # of these a set is a file, never a folder

_DOWNLOADED: Mapping[str, Callable[..., ImageSource]] = {
    "hf": hf.open_source,
    "torchvision": torchvision_sets.open_source,
}


def load_source(data: str | Any, *, download: bool = False) -> ImageSource:
    """Open an image set by its spec, or take a dataset as it is.

    `download`: get it from where it is published, if it is not here. Raises DataNotFound; UsageError where there is
    nothing to download.
    """
    kind, colon, location = data.partition(":") if isinstance(data, str) else ("", "", "")
    if download:
        if kind not in _DOWNLOADED:
            what = data if isinstance(data, str) else "a dataset in hand"
            raise UsageError(
                f"There is nothing to download for {what}.", hint=f"Only for {': and '.join(sorted(_DOWNLOADED))}:."
            )
        return _DOWNLOADED[kind](location, download=True)
    if not isinstance(data, str):
        return factory.take_dataset(data, f"{type(data).__module__}.{type(data).__qualname__}")
    if colon and kind in KINDS:
        return _open(kind, location)
    if colon:
        if meant := misspelt(kind, KINDS):
            raise DataNotFound(f"There are no image sets '{kind}:'.", hint=f"Did you mean {meant}:{location}?")
        return factory.open_source(data)
    kinds = ", ".join(f"{name}:…" for name in sorted(KINDS))
    hint = _guess(data) or f"Write {kinds} or path/to/file.py:factory."
    raise DataNotFound(f"'{data}' names no image set.", hint=hint)


def _open(kind: str, location: str) -> ImageSource:
    """Open a set of this kind; where the path is of another kind, that is what the error advises."""
    try:
        return KINDS[kind].open_source(location)
    except DataNotFound as exc:
        meant = _guess(location) if not Path(location).is_dir() or kind in _FILES else ""
        if not meant or meant == f"Did you mean {kind}:{location}?" or not Path(location).exists():
            raise
        raise DataNotFound(exc.message, hint=meant) from exc


def folder_in(data: str) -> str:
    """The folder in a spec, "" where there is none."""
    kind, _, location = data.partition(":")
    return str(Path(KINDS[kind].parts(location)[1]).expanduser()) if kind in KINDS and location else ""


def load_again(data: str, folders: Sequence[Path]) -> ImageSource:
    """Open the set with its folder replaced by the first of `folders` in which it is. Raises DataNotFound."""
    kind, _, location = data.partition(":")
    before, _, after = KINDS[kind].parts(location)
    first: DataNotFound | None = None
    for folder in filter(Path.is_dir, folders):
        try:
            return KINDS[kind].open_source(f"{before}{folder}{after}")
        except DataNotFound as exc:
            first = first or exc
    if first is not None:
        raise first
    return load_source(data)


def _guess(data: str) -> str:
    """What somebody may have meant who gave a path alone."""
    path = Path(data)
    if path.is_dir():
        return f"Did you mean imagefolder:{data}?"
    kind = {".csv": "csv", ".tsv": "csv", ".npy": "npy", ".npz": "npz", ".tar": "tar"}.get(path.suffix.lower())
    return f"Did you mean {kind}:{data}?" if kind else ""
