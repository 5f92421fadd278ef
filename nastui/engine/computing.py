"""How a model is run: its memory format, its precision, compiled or not, and what that does to the values."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal, get_args

import torch
from torch import Tensor, nn

from nastui.engine.reduction import Reduction
from nastui.errors import UsageError

MemoryFormat = Literal["contiguous", "channels_last"]
Precision = Literal["float32", "bfloat16", "float16"]

AUTO = "auto"
TOLERANCE = 1e-4  # of the span of a layer's values: float32 sums in another order differ by less

_TORCH_FORMATS = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}
_TORCH_TYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


@dataclass(frozen=True, slots=True)
class Effect:
    """How far the first images' values are from those of a plain run, float32 and contiguous.

    `largest_difference`: of a layer's values, as a share of their span (highest minus lowest) in the plain run, where
    it is largest: in `layer`. `logits`: the same of the model's output. `predictions_changed`: of `images`.
    """

    images: int
    largest_difference: float
    layer: str
    logits: float
    predictions_changed: int


@dataclass(frozen=True, slots=True)
class Computing:
    """How a model is run on a device. `effect`: None for a plain run, and where nobody measured it."""

    device: str = "cpu"
    memory_format: MemoryFormat = "contiguous"
    precision: Precision = "float32"
    compiled: bool = False
    effect: Effect | None = None

    @property
    def is_plain(self) -> bool:
        return (self.memory_format, self.precision, self.compiled) == ("contiguous", "float32", False)

    def describe(self) -> str:
        """As JSON, the way a run keeps it."""
        words = asdict(self)
        return json.dumps({key: value for key, value in words.items() if key != "effect" or value is not None})

    @classmethod
    def read(cls, text: str) -> Computing:
        """What `describe` wrote. Of runs that do not say it: plain, as all were. Raises ValueError for other text."""
        known: Any = json.loads(text)
        if not isinstance(known, dict):
            raise ValueError(f"{text} says nothing of how a model is run")
        found = {one.name: known[one.name] for one in fields(cls) if one.name in known}
        is_known = found.get("memory_format", "contiguous") in _TORCH_FORMATS
        if not is_known or found.get("precision", "float32") not in _TORCH_TYPES:
            raise ValueError(f"{text} is no way to run a model that this nastui knows")
        effect = found.pop("effect", None)
        return cls(**found, effect=None if effect is None else Effect(**effect))

    def inputs(self, images: Tensor) -> Tensor:
        """The images (B, ...) as the model takes them."""
        return images.contiguous(memory_format=_TORCH_FORMATS[self.memory_format]) if images.ndim == 4 else images

    @contextmanager
    def with_weights_in_place(self, module: nn.Module) -> Iterator[None]:
        """The weights of 2-d convolutions in the memory format, inside the block; afterwards as and where they were."""
        wanted = _TORCH_FORMATS[self.memory_format]
        before = [(one, one.data) for one in module.parameters() if one.ndim == 4]
        try:
            for parameter, data in before:
                parameter.data = data.contiguous(memory_format=wanted)
            yield
        finally:
            for parameter, data in before:
                parameter.data = data

    def casting(self, device: torch.device) -> torch.autocast:
        """Automatic casts to the precision inside its block."""
        return torch.autocast(device.type, _TORCH_TYPES[self.precision], enabled=self.precision != "float32")


@dataclass(frozen=True, slots=True)
class ComputingOptions:
    """What a person asks of how the model is run. `memory_format`: None is the one that a trial finds faster."""

    memory_format: MemoryFormat | None = None
    precision: Precision = "float32"
    compiled: bool = False

    @classmethod
    def parse(cls, memory_format: str, precision: str, *, compiled: bool) -> ComputingOptions:
        """Raises UsageError for words that are none of these."""
        formats: tuple[MemoryFormat, ...] = get_args(MemoryFormat)
        precisions: tuple[Precision, ...] = get_args(Precision)
        if memory_format != AUTO and memory_format not in formats:
            raise UsageError(f"memory_format is '{memory_format}'.", hint=f"Give {AUTO}, {' or '.join(formats)}.")
        if precision not in precisions:
            raise UsageError(f"precision is '{precision}'.", hint=f"Give one of {', '.join(precisions)}.")
        chosen = None if memory_format == AUTO else formats[formats.index(memory_format)]
        return cls(chosen, precisions[precisions.index(precision)], compiled)

    def check(self, device: torch.device, reduction: Reduction) -> None:
        """Raises UsageError for what the device cannot do, or what does not go together."""
        if self.precision == "float16" and device.type == "cpu":
            raise UsageError("A CPU does not compute in float16.", hint="Choose bfloat16, or a GPU with --device.")
        if self.precision == "bfloat16" and device.type == "cuda" and not torch.cuda.is_bf16_supported():
            raise UsageError("This GPU does not compute in bfloat16.", hint="Choose float16.")
        if self.compiled and reduction == "sample":
            raise UsageError(
                "--compile and --reduce sample do not go together: the positions are drawn outside of the model.",
                hint="Leave one of them out.",
            )

    def contradicts(self, known: Computing) -> bool:
        """Whether a run that was begun in that way cannot be gone on with in this one."""
        asked = replace(known, memory_format=self.memory_format or known.memory_format)
        asked = replace(asked, precision=self.precision, compiled=self.compiled)
        return asked != known


def effect_words(computing: Computing) -> str | None:
    """A sentence on what a person asked for and should know the price of; None where values are the plain ones."""
    effect = computing.effect
    if effect is None or (computing.precision == "float32" and effect.largest_difference <= TOLERANCE):
        return None
    asked: list[str] = [computing.precision] if computing.precision != "float32" else []
    asked += ["compiling"] if computing.compiled else []
    asked = asked or ["channels last"]
    return (
        f"{' and '.join(asked)} changes values by up to {effect.largest_difference:.2%} of their layer's span"
        f" ({effect.layer}), logits by {effect.logits:.2%}, and {effect.predictions_changed} of"
        f" {effect.images} predictions, measured on the first images."
    )


def words(computing: Computing) -> str:
    """In words: "channels last, bfloat16, compiled"."""
    parts = [computing.memory_format.replace("_", " "), computing.precision, *(["compiled"] * computing.compiled)]
    return ", ".join(parts)
