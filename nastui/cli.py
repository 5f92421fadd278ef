"""The commands, each a few lines over one call. What is heavy is imported inside them, so help comes at once."""

from __future__ import annotations

import gc
import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nastui import __version__
from nastui.command_options import (
    as_json,
    image_options,
    look_options,
    model_options,
    reviewer_option,
    run_file,
    scan_options,
    terminal_options,
)
from nastui.commands.ablation import ablate
from nastui.commands.bases import basis, variance
from nastui.commands.completion import completion
from nastui.commands.doctor import doctor
from nastui.commands.extra_arguments import too_many_words
from nastui.commands.groups import groups
from nastui.commands.measure import measure
from nastui.commands.points import points
from nastui.commands.probe import probe
from nastui.commands.reports import export, report
from nastui.commands.reviews import kind, note, redo, tag, undo, verdict
from nastui.commands.said import agree, import_, reviews
from nastui.commands.suspects import similar, suspects
from nastui.commands.units import query, units
from nastui.errors import NastuiError, UsageError
from nastui.numpy_import import import_numpy
from nastui.shell_completion import run_files

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem
    from rich.segment import Segment

    from nastui.app import NastuiApp

BROKEN_PIPE = 141  # 128 + SIGPIPE, as a shell reports a program that the signal ended
INTERRUPTED = 130


class Commands(click.Group):
    """A group in which `nastui FILE` means `nastui view FILE`, and a reader that leaves early is no error."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] not in self.commands and ("." in args[0] or os.sep in args[0] or Path(args[0]).exists()):
            args = ["view", *args]
        return super().resolve_command(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Commands, and the runs that `nastui FILE` opens."""
        offered = [*super().shell_complete(ctx, incomplete), *run_files(ctx, None, incomplete)]
        return sorted(offered, key=lambda item: item.type == "plain")

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
@model_options
@image_options
@scan_options
def scan(**options: Any) -> None:
    """Record what the units of a model answer to a set of images.

    Ctrl-C stops a scan cleanly; the same command goes on where it stopped. The file can be looked at meanwhile. Started
    by `torchrun --nproc-per-node N -m nastui scan …`, N processes share the images.

    With --weights 'epoch*.pt' each checkpoint gets a run: --out run.nas.db means run.epoch1.nas.db and so on, and
    {name} in it stands for the checkpoint's name.
    """
    from nastui.commands.checkpoints import checkpoint_files, scan_checkpoints
    from nastui.scanning import scan_with_bar

    command = shlex.join(["nastui", *sys.argv[1:]])
    if files := checkpoint_files(options["weights"]):
        del options["weights"]
        for finished in scan_checkpoints(files, command=command, **options):
            click.echo(finished)
        return
    if (path := scan_with_bar(command=command, **options)) is not None:
        click.echo(path)


@nastui.command()
@run_file
@click.argument("address", required=False)
@reviewer_option
@terminal_options
@look_options
def view(file: Path, address: str | None, **options: Any) -> None:
    """Open a run in the terminal, at ADDRESS (layer or layer:unit) if one is given.

    `nastui FILE` does the same. What is not given here comes from config.toml.
    """
    _open(file, address, **options)


@nastui.command()
@click.option("--fresh", is_flag=True, help="Train and scan anew.")
@click.option("--no-open", is_flag=True, help="Only say where the run is.")
@reviewer_option
@terminal_options
def demo(fresh: bool, no_open: bool, **options: Any) -> None:
    """Train a small network on handwritten digits, scan it and open it.

    What it makes is kept in the user's cache folder.
    """
    from nastui.scanning import demo_with_bar

    path = demo_with_bar(fresh=fresh)
    click.echo(path)
    if not no_open and sys.stdin.isatty() and sys.stdout.isatty():
        _open(path, None, **options)


