"""The command that comes after `nastui doctor`: the scan that was asked for, as the findings would have it."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from nastui.store.parts import begun_spec, has_parts
from nastui.store.reader import RunReader

if TYPE_CHECKING:
    from nastui.engine.inspection.finding import Finding
    from nastui.records import RunSpec

_ENDING = ".nas.db"
_NOT_OF_SCANS = frozenset(("images", "color", "all_layers", "as_json"))  # options that the doctor alone has


@dataclass(frozen=True, slots=True)
class NextScan:
    """`command` as it is typed, and a line on what it is; empty for what was asked for, into a new file."""

    command: str
    note: str = ""


def next_scan(ctx: click.Context, model: str, data: str, spec: RunSpec, findings: Sequence[Finding]) -> NextScan:
    """The scan of `ctx`, in which options that a finding mends are mended, into a file that is not there yet or holds
    the beginning of this very scan (`spec`)."""
    mended: dict[str, str | None] = {}
    for finding in findings:
        mended = {**finding.options, **mended}  # the worst comes first, and decides
    words = ["nastui", "scan", "--model", model, "--data", data, *_options(ctx, mended)]
    name, note = _place(_stem(model), None if mended else spec)
    if mended:
        note = f"with {', '.join(f'--{option}' for option in mended)} as the findings say, not as given:"
    return NextScan(shlex.join([*words, "--out", name]), note)


def given(ctx: click.Context) -> list[click.Parameter]:
    """The options that stand on the command line."""
    return [
        param
        for param in ctx.command.params
        if isinstance(param, click.Option) and ctx.get_parameter_source(str(param.name)) is ParameterSource.COMMANDLINE
    ]


def _options(ctx: click.Context, mended: Mapping[str, str | None]) -> list[str]:
    words = []
    for param in given(ctx):
        if param.name in _NOT_OF_SCANS or param.name in mended:
            continue
        option, value = param.opts[0], ctx.params[str(param.name)]
        if isinstance(value, bool):
            words.append(option)
        else:
            text = ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
            words += [f"{option}={text}"] if text.startswith("-") else [option, text]
    return words + [f"--{option}={value}" for option, value in mended.items() if value is not None]


def _place(stem: str, spec: RunSpec | None) -> tuple[str, str]:
    """A name for the run's file, and what is to be said of it."""
    number = 1
    while True:
        name = f"{stem}{'' if number == 1 else f'-{number}'}{_ENDING}"
        path = Path(name)
        if not os.path.lexists(path) and not has_parts(path.resolve()):
            return name, ""
        if spec is not None and _is_unfinished(path.resolve(), spec):
            return name, f"goes on with the unfinished scan in {name}:"
        number += 1


def _is_unfinished(path: Path, spec: RunSpec) -> bool:
    """Whether this scan has begun in that file, or in parts beside it, and has not come to its end."""
    if begun_spec(path, spec) is None:
        return False
    if not path.exists():
        return True
    with RunReader(path) as run:
        return run.info().finished is None


def _stem(model: str) -> str:
    """A file name that tells what was looked at: the last word of the model's spec."""
    last = Path(model).name.rpartition(":")[2].partition("@")[0]
    return re.sub(r"[^\w.-]+", "-", last).strip("-.") or "run"
