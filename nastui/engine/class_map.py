"""Class map files: a person's own word on which output stands for which class."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from nastui.errors import ClassNotFound

_FORM = (
    "Write a line a class: class, then output name or number, apart by a comma or tab; or JSON {class: output}. "
    "ImageNet's own lists work too: index, WordNet id, name."
)


def read_class_map(path: Path) -> dict[str, str | int]:
    """Read class -> output (name or number) from a .csv, .tsv or .json file. Raises ClassNotFound.

    Lines of three cells or more that begin with a number are read as output, class name, other class name, …; the same
    holds for JSON of the form {"0": ["n01440764", "tench"]}. A name of several outputs that all have another one, as
    ImageNet's two cranes have their ids, stands for none of them; else it is refused.
    """
    try:
        text = path.read_text("utf-8-sig")
        rows = list(_json_rows(text) if path.suffix.lower() == ".json" else _table_rows(text))
    except OSError as exc:
        raise ClassNotFound(f"The class map {path} cannot be read: {exc.strerror}.", hint="Check --class-map.") from exc
    except UnicodeDecodeError as exc:
        raise ClassNotFound(f"The class map {path} is not UTF-8 text.", hint=_FORM) from exc
    except (ValueError, csv.Error) as exc:
        raise ClassNotFound(f"The class map {path} is not as expected: {exc}.", hint=_FORM) from exc
    if not rows:
        raise ClassNotFound(f"The class map {path} is empty.", hint=_FORM)
    return _unambiguous(rows, path)


def _unambiguous(rows: Sequence[tuple[str, str | int]], path: Path) -> dict[str, str | int]:
    outputs: dict[str, set[str | int]] = {}
    names: dict[str | int, set[str]] = {}
    for name, output in rows:
        outputs.setdefault(name, set()).add(output)
        names.setdefault(output, set()).add(name)
    for name, several in outputs.items():
        if len(several) > 1 and not all(len(names[output]) > 1 for output in several):
            words = " and ".join(sorted(map(str, several)))
            raise ClassNotFound(
                f"The class map {path} gives '{name}' the outputs {words}.", hint="Keep the line that is right."
            )
    return {name: output for name, output in rows if len(outputs[name]) == 1}


def _table_rows(text: str) -> Iterator[tuple[str, str | int]]:
    delimiter = "\t" if "\t" in text else ","
    for number, cells in enumerate(csv.reader(text.splitlines(), delimiter=delimiter), 1):
        cells = [cell.strip() for cell in cells]
        if not any(cells) or cells[0].startswith("#") or cells == ["class", "output"]:
            continue
        if len(cells) < 2 or not all(cells[:2]):
            raise ValueError(f"line {number} has one cell: '{cells[0]}'")
        yield from _entries(cells)


def _json_rows(text: str) -> Iterator[tuple[str, str | int]]:
    content: Any = json.loads(text)
    if not isinstance(content, dict):
        raise ValueError(f"it holds a {type(content).__name__}")
    for key, value in content.items():
        if isinstance(value, list):
            yield from _entries([key, *map(str, value)], is_output_first=True)
        elif isinstance(value, str | int):
            yield key, value
        else:
            raise ValueError(f"'{key}' has a {type(value).__name__}")


def _entries(cells: Sequence[str], *, is_output_first: bool = False) -> Iterator[tuple[str, str | int]]:
    if is_output_first or (len(cells) > 2 and cells[0].isdecimal()):
        if not cells[0].isdecimal():
            raise ValueError(f"'{cells[0]}' is no output number")
        yield from ((name, int(cells[0])) for name in cells[1:] if name)
    else:
        yield cells[0], int(cells[1]) if cells[1].isdecimal() else cells[1]