@nastui.command()
@run_file
@click.argument("address", required=False)
@reviewer_option
@click.option("--digest", is_flag=True, help="Print a sha256 over all that the run holds, and over each table.")
@as_json
def show(file: Path, address: str | None, reviewer: str, digest: bool, as_json: bool) -> None:
    """Print what is known of a run, a layer or a unit.

    ADDRESS is layer or layer:unit, e.g. classifier.4:317; without it the run is shown. A unit comes with its measures,
    its ranges with their counts by class, and the images at both ends. Two runs with the same digest hold the same,
    wherever, whenever and however often stopped they were made.
    """
    import_numpy()
    from nastui.listings import content, details
    from nastui.printing import print_record
    from nastui.records import Address
    from nastui.store.reader import RunReader

    with RunReader(file, reviewer) as run:
        if digest and address:
            raise UsageError(f"The digest is of the whole run, not of {address}.", hint=f"nastui show {file} --digest")
        found = content(file) if digest else details(run, Address.parse(address) if address else None)
        print_record(found, as_json=as_json)


@nastui.command()
@run_file
@reviewer_option
@as_json
def layers(file: Path, reviewer: str, as_json: bool) -> None:
    """List the layers of a run."""
    import_numpy()
    from nastui.listings import layer_rows
    from nastui.printing import print_rows
    from nastui.store.reader import RunReader

    with RunReader(file, reviewer) as run:
        print_rows(layer_rows(run), as_json=as_json)


# Commands with a file of their own.
for command in (
    *(doctor, measure, basis, variance, ablate, groups, probe, units, query, verdict, tag, note, kind, undo, redo),
    *(reviews, agree, suspects, similar, points, report, export, import_, completion),
):
    nastui.add_command(command)


def _open(
    file: Path,
    address: str | None,
    *,
    reviewer: str,
    images: str | None,
    color: str | None,
    widths: str | None = None,
    **look: int | None,
) -> None:
    """Run the interface on a file. The terminal is asked before Textual is imported, the file before the terminal."""
    import_numpy()
    from nastui.addresses import find_layer
    from nastui.records import Address
    from nastui.settings import config_path, read_settings
    from nastui.store.reader import RunReader
    from nastui.terminal import open_terminal

    start = Address.parse(address) if address else None
    settings = read_settings(config_path(os.environ)).with_look(look, widths)
    with RunReader(file, reviewer) as run:
        layer = find_layer(run, start) if start is not None else None
        settings.set_defaults(os.environ)
        with open_terminal(images=images, color=color) as terminal:
            standing: list[list[Segment]] = []
            if start is not None and layer is not None and start.unit is None:
                from nastui.first_look import show_first_page

                standing = show_first_page(run, layer, terminal, settings)
            from nastui.store.reviews import Reviews

            with Reviews(file, reviewer) as reviews:
                app = _import_app()(run, start, terminal, settings, standing, reviews)
                app.run()
                app.leave()
    if app.return_code:
        click.get_current_context().exit(app.return_code)


def _import_app() -> type[NastuiApp]:
    """The app's class. What importing makes stays, so the garbage collector leaves it alone: a tenth of the time."""
    gc.disable()
    try:
        from nastui.app import NastuiApp
    finally:
        gc.freeze()
        gc.enable()
    return NastuiApp


def execute(arguments: Sequence[str]) -> int:
    """Run nastui with these arguments; returns the exit status. Errors of our own become words on stderr."""
    for stream in (sys.stdout, sys.stderr):
        if reconfigure := getattr(stream, "reconfigure", None):
            reconfigure(errors="backslashreplace")
    try:
        status = nastui.main(list(arguments), prog_name="nastui", standalone_mode=False)
    except click.ClickException as exc:
        return _say(_as_usage_error(exc, arguments))
    except click.Abort:
        return INTERRUPTED
    except NastuiError as exc:
        return _say(exc)
    return status if isinstance(status, int) else 0


def _as_usage_error(error: click.ClickException, arguments: Sequence[str]) -> UsageError:
    """click's complaint in our words' form: what happened, then what to do."""
    ctx = error.ctx if isinstance(error, click.UsageError) else None
    if type(error) is click.UsageError and ctx is not None and (known := too_many_words(ctx, arguments)):
        return known
    return UsageError(error.format_message(), hint=f"See {ctx.command_path if ctx else 'nastui'} --help.")


def _say(error: NastuiError) -> int:
    """Write an error of our own to stderr; returns its exit status."""
    from nastui.printing import escaped

    for line in f"error: {error}".splitlines():
        click.echo(escaped(line), err=True)
    return error.exit_code


def main() -> None:
    """The console script."""
    sys.exit(execute(sys.argv[1:]))
