"""`csv:FILE`: a table that says where each image is and of which class. `csv:FILE:PATHS,LABELS` names the columns."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePath
from typing import TextIO

from nastui.engine.pictures import SUFFIXES
from nastui.engine.sources.files import FileImages
from nastui.engine.sources.location import existing_file
from nastui.engine.sources.location import folder_of_file as parts
from nastui.engine.sources.names import LabelTable, names_beside
from nastui.errors import DataNotFound

__all__ = ["open_source", "parts"]

_PATHS = ("path", "file", "filename", "file_name", "filepath", "file_path", "image", "image_path", "img", "img_path")
_LABELS = ("label", "class", "target", "category", "class_name", "label_name", "species", "y", "labels", "class_id")
_FORM = "Its first line names the columns, path,label or the like; csv:FILE:PATHS,LABELS says which they are."


def open_source(location: str) -> FileImages:
    """List the images of a table. Paths start from the table's folder; whether the files are there shows when they are
    read. Commas, semicolons and tabs are understood. Raises DataNotFound for what the table lacks.
    """
    file, colon, columns = location.rpartition(":")
    if not colon or "," not in columns:
        file, columns = location, ""
    path = existing_file(file, "Write csv:FILE.")
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            return _read(lines, path, columns.split(",") if columns else [], f"csv:{location}")
    except UnicodeDecodeError as exc:
        raise DataNotFound(f"{path} is not UTF-8 text.", hint="Save it as a table of UTF-8 text.") from exc
    except (OSError, csv.Error) as exc:
        raise DataNotFound(f"{path} cannot be read: {exc}.", hint=_FORM) from exc


def _read(lines: TextIO, path: Path, wanted: Sequence[str], spec: str) -> FileImages:
    head = lines.readline()
    lines.seek(0)
    rows = csv.reader(lines, delimiter=max(",;\t", key=head.count))
    columns = next(rows, [])
    _check_heading(path, columns)
    place, label = _columns(path, columns, wanted)
    paths: list[str] = []
    table = LabelTable()
    for row in rows:
        if not any(map(str.strip, row)):
            continue
        if len(row) <= max(place, label) or not row[place].strip() or not row[label].strip():
            what = columns[place] if len(row) <= place or not row[place].strip() else columns[label]
            raise DataNotFound(f"{path} line {rows.line_num} has no {what}.", hint="Complete the line, or remove it.")
        paths.append(row[place].strip())
        table.add(row[label].strip())
    if not paths:
        raise DataNotFound(f"{path} lists no images.", hint=_FORM)
    classes, labels = table.numbered(names_beside(path.parent), path)
    paths = _from_folder(paths, path.parent)
    return FileImages(spec, path.parent, classes, labels, paths, _copies(paths))


def _check_heading(path: Path, columns: Sequence[str]) -> None:
    """Raise DataNotFound where the first line is no heading, or nothing is there."""
    if not columns:
        raise DataNotFound(f"{path} is empty, or begins with an empty line.", hint=_FORM)
    if any(PurePath(cell.strip()).suffix.lower() in SUFFIXES for cell in columns):
        raise DataNotFound(
            f"The first line of {path} is an image's already: {', '.join(columns)}.",
            hint="Put a line above it that names the columns, such as path,label.",
        )


def _columns(path: Path, columns: Sequence[str], wanted: Sequence[str]) -> tuple[int, int]:
    """Which columns have the paths and the labels."""
    have = [column.strip().casefold() for column in columns]
    found = []
    for names in ([name] for name in wanted) if wanted else (_PATHS, _LABELS):
        column = next((have.index(name.strip().casefold()) for name in names if name.strip().casefold() in have), None)
        if column is None:
            what = f"no column {names[0]}" if wanted else f"no column for {'paths' if names is _PATHS else 'labels'}"
            raise DataNotFound(f"{path} has {what}, only {', '.join(columns) or 'an empty line'}.", hint=_FORM)
        found.append(column)
    if len(found) != 2:
        raise DataNotFound(f"{len(found)} columns are named for {path}.", hint=_FORM)
    return found[0], found[1]


def _from_folder(paths: Iterable[str], folder: Path) -> list[str]:
    """Paths as keys: relative to the folder, also where they were absolute and lie in it."""
    start = f"{folder}/"
    return [_from_start(path, start) for path in paths]


def _from_start(path: str, start: str) -> str:
    if "\\" in path and "/" not in path:
        path = path.replace("\\", "/")  # written on Windows
    if path[0] in "./" or "/." in path or "//" in path:
        path = os.path.normpath(path)
    return path.removeprefix(start)


def _copies(paths: Sequence[str]) -> dict[int, int]:
    """How often a path was there before, by index, counting from 2, where it was."""
    if len(set(paths)) == len(paths):
        return {}
    seen: dict[str, int] = {}
    copies = {}
    for index, path in enumerate(paths):
        seen[path] = seen.get(path, 0) + 1
        if seen[path] > 1:
            copies[index] = seen[path]
    return copies
