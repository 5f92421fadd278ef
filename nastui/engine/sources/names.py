"""Names of files and classes as text, in the order that people give them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from nastui.errors import DataNotFound

NAMES_FILE = "classes.txt"
_NAMED_KINDS = ("csv", "npz", "tar", "wds")  # image sets that look for it


def natural(name: str) -> tuple[list[tuple[bool, int, str]], str]:
    """Order numbers inside names by their value."""
    parts = re.findall(r"\d+|\D+", name)
    return [(not p.isdecimal(), int(p) if p.isdecimal() else 0, p.casefold()) for p in parts], name


def as_text(name: str) -> str:
    """A file name as text that can be stored, whatever its bytes are."""
    return os.fsencode(name).decode("utf-8", "replace")


def names_beside(folder: Path) -> tuple[str, ...] | None:
    """The lines of `classes.txt` in a folder: the names of the classes 0, 1, …; None where there is none.

    Raises DataNotFound where it cannot be read.
    """
    path = folder / NAMES_FILE
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as exc:
        raise DataNotFound(f"{path} cannot be read: {exc}.", hint="It needs a class name a line, as UTF-8.") from exc
    while lines and not lines[-1].strip():
        lines.pop()
    return tuple(line.strip() for line in lines)


def may_have_names(spec: str) -> bool:
    """Whether a file with the names of the classes may lie beside the images of this spec."""
    return spec.partition(":")[0] in _NAMED_KINDS


class LabelTable:
    """Labels as they are written down, one image after the other, to be numbered when all are known."""

    def __init__(self) -> None:
        self._ids: dict[str, int] = {}
        self._labels: list[int] = []

    def add(self, label: str) -> None:
        self._labels.append(self._ids.setdefault(label, len(self._ids)))

    def extend(self, labels: Iterable[str]) -> None:
        for label in labels:
            self.add(label)

    def numbered(self, names: Sequence[str] | None, where: object) -> tuple[tuple[str, ...], list[int]]:
        """The classes and each image's class id.

        With `names` a label is a position in them, from 0, or one of them. Without, each label is a class of its own
        name, in natural order. Raises DataNotFound where `names` lack a label; `where` is what has the labels.
        """
        if names is None:
            classes = sorted(self._ids, key=natural)
            new = {label: number for number, label in enumerate(classes)}
        else:
            classes = list(names)
            new = {label: _position(label, classes, where) for label in self._ids}
        order = [new[label] for label in self._ids]
        return tuple(classes), [order[label] for label in self._labels]


def _position(label: str, names: list[str], where: object) -> int:
    if label in names:
        return names.index(label)
    if label.isascii() and label.isdecimal() and int(label) < len(names):
        return int(label)
    raise DataNotFound(
        f"{where} has the label {label}, but there are {len(names):,} class names.",
        hint=f"Labels are numbers from 0 to {len(names) - 1}, or the names themselves.",
    )
