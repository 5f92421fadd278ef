"""`imagefolder:PATH`: one folder a class, images in it at any depth."""

from __future__ import annotations

import hashlib
import io
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from PIL import Image

from nastui.engine.pictures import as_picture
from nastui.engine.sources.source import SourceImage
from nastui.errors import DataNotFound

SUFFIXES = frozenset((".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".pgm", ".pbm"))
_SPLITS = frozenset(("train", "training", "val", "valid", "validation", "test", "testing"))
_LAYOUT = "It needs one folder a class with the images in it: PATH/cat/1.jpg."


@dataclass(frozen=True, slots=True)
class ImageFolder:
    """The images below `root`. Classes and files stand in natural order: `2` before `10`."""

    spec: str
    root: Path
    classes: tuple[str, ...]
    labels: Sequence[int]
    paths: Sequence[str]  # relative to root, with forward slashes

    def key(self, index: int) -> str:
        return _text(self.paths[index])

    def n_bytes(self, index: int) -> int | None:
        try:
            return (self.root / self.paths[index]).stat().st_size
        except OSError:
            return None

    def load(self, index: int) -> SourceImage:
        data = (self.root / self.paths[index]).read_bytes()
        with Image.open(io.BytesIO(data)) as image:
            return SourceImage(as_picture(image), hashlib.sha256(data).hexdigest())


def open_source(location: str) -> ImageFolder:
    """List the images below a folder. Raises DataNotFound where there are none in class folders."""
    root = Path(location).expanduser().resolve()
    if not location or not root.is_dir():
        what = "is a file" if root.is_file() else "does not exist"
        raise DataNotFound(f"The folder {location or '(no path)'} {what}.", hint="Write imagefolder:PATH.")
    try:
        entries = list(os.scandir(root))
        folders = {entry.name: list(_image_paths(root / entry.name)) for entry in entries if _is_folder(entry)}
    except OSError as exc:
        raise DataNotFound(
            f"{exc.filename or root} cannot be read: {exc.strerror}.", hint="Check its permissions."
        ) from exc
    folders = {name: paths for name, paths in folders.items() if paths}
    _check_layout(root, folders, sum(_is_image(entry.name) for entry in entries))
    classes = sorted(folders, key=_natural)
    labels, paths = [], []
    for class_id, name in enumerate(classes):
        for path in sorted(folders[name], key=_natural):
            labels.append(class_id)
            paths.append(f"{name}/{path}")
    return ImageFolder(f"imagefolder:{location}", root, tuple(map(_text, classes)), labels, paths)


def _image_paths(folder: Path) -> Iterator[str]:
    """The images below `folder`, relative to it. Links are followed, each real folder once."""
    seen: set[tuple[int, int]] = set()
    for place, subfolders, files in os.walk(folder, followlinks=True, onerror=_raise):
        status = Path(place).stat()
        if (status.st_dev, status.st_ino) in seen:
            subfolders.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        subfolders[:] = [name for name in subfolders if not name.startswith(".")]
        inside = PurePath(place).relative_to(folder)
        yield from ((inside / name).as_posix() for name in files if _is_image(name))


def _check_layout(root: Path, folders: dict[str, list[str]], loose: int) -> None:
    if not folders and loose:
        raise DataNotFound(f"{root} holds {loose:,} images but no class folders.", hint=_LAYOUT)
    if not folders:
        raise DataNotFound(f"{root} holds no images ({', '.join(sorted(SUFFIXES))}).", hint=_LAYOUT)
    if _SPLITS.issuperset(name.lower() for name in folders):
        split = max(folders)
        raise DataNotFound(
            f"{root} holds the splits {', '.join(sorted(folders))}, not classes.",
            hint=f"Name one: imagefolder:{root / split}",
        )


def _is_folder(entry: os.DirEntry[str]) -> bool:
    return entry.is_dir() and not entry.name.startswith((".", "__MACOSX"))


def _is_image(name: str) -> bool:
    return PurePath(name).suffix.lower() in SUFFIXES and not name.startswith(".")


def _natural(name: str) -> tuple[list[tuple[bool, int, str]], str]:
    """Order numbers inside names by their value."""
    parts = re.findall(r"\d+|\D+", name)
    return [(not p.isdecimal(), int(p) if p.isdecimal() else 0, p.casefold()) for p in parts], name


def _text(name: str) -> str:
    """A file name as text that can be stored, whatever its bytes are."""
    return os.fsencode(name).decode("utf-8", "replace")


def _raise(error: OSError) -> None:
    raise error
