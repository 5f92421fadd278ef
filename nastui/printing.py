"""Plain records as JSON, as aligned text or with separators on stdout.

It is data for other programs: no colour, no markup, no cut at the terminal's width.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Literal

import click
from rich.cells import cell_len

from nastui.formulas import shielded

Value = str | int | float | bool | None | list["Value"] | dict[str, "Value"]
Record = Mapping[str, Value]

Form = Literal["table", "json", "csv", "tsv"]

_NOTHING = "-"


def print_rows(rows: Iterable[Record], *, as_json: bool) -> None:
    """Rows as one JSON array, an element a line, or as a table whose columns are the first row's keys."""
    if not as_json:
        _print_lines(_table(rows))
        return
    separator = "["
    for row in rows:
        click.echo(f"{separator}\n{_json(row)}", nl=False)
        separator = ","
    click.echo("[]" if separator == "[" else "\n]")


def print_table(columns: Sequence[str], rows: Iterable[Sequence[Value]], form: Form) -> None:
    """Rows with a heading: aligned, or for other programs. JSON is an array of objects, an element a line; csv and tsv
    leave a field empty where there is no value, and write 1 and 0 for yes and no."""
    if form == "json":
        print_rows((dict(zip(columns, row, strict=True)) for row in rows), as_json=True)
    elif form == "csv":
        _print_lines(",".join(map(_csv_field, row)) for row in chain([columns], rows))
    elif form == "tsv":
        _print_lines("\t".join(map(_field, row)) for row in chain([columns], rows))
    else:
        _print_lines(aligned(columns, [*rows]))


def print_record(record: Record, *, as_json: bool) -> None:
    """One JSON object, or a line a key; keys that hold a list of objects become tables of their own below."""
    click.echo(_json(record, indent=2)) if as_json else _print_lines(_page(record))


def _json(value: Record, indent: int | None = None) -> str:
    """JSON in ASCII, so that it is the same bytes in every locale; NaN and the infinities, which it lacks, are null."""
    return json.dumps(_finite(dict(value)), indent=indent, allow_nan=False)


def _finite(value: Value) -> Value:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_finite(inner) for inner in value]
    return value


def _print_lines(lines: Iterable[str]) -> None:
    for line in lines:
        click.echo(line)


def _page(record: Record) -> Iterator[str]:
    tables = {key: value for key, value in record.items() if _is_table(value)}
    facts = {key: value for key, value in record.items() if key not in tables}
    width = max(map(len, facts))
    yield from (f"{key.ljust(width)}  {_text(value)}".rstrip() for key, value in facts.items())
    for key, rows in tables.items():
        assert isinstance(rows, list)
        yield ""
        yield f"{key}:"
        yield from (f"  {line}" for line in _table(row for row in rows if isinstance(row, dict)))


def _is_table(value: Value) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(row, dict) for row in value)


def _table(rows: Iterable[Record]) -> Iterator[str]:
    """The rows as a table; nothing where there are none."""
    kept = list(rows)
    if kept:
        yield from aligned([*kept[0]], [[*row.values()] for row in kept])


def aligned(columns: Sequence[str], rows: Sequence[Sequence[Value]]) -> Iterator[str]:
    """A heading and the rows, columns as wide as their widest text; numbers stand to the right."""
    texts = [[escaped(name) for name in columns], *([_text(value) for value in row] for row in rows)]
    widths = [max(map(cell_len, column)) for column in zip(*texts, strict=True)]
    is_number = [all(isinstance(row[i], int | float | None) for row in rows) for i in range(len(columns))]
    for row in texts:
        yield "  ".join(map(_padded, row, widths, is_number)).rstrip()


def _padded(text: str, width: int, to_the_right: bool) -> str:
    space = " " * (width - cell_len(text))
    return space + text if to_the_right else text + space


def _text(value: Value) -> str:
    """A value as text of one line, in which nothing can act on the terminal."""
    if value is None or (isinstance(value, float) and math.isnan(value)) or value == []:
        return _NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.5g}"
    if isinstance(value, dict):
        return ", ".join(f"{escaped(key)}: {_text(inner)}" for key, inner in value.items())
    if isinstance(value, list):
        return " ".join(map(_text, value))
    return escaped(str(value))


def _field(value: Value) -> str:
    """A value as a field of its own: with all digits, on one line, in which nothing can act on the terminal."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, bool):
        return str(int(value))
    return repr(value) if isinstance(value, float) else escaped(str(value))


def _csv_field(value: Value) -> str:
    """As RFC 4180 has it; lines and tabs of a text stay what they are, and what looks like a formula becomes none."""
    if isinstance(value, str):
        text = shielded("".join(c if c in "\n\t" else escaped(c) for c in value))
    else:
        text = _field(value)
    return f'"{text.replace(chr(34), chr(34) * 2)}"' if any(c in text for c in ',"\n') else text


def escaped(text: str) -> str:
    """`text` with control characters, direction marks and lone surrogates written as escapes such as \\x07."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def duration(seconds: float) -> str:
    """A length of time as a person says it: 40 s, 12 min, 3.5 h."""
    if seconds < 90:
        return f"{seconds:.0f} s" if seconds >= 1 else "under 1 s"
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < 90 else f"{minutes / 60:.1f} h"
