"""`nastui doctor`: what the terminal can show; with a model and images, what a scan of them would be."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nastui.command_options import image_options, model_options, scan_options, terminal_options
from nastui.errors import ScanInterrupted, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from nastui.engine.doctor import Diagnosis

# Options of `nastui scan` that mean nothing before there is a run: the doctor has all others.
NOT_FOR_DOCTOR = frozenset(("model", "data", "out", "force", "distributed"))
_TERMINAL = frozenset(("images", "color"))
_LISTED = 4
_UNITS = {"Trying": "images", "Reading": "images", "Comparing": "ways"}


@click.command()
@model_options
@image_options
@scan_options
def _scan(**_options: Any) -> None:
    """Holds the options of `nastui scan`, in the order of its help."""


def _with_options_of_scan(command: Callable[..., Any]) -> Callable[..., Any]:
    return _together(command, [param for param in _scan.params if param.name not in NOT_FOR_DOCTOR])


def _together(command: Callable[..., Any], params: list[click.Parameter]) -> Callable[..., Any]:
    vars(command).setdefault("__click_params__", []).extend(reversed(params))
    return command


@click.command()
@click.argument("model", required=False)
@click.argument("data", required=False)
@terminal_options
@_with_options_of_scan
@click.option("--all-layers", is_flag=True, help="List all layers that could be captured, not only those chosen.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
@click.pass_context
def doctor(
    ctx: click.Context,
    /,
    model: str | None,
    data: str | None,
    images: str | None,
    color: str | None,
    all_layers: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Say what the terminal can show; with MODEL and DATA, what a scan of them would be.

    MODEL and DATA are what --model and --data are for nastui scan, and so are the other options. Some of the images are
    scanned for a few seconds, into a file that is thrown away. Printed are the layers, whatever looks wrong, what the
    whole scan would take, and its command.
    """
    if model is None:
        _say_of_terminal(ctx, images, color)
    elif data is None:
        raise UsageError("A model was given, but no images.", hint="Write nastui doctor MODEL DATA.")
    else:
        _say_of_scan(ctx, model, data, options, all_layers=all_layers, as_json=as_json)


def _say_of_terminal(ctx: click.Context, images: str | None, color: str | None) -> None:
    from nastui.commands.next_scan import given
    from nastui.settings import config_path, read_settings
    from nastui.terminal import describe_terminal

    if needless := [param for param in given(ctx) if param.name not in _TERMINAL]:
        raise UsageError(
            f"{needless[0].opts[0]} belongs to a model and images.", hint="Write nastui doctor MODEL DATA."
        )
    path = config_path(os.environ)
    read_settings(path).set_defaults(os.environ)
    click.echo(describe_terminal(images=images, color=color))
    click.echo(f"settings\n  {path}{'' if path.exists() else ' (not there: everything is as it comes)'}")


def _say_of_scan(
    ctx: click.Context, model: str, data: str, options: dict[str, Any], *, all_layers: bool, as_json: bool
) -> None:
    from nastui.commands.diagnosis_text import diagnosis_lines, diagnosis_record
    from nastui.commands.next_scan import next_scan
    from nastui.printing import print_record

    found = _diagnose(model, data, {**options, "weights": _one_file(options["weights"])})
    after = next_scan(ctx, model, data, found.plan.spec, found.examination.findings)
    if as_json:
        print_record(diagnosis_record(found, after), as_json=True)
        return
    for line in diagnosis_lines(found, after, all_layers=all_layers):
        click.echo(line)


def _one_file(weights: Path | None) -> Path | None:
    """The file of weights, for a pattern the one that it matches. Raises UsageError where it matches several."""
    from nastui.commands.checkpoints import checkpoint_files

    files = checkpoint_files(weights)
    if len(files) > 1:
        shown = "".join(f"\n  {path}" for path in files[:_LISTED])
        more = f"\n  … and {len(files) - _LISTED:,} more" if len(files) > _LISTED else ""
        raise UsageError(
            f"{weights} matches {len(files):,} files, and nastui doctor looks at one model.",
            hint=f"Name one of them:{shown}{more}",
        )
    return files[0] if files else weights


def _diagnose(model: str, data: str, options: dict[str, Any]) -> Diagnosis:
    from rich.console import Console

    from nastui.engine.doctor import diagnose
    from nastui.progress import Bar, raise_on_signal

    stopped = ScanInterrupted("Stopped.", hint="Nothing is left behind.")
    with raise_on_signal(stopped), Bar(Console(stderr=True)) as bar:
        return diagnose(
            model,
            data,
            on_step=lambda what, done, total: bar.update(what, done, total, unit=_UNITS[what]),
            **options,
        )
