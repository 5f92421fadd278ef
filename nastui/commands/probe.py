"""`nastui probe`: images shown to a run's model after the scan, to try something out."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nastui.command_options import A_PATH, as_json_form, format_option, names, run_file
from nastui.commands.rebuild_options import rebuild_options_for_one, said_anew
from nastui.errors import DataNotFound, UsageError
from nastui.numpy_import import import_numpy

if TYPE_CHECKING:
    from nastui.engine.probing import Probed
    from nastui.printing import Form, Value
    from nastui.probe_records import ProbeInfo

COLUMNS = ("probe", "source", "width", "height", "prediction", "top5", "note")


def _ids(_ctx: click.Context, _parameter: click.Parameter, text: str | None) -> tuple[int, ...]:
    wanted = () if text is None else names(text)
    if text is not None and not (wanted and all(name.isdecimal() for name in wanted)):
        raise click.BadParameter(f"'{text}' is not made of probes' numbers with commas between them.")
    return tuple(map(int, wanted))


@click.command()
@run_file
@click.argument("images", nargs=-1, type=A_PATH, metavar="[IMAGE]...")
@click.option("--note", metavar="TEXT", help="Kept with each of them, in place of a note that is there.")
@click.option("--list", "lists", is_flag=True, help="Print the probes that the run has.")
@click.option("--remove", callback=_ids, metavar="NUMBERS", help="Remove these probes, e.g. 1,3.")
@rebuild_options_for_one
@format_option
@as_json_form
def probe(
    file: Path,
    images: tuple[Path, ...],
    note: str | None,
    lists: bool,
    remove: tuple[int, ...],
    device: str,
    form: Form,
    **options: Any,
) -> None:
    """Show a run's model other images, to try something out.

    IMAGE is a file, or a folder with images. What all layers give them is kept in the run, apart from its own images:
    no count and no measure changes. The interface marks where they fall, `nastui show RUN layer:unit` says it. The same
    file again takes its own place.

    The model comes from where the run says it was; what is elsewhere by now is said anew. Other weights and another
    preparation of the images are refused. The run's own images are only needed to check that the model's code still
    answers as it did.
    """
    if (bool(images), lists, bool(remove)).count(True) != 1:
        raise UsageError("What is to be done?", hint="Name images, or say --list or --remove NUMBERS.")
    import_numpy()
    from nastui.printing import print_table
    from nastui.store.probes import remove_probes
    from nastui.store.reader import RunReader

    probed = _probe(file, images, note, device, options) if images else None
    if remove:
        remove_probes(file, remove)
    with RunReader(file) as run:
        probes = [one for one in run.probes() if probed is None or one.id in probed.ids]
    print_table(COLUMNS, _rows(probes, form), form)
    if probed is not None and probed.failures:
        raise _failed(probed.failures, len(probes))


def _probe(file: Path, images: Sequence[Path], note: str | None, device: str, options: dict[str, Any]) -> Probed:
    """Show them with a bar; what a person should know goes to stderr."""
    from rich.console import Console

    from nastui.engine.probing import Probing, find_images, probe_images
    from nastui.progress import Bar, stop_on_signal

    found = find_images(images)
    command = shlex.join(["nastui", *sys.argv[1:]])
    with stop_on_signal() as stop, Bar(Console(stderr=True)) as bar:

        def report(done: int, total: int) -> None:
            bar.update("Probing", done, total, unit="images")

        probing = Probing(note, device, command, report, lambda remark: bar.say(f"note: {remark}"), stop)
        return probe_images(file, found, probing, said_anew(**options))


def _rows(probes: Sequence[ProbeInfo], form: Form) -> Iterator[list[Value]]:
    for one in probes:
        logits: list[Value] = [{"output": name, "logit": logit} for name, logit in one.top5]
        words = ", ".join(f"{name} {logit:.4g}" for name, logit in one.top5)
        top5: Value = logits if form == "json" else words
        yield [one.id, one.source, one.width, one.height, one.predicted, top5, one.note]


def _failed(failures: Sequence[str], n_probed: int) -> DataNotFound:
    from nastui.engine.probing import failure_words

    n_images = n_probed + len(failures)
    return DataNotFound(
        f"{len(failures):,} of {n_images:,} images could not be shown to the model.",
        hint="\n".join([*failure_words(failures), *(["The others are probes now."] if n_probed else [])]),
    )
