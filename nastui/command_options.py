"""The options that commands take. Those of `nastui scan` have the names of the parameters of `nastui.scan()`."""

from __future__ import annotations

import getpass
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from nastui.limits import DEFAULT_RANGES, MAX_RANGES
from nastui.numpy_import import import_numpy
from nastui.shell_completion import reviewers, run_files

Command = TypeVar("Command", bound=Callable[..., Any])


def names(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def numbers(text: str) -> tuple[float, ...]:
    try:
        return tuple(map(float, names(text)))
    except ValueError as exc:
        raise click.BadParameter(f"'{text}' is not made of numbers with commas between them.") from exc


A_PATH = click.Path(path_type=Path)

run_file = click.argument("file", type=A_PATH, shell_complete=run_files)
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
format_option = click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json", "csv", "tsv"]),
    default="table",
    show_default=True,
    help="csv and tsv have a heading; table is for reading.",
)
as_json_form = click.option("--json", "form", flag_value="json", help="The same as --format json.")


def usual_reviewer() -> str:
    """Who config.toml names, else who is at the keyboard, as far as the system says."""
    ctx = click.get_current_context(silent=True)
    if ctx is not None and ctx.resilient_parsing:
        return "me"  # a shell completes: nobody reviews, and it must not wait for the settings
    import_numpy()  # comes with the settings
    from nastui.settings import config_path, read_settings

    named = read_settings(config_path(os.environ)).reviewer
    if named is not None:
        return named
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user that has no name
        return "me"


def _a_name(_ctx: click.Context, _parameter: click.Parameter, value: str) -> str:
    if not value.strip() or not value.isprintable():
        raise click.BadParameter(f"'{value}' is no name.")
    return value.strip()


reviewer_option = click.option(
    "--reviewer",
    envvar="NASTUI_REVIEWER",
    default=usual_reviewer,
    show_default="the login name",
    callback=_a_name,
    metavar="NAME",
    shell_complete=reviewers,
    help="Who reviews: whose verdicts, tags, notes and kinds count. NASTUI_REVIEWER and config.toml say it too.",
)


def _together(*options: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """Several options as one decorator, in the order in which the help shows them."""

    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


model_options = _together(
    click.option(
        "--model",
        required=True,
        metavar="SPEC",
        help="torchvision:NAME[@WEIGHTS], timm:NAME[@pretrained], hf:FOLDER_OR_NAME, torchscript:FILE, exported:FILE, "
        "path/to/file.py:factory or package.module:factory.",
    ),
    click.option(
        "--weights",
        type=A_PATH,
        help="A file with the model's state_dict. nastui scan takes wildcards ('epoch*.pt'): a run a checkpoint.",
    ),
    click.option(
        "--layers",
        default="auto",
        show_default=True,
        metavar="GLOBS",
        help="Dotted names with wildcards, with commas between them; auto: every conv and linear module.",
    ),
    click.option(
        "--reduce",
        type=click.Choice(["max", "mean", "center", "sample", "none"]),
        default="max",
        show_default=True,
        help="How a channel's map becomes one number; with none every element is a unit.",
    ),
    click.option(
        "--tokens",
        type=click.Choice(["all", "class", "patches"]),
        default="all",
        show_default=True,
        help="Which tokens count in layers that give tokens.",
    ),
)

image_options = _together(
    click.option(
        "--data",
        required=True,
        metavar="SPEC",
        help="imagefolder:PATH, csv:FILE, npy:PATH, npz:FILE, tar:PATH, torchvision:NAME[:SPLIT], "
        "hf:PATH_OR_NAME[:SPLIT], digits:, path/to/file.py:factory or package.module:factory.",
    ),
    click.option("--download", is_flag=True, help="Get a set of torchvision: or hf: that is not here from its source."),
    click.option("--per-class", type=click.IntRange(min=1), help="So many images of each class, chosen by --seed."),
    click.option("--classes", type=names, metavar="NAMES", help="Only these classes, with commas between them."),
    click.option("--class-map", type=A_PATH, help="A file that says which class is which output of the model."),
    click.option("--size", metavar="PIXELS", help="Resize to PIXELS or HEIGHTxWIDTH."),
    click.option(
        "--mean",
        type=numbers,
        metavar="NUMBERS",
        help="Subtracted from the pixels (0 to 1): one number, or one a channel.",
    ),
    click.option("--std", type=numbers, metavar="NUMBERS", help="What the pixels are divided by after that."),
    click.option("--grayscale", is_flag=True, default=None, help="Turn the images grey."),
)

scan_options = _together(
    click.option("--out", required=True, type=A_PATH, help="The run's file, as a rule NAME.nas.db."),
    click.option("--force", is_flag=True, help="Replace a run that is in the way."),
    click.option("--batch-size", type=click.IntRange(min=1), default=32, show_default=True),
    click.option("--workers", type=click.IntRange(min=1), help="Threads that read images."),
    click.option(
        "--device", default="auto", show_default=True, help="cpu, cuda, cuda:1, mps; auto: the GPU if there is one."
    ),
    click.option(
        "--memory-format",
        type=click.Choice(["auto", "contiguous", "channels_last"]),
        default="auto",
        show_default=True,
        help="How images and maps lie in memory; auto: what a short trial on the first images finds faster.",
    ),
    click.option(
        "--precision",
        type=click.Choice(["float32", "bfloat16", "float16"]),
        default="float32",
        show_default=True,
        help="What the model computes in; others than float32 change values, by how much is said first.",
    ),
    click.option("--compile", "compiled", is_flag=True, help="Compile the model first, with torch.compile."),
    click.option("--seed", type=int, default=0, show_default=True, help="For --per-class and --reduce sample."),
    click.option(
        "--ranges",
        type=click.IntRange(1, MAX_RANGES),
        default=DEFAULT_RANGES,
        show_default=True,
        help="How many ranges a unit's values are cut into.",
    ),
    click.option(
        "--dtype",
        type=click.Choice(["float32", "float16"]),
        default="float32",
        show_default=True,
        help="How values are stored; float16 halves them, but not what else is in the file (places, previews, counts), "
        "and keeps three digits.",
    ),
)

terminal_options = _together(
    click.option(
        "--images",
        type=click.Choice(["auto", "kitty", "sixel", "half", "none"]),
        help="How pictures are drawn, where the terminal's own answer is wrong.",
    ),
    click.option(
        "--color", type=click.Choice(["auto", "truecolor", "256", "16", "none"]), help="How many colours are used."
    ),
)

look_options = _together(
    click.option(
        "--ranges", type=click.IntRange(1, MAX_RANGES), metavar="M", help="How many ranges a unit is shown in."
    ),
    click.option(
        "--widths",
        metavar="N,N",
        help="From how many images on a bar is medium and full, e.g. 4,12; auto: to fit the images per class.",
    ),
    click.option("--row-height", type=click.IntRange(1, 4), metavar="N", help="The height of a bar, 1 to 4 lines."),
    click.option("--pitch", type=click.IntRange(2, 4), metavar="N", help="The width of a range, 2 to 4 characters."),
)
