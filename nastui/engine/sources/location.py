"""The folder inside a location, so that a set is found again when that folder is elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path, PurePath

from nastui.engine.file_kinds import no_such_kind
from nastui.errors import DataNotFound

# What stands before the folder in a location, the folder, and what stands after it: together they are the location.
Parts = tuple[str, str, str]

_WILD = re.compile(r"[*?\[{]")
_BRACES = re.compile(r"\{([^{}]*)\}")
_NUMBERS = re.compile(r"(\d+)\.\.(\d+)")


def no_folder(location: str) -> Parts:
    return "", "", location


def whole_folder(location: str) -> Parts:
    return "", location, ""


def folder_of_file(location: str) -> Parts:
    """`lists/birds.csv` has the folder `lists`."""
    folder, slash, name = location.rpartition("/")
    return "", folder or slash or ".", f"/{name}"


def folder_of_pattern(location: str, suffix: str) -> Parts:
    """`shards/{00..09}.tar` has the folder `shards`, and so has `shards` itself; a wildcard or `suffix` ends it."""
    parts = PurePath(location).parts
    for count, part in enumerate(parts):
        if _WILD.search(part) or (count == len(parts) - 1 and part.lower().endswith(suffix)):
            return "", str(PurePath(*parts[:count])), "/" + "/".join(parts[count:])
    return whole_folder(location)


def existing_file(location: str, hint: str) -> Path:
    """The file, absolute. Raises DataNotFound with `hint`."""
    path = Path(location).expanduser().resolve()
    if not location or not path.is_file():
        if location and path.is_dir():
            raise DataNotFound(f"{location} is a folder, not a file.", hint=hint)
        raise DataNotFound(f"The file {location or '(no path)'} does not exist.", hint=hint)
    return path


def files_of_pattern(location: str, suffix: str, hint: str) -> tuple[Path, list[str]]:
    """The folder of a pattern, absolute, and the files that fit, relative to it, in no order.

    Braces name files, of which each must be there; `*`, `?`, `[…]` and `**` look for what is there. A folder stands for
    its files with `suffix`. Raises DataNotFound with `hint`.
    """
    _, folder, pattern = folder_of_pattern(location, suffix)
    root = Path(folder or ".").expanduser().resolve()
    if root.is_file():
        message, advice = no_such_kind(root, f"a {suffix} file by its name")
        raise DataNotFound(message, hint=advice)
    if not location or not root.is_dir():
        what = "file or folder" if PurePath(folder).suffix else "folder"
        raise DataNotFound(f"There is no {what} {folder or '(no path)'}.", hint=hint)
    found: dict[str, None] = {}
    for name in _expanded(pattern.lstrip("/") or f"*{suffix}"):
        is_wild = _WILD.search(name) is not None
        paths = [path for path in (root.glob(name) if is_wild else [root / name]) if path.is_file()]
        if not paths:
            raise DataNotFound(f"{root} holds no {name}.", hint=hint)
        found.update((path.relative_to(root).as_posix(), None) for path in paths)
    return root, list(found)


def _expanded(pattern: str) -> Iterator[str]:
    """`a{0..2}` as a0, a1, a2, `{x,y}` as x, y; leading zeros are kept."""
    match = _BRACES.search(pattern)
    if match is None:
        yield pattern
        return
    ends = _NUMBERS.fullmatch(match[1])
    choices = match[1].split(",")
    if ends:
        width = len(ends[1])
        choices = [f"{number:0{width}}" for number in range(int(ends[1]), int(ends[2]) + 1)]
    for choice in choices:
        yield from _expanded(pattern[: match.start()] + choice + pattern[match.end() :])
