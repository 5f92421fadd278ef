"""`imagefolder:PATH`: one folder a class, images in it at any depth."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path, PurePath

from nastui.engine.file_kinds import no_such_kind
from nastui.engine.pictures import SUFFIXES
from nastui.engine.sources.files import FileImages
from nastui.engine.sources.location import whole_folder as parts
from nastui.engine.sources.names import as_text, natural
from nastui.errors import DataNotFound

__all__ = ["open_source", "parts"]

_SPLITS = frozenset(("train", "training", "val", "valid", "validation", "test", "testing"))
_LAYOUT = "It needs one folder a class with the images in it: PATH/cat/1.jpg."


def open_source(location: str) -> FileImages:
    """List the images below a folder, classes and files in natural order: `2` before `10`.

    Raises DataNotFound where there are none in class folders.
    """
    root = Path(location).expanduser().resolve()
    if root.is_file():
        message, hint = no_such_kind(root, "a folder")
        raise DataNotFound(message, hint=hint)
    if not location or not root.is_dir():
        raise DataNotFound(f"The folder {location or '(no path)'} does not exist.", hint="Write imagefolder:PATH.")
    try:
        entries = list(os.scandir(root))
        folders = {entry.name: list(_image_paths(root / entry.name)) for entry in entries if _is_folder(entry)}
    except OSError as exc:
        raise DataNotFound(
            f"{exc.filename or root} cannot be read: {exc.strerror}.", hint="Check its permissions."
        ) from exc
    folders = {name: paths for name, paths in folders.items() if paths}
    _check_layout(root, folders, sum(_is_image(entry.name) for entry in entries))
    classes = sorted(folders, key=natural)
    labels, paths = [], []
    for class_id, name in enumerate(classes):
        for path in sorted(folders[name], key=natural):
            labels.append(class_id)
            paths.append(f"{name}/{path}")
    return FileImages(f"imagefolder:{location}", root, tuple(map(as_text, classes)), labels, paths)


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


def _raise(error: OSError) -> None:
    raise error
