"""The commands, each a few lines over one call. What is heavy is imported inside them, so help comes at once."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from nastui import __version__
from nastui.errors import NastuiError

BROKEN_PIPE = 141  # 128 + SIGPIPE, as a shell reports a program that the signal ended
INTERRUPTED = 130

run_file = click.argument("file", type=click.Path(path_type=Path))
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")


class Commands(click.Group):
    """A group in which `nastui FILE` means `nastui view FILE`, and a reader that leaves early is no error."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] not in self.commands and ("." in args[0] or os.sep in args[0] or Path(args[0]).exists()):
            args = ["view", *args]
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:
            # What is still buffered has no reader; without this the interpreter would complain on its way out.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            ctx.exit(BROKEN_PIPE)
        return result


@click.group(cls=Commands, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="nastui %(version)s")
@click.pass_context
def nastui(ctx: click.Context) -> None:
    """See a neuron through all images, sorted by its value, coloured by class.

    Start with `nastui demo`. `nastui FILE` opens a run, as `nastui view FILE` does.
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


@nastui.command()
@run_file
@click.argument("address", required=False)
@as_json
def show(file: Path, address: str | None, as_json: bool) -> None:
    """Print what is known of a run, a layer or a unit.

    ADDRESS is layer or layer:unit, e.g. classifier.4:317; without it the run is shown. A unit comes with its measures,
    its ranges with their counts by class, and the images at both ends.
    """
    from nastui.listings import details
    from nastui.printing import print_record
    from nastui.records import Address
    from nastui.store.reader import RunReader

    with RunReader(file) as run:
        print_record(details(run, Address.parse(address) if address else None), as_json=as_json)


@nastui.command()
@run_file
@as_json
def layers(file: Path, as_json: bool) -> None:
    """List the layers of a run."""
    from nastui.listings import layer_rows
    from nastui.printing import print_rows
    from nastui.store.reader import RunReader

    with RunReader(file) as run:
        print_rows(layer_rows(run), as_json=as_json)


@nastui.command()
@run_file
@click.argument("address", required=False)
@as_json
def units(file: Path, address: str | None, as_json: bool) -> None:
    """List the units of a layer, or of all layers, with their measures.

    ADDRESS is a layer, e.g. features.0, or one unit of it, e.g. features.0:5.
    """
    from nastui.listings import unit_rows
    from nastui.printing import print_rows
    from nastui.records import Address
    from nastui.store.reader import RunReader

    with RunReader(file) as run:
        print_rows(unit_rows(run, Address.parse(address) if address else None), as_json=as_json)


def execute(arguments: Sequence[str]) -> int:
    """Run nastui with these arguments; returns the exit status. Errors of our own become words on stderr."""
    for stream in (sys.stdout, sys.stderr):
        if reconfigure := getattr(stream, "reconfigure", None):
            reconfigure(errors="backslashreplace")
    try:
        status = nastui.main(list(arguments), prog_name="nastui", standalone_mode=False)
    except click.ClickException as exc:
        exc.show()
        return exc.exit_code
    except click.Abort:
        return INTERRUPTED
    except NastuiError as exc:
        _say(exc)
        return exc.exit_code
    return status if isinstance(status, int) else 0


def _say(error: NastuiError) -> None:
    from nastui.printing import printable

    click.echo(f"error: {printable(error.message)}", err=True)
    for line in error.hint.splitlines():
        click.echo(printable(line), err=True)


def main() -> None:
    """The console script."""
    sys.exit(execute(sys.argv[1:]))
