"""What every kind of model comes to: one object that a scan can use."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image
from torch import nn

from nastui.engine.module_types import is_made_by
from nastui.engine.name_index import as_names
from nastui.errors import ModelNotFound, UsageError

Transform = Callable[[Image.Image], Any]


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A module in eval mode on the CPU and what is known about it.

    `transform`: from a PIL image to the module's input, None where nobody gave one.
    `classes`: names of the outputs in order, None where nobody gave them; not checked against the number of outputs.
    `weights`: the file, their publisher's name for them, or "" where the module came as it is; `is_random` where that
    means that it was built untrained, `published` then being a spec that has weights. `weights_sha256`: over the file,
    or over the tensors where there is no file.
    """

    module: nn.Module
    transform: Transform | None
    classes: tuple[str, ...] | None
    spec: str
    weights: str
    weights_sha256: str
    is_random: bool = False
    published: str = ""

    @property
    def input_channels(self) -> int | None:
        """Colour channels that the first 2-d convolution takes, None where there is none: 1 is grey, 3 is RGB."""
        first = next((m for m in self.module.modules() if is_made_by(m, nn.Conv2d)), None)
        if first is None:
            return None
        return first.in_channels if isinstance(first, nn.Conv2d) else int(first.get_parameter("weight").shape[1])


def file_with_weights(kind: str, location: str, weights: Path | None) -> Path:
    """The file of a model of that kind, which has its weights in it.

    Raises ModelNotFound where it is not there, UsageError where other weights were given.
    """
    path = Path(location).expanduser()
    if weights is not None:
        raise UsageError(f"{kind}:{location} holds its own weights.", hint="Leave --weights out.")
    if not path.is_file():
        what = f"{path} is a folder, not a file." if path.is_dir() else f"There is no file {path}."
        raise ModelNotFound(what, hint=f"Write {kind}:FILE, relative to this folder.")
    return path


def output_names(value: object, spec: str) -> tuple[str, ...] | None:
    """`CLASSES` or `.classes` as a tuple of names. Raises ModelNotFound where it is no sequence of names."""
    if value is None or callable(value):
        return None
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise ModelNotFound(
            f"The output names of {spec} are a {type(value).__name__}.", hint="Give CLASSES as a tuple of names."
        )
    return as_names(value)
