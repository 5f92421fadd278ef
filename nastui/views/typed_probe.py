"""What a person types to show the model an image: a path, and behind it a note."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from nastui.errors import UsageError
from nastui.views.completion import Completion
from nastui.views.plain import printable

_MOST = 200  # candidates: more are no help
_TYPED = re.compile(
    r"""\s*(?:'(?P<single>[^']*)'|"(?P<double>[^"]*)"|(?P<bare>(?:\\.|[^\s\\])+))(?:\s+(?P<note>.*))?"""
)
_OPEN = re.compile(r"\s*(?P<path>(?:\\.|[^\s\\'\"])*)")
_SPECIAL = re.compile(r"([\s\\'\"])")


@dataclass(frozen=True, slots=True)
class TypedProbe:
    """An image file or a folder of images, absolute, and a note, empty for none."""

    path: Path
    note: str

    @classmethod
    def read(cls, text: str) -> TypedProbe:
        """From what was typed: a path, with `\\` before a space or in quotes, ~ for home; what follows is the note.

        Raises UsageError where there is nothing of that name.
        """
        match = _TYPED.fullmatch(text.rstrip())
        if match is None:
            raise UsageError("Which image?", hint="Type the path of an image, or of a folder, and a note if you like.")
        quoted = match["single"] if match["single"] is not None else match["double"]
        typed = quoted if quoted is not None else re.sub(r"\\(.)", r"\1", match["bare"])
        path = Path(typed).expanduser().absolute()
        if not path.exists():
            raise UsageError(f"There is no {printable(typed)}.", hint="tab completes the path.")
        return cls(path, (match["note"] or "").strip())

    @property
    def words(self) -> str:
        """What will be done."""
        what = f"the images in {printable(self.path.name)}" if self.path.is_dir() else printable(self.path.name)
        return f"shows {what} to the model" + (f", noted: {printable(self.note)}" if self.note else "")

    def arguments(self, run: Path) -> list[str]:
        """The command of nastui that does it."""
        return ["probe", str(run), *(["--note", self.note] if self.note else []), "--", str(self.path)]


def complete_path(text: str, cursor: int) -> Completion:
    """The files and folders that the path at the start may become; nothing within a note or in quotes."""
    match = _OPEN.match(text)
    assert match is not None
    start, end = match.span("path")
    if not start <= cursor <= end:
        return Completion(cursor, cursor)
    typed = re.sub(r"\\(.)", r"\1", text[start:cursor])
    folder, _, begun = typed.rpartition("/")
    place = Path(folder + "/" if "/" in typed else ".").expanduser()
    try:
        with os.scandir(place) as entries:
            found = [(not entry.is_dir(), entry.name) for entry in entries if _fits(entry.name, begun)]
    except OSError:
        return Completion(start, cursor)
    prefix = f"{folder}/" if "/" in typed else ""
    names = [prefix + name + ("" if is_file else "/") for is_file, name in sorted(found)[:_MOST]]
    return Completion(start, end, tuple(_SPECIAL.sub(r"\\\1", name) for name in names))


def _fits(name: str, begun: str) -> bool:
    """Whether what was typed begins the name, whatever the case; hidden files only where a dot was typed."""
    is_wanted = not name.startswith(".") or begun.startswith(".")
    return is_wanted and name.casefold().startswith(begun.casefold()) and printable(name) == name
