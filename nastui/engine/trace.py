"""What a model calls, in which order and with what result: found by one forward pass over an example."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from nastui.engine.module_types import is_auto_layer, is_made_by, type_name
from nastui.engine.outputs import Steps, tensors_in, written
from nastui.engine.tokens import TokenEvidence
from nastui.engine.unit_axis import AxisEvidence, Value, told_grid, unit_dim
from nastui.errors import ScanError, UnsupportedOutput

_SAME = 1e-3  # of the largest value: rows of the same image differ by less
# What a model's code raises; AssertionError where torchvision and timm look at the size of images.
_FAILURES = (RuntimeError, TypeError, ValueError, LookupError, AssertionError, AttributeError, ArithmeticError)


@dataclass(frozen=True, slots=True)
class Call:
    """A tensor that one call of a module gave during the forward pass; one entry also for a call that gave none.

    `number` counts the calls of this module from 1. `address` is the path, with `#number` if there are several calls
    and `[index]` or `[key]` if the call gave several tensors; `steps` lead to the tensor in what it gave.
    `shape` is the tensor's without the batch dimension, `unit_dim` the dimension of it along which the units lie.
    `refusal` says why it cannot be captured, empty if it can.
    """

    path: str
    number: int
    address: str
    type: str
    is_auto: bool
    shape: tuple[int, ...] = ()
    unit_dim: int = 0
    refusal: str = ""
    steps: Steps = ()

    @property
    def has_tokens(self) -> bool:
        """Whether the tensor is a row of tokens by their features."""
        return len(self.shape) == 2 and self.unit_dim == 1


@dataclass(frozen=True, slots=True)
class Trace:
    """The calls in the order in which they end, the modules that were not called, and the model's own output.

    `not_called_auto`: those that `auto` would take. `by_attention`: those of these that nn.MultiheadAttention reads the
    weights of and never calls. `tokens`: what the model tells of its tokens.
    """

    calls: tuple[Call, ...]
    not_called: tuple[str, ...]
    not_called_auto: tuple[str, ...]
    by_attention: tuple[str, ...]
    tokens: TokenEvidence
    output: Tensor


def run_forward(module: nn.Module, images: Tensor) -> Tensor:
    """The model's output for a batch, as logits (B, K) where it is a model that classifies.

    Raises ScanError where the model does not take these images, UnsupportedOutput where it returns no tensor with a
    row per image.
    """
    try:
        output = module(images)
    except _FAILURES as exc:
        shape = "×".join(map(str, images.shape[1:]))
        reason = str(exc) if isinstance(exc, RuntimeError | ValueError) else f"{type(exc).__name__}: {exc}"
        raise ScanError(
            f"The model does not take images of shape {shape}: {reason.removesuffix(': ')}",
            hint="Check size, channels (grayscale) and the model's own transform.",
        ) from exc
    output = getattr(output, "logits", output)
    if not isinstance(output, Tensor):
        raise UnsupportedOutput(
            f"The model returns a {type(output).__name__}, not one tensor.",
            hint="Wrap it in a module whose forward returns the logits.",
        )
    if output.ndim == 0 or len(output) != len(images):
        raise UnsupportedOutput(
            f"The model returns shape {tuple(output.shape)} for {len(images)} images: not one row an image.",
            hint="Wrap it in a module whose forward returns the logits.",
        )
    return output


def trace_calls(module: nn.Module, example: Tensor) -> Trace:
    """Run `example` (B, ...) through the model once and note every call of every named module.

    The model should be in evaluation mode: layers behave differently otherwise.
    A module reachable under two names counts under its first; its calls are counted together.
    """
    named = {path: child for path, child in module.named_modules() if path}
    recorder, output = _recorded(module, named, example)
    seen = recorder.seen
    if recorder.is_doubtful:
        with suppress(ScanError):  # of a model that takes two images and no more
            longer, _ = _recorded(module, named, torch.cat([example, example[:1]]))
            seen = _in_both(seen, longer.seen)
    calls = tuple(_calls(seen))
    called = {call.path for call in calls}
    missing = {path: child for path, child in named.items() if path not in called}
    return Trace(
        calls,
        tuple(missing),
        tuple(path for path, child in missing.items() if is_auto_layer(child)),
        tuple(path for path in missing if _is_inside_attention(path, named)),
        TokenEvidence.of(module, _grids(calls, named)),
        output,
    )


def _recorded(module: nn.Module, named: Mapping[str, nn.Module], example: Tensor) -> tuple[_Recorder, Tensor]:
    """What the calls of the modules gave for the example, and the model's output."""
    recorder = _Recorder(len(example))
    handles = [
        child.register_forward_hook(
            recorder.hook(path, module.get_submodule(path.rpartition(".")[0])), with_kwargs=True
        )
        for path, child in named.items()
    ]
    try:
        with torch.inference_mode():
            return recorder, run_forward(module, example.clone())  # it may change its input in place
    finally:
        for handle in handles:
            handle.remove()


@dataclass(frozen=True, slots=True)
class _Seen:
    """A call as it ended: the tensors that can be captured, and why there are none if there are none."""

    path: str
    module: nn.Module
    tensors: tuple[tuple[Steps, Value], ...]
    refusal: str


_Hook = Callable[[nn.Module, tuple[object, ...], dict[str, object], object], None]


class _Recorder:
    """Keeps what every hooked call returned: shapes, evidence and refusals, never the tensors. `is_doubtful`: whether a
    tensor that has as many rows as there are images may have them for something else."""

    def __init__(self, batch: int) -> None:
        self.is_doubtful = False
        self._batch = batch
        self._axes = AxisEvidence()
        self.seen: list[_Seen] = []

    def hook(self, path: str, parent: nn.Module) -> _Hook:
        def note(module: nn.Module, inputs: tuple[object, ...], options: dict[str, object], output: object) -> None:
            taken = [tensor for _, tensor in tensors_in((inputs, list(options.values())))]
            given, refusal = _usable(output, self._batch)
            self.is_doubtful |= any(map(_may_have_other_rows, given.values()))
            values = self._axes.note(module, parent, taken, given.values())
            self.seen.append(_Seen(path, module, tuple(zip(given, values, strict=True)), refusal))

        return note


def _may_have_other_rows(tensor: Tensor) -> bool:
    """Whether the rows are not those of one image, of which the example is made; or the next dimension is as long, so
    that either could be the images. Then a batch of another length tells."""
    if tensor.shape[0] < 2 or (tensor.ndim > 2 and tensor.shape[1] == tensor.shape[0]):
        return tensor.shape[0] > 1
    rows = torch.nan_to_num(tensor.float())
    return rows.numel() > 0 and bool((rows - rows[:1]).abs().max() > _SAME * rows.abs().max())


def _in_both(some: Sequence[_Seen], others: Sequence[_Seen]) -> list[_Seen]:
    """The tensors that have a row per image for both numbers of images; the calls are the same ones in both."""
    found = []
    for one, other in zip(some, others, strict=False):
        steps = [step for step, _ in other.tensors]
        tensors = tuple((step, value) for step, value in one.tensors if step in steps)
        found.append(replace(one, tensors=tensors, refusal=one.refusal or ("" if tensors else other.refusal)))
    return found


def _usable(output: object, batch: int) -> tuple[dict[Steps, Tensor], str]:
    """The tensors with a row per image in what a module returned, each once, or why there are none."""
    found: dict[Steps, Tensor] = {}
    refusals = []
    for steps, tensor in tensors_in(output):
        refusal = _refusal(tensor, steps, batch)
        if refusal:
            refusals.append(refusal)
        elif all(tensor is not other for other in found.values()):
            found[steps] = tensor
    if found or refusals:
        return found, "" if found else refusals[0]
    return {}, f"returns a {type(output).__name__} without a tensor in it"


def _refusal(tensor: Tensor, steps: Steps, batch: int) -> str:
    """Why a tensor is no layer, empty if it is one."""
    shape = tuple(tensor.shape)
    if any(character in f"{step}" for step in steps for character in "/:,[]"):
        return f"returns a tensor under the name '{steps[-1]}', which cannot stand in an address"
    if tensor.ndim > 2 and shape[0] != batch == shape[1]:
        return f"returns shape {shape}, which has no row per image, or the images second (batch_first=False?)"
    if tensor.ndim > 2 and shape[0] > batch and shape[0] % batch == 0:
        return f"returns shape {shape}: {shape[0] // batch:,} rows an image, as of windows, and not one"
    if tensor.ndim < 2 or shape[0] != batch:
        return f"returns shape {shape}, which has no row per image"
    if not tensor.is_floating_point():
        return f"returns {tensor.dtype} numbers"
    return ""


def _calls(seen: Iterable[_Seen]) -> Iterator[Call]:
    """The calls with their addresses."""
    seen = list(seen)
    grids = {grid for one in seen for _, value in one.tensors if (grid := told_grid(value)) is not None}
    counts = Counter(one.path for one in seen)
    so_far: Counter[str] = Counter()
    for one in seen:
        so_far[one.path] += 1
        number = so_far[one.path]
        address = one.path if counts[one.path] == 1 else f"{one.path}#{number}"
        name, is_auto = type_name(one.module), is_auto_layer(one.module)
        if not one.tensors:
            yield Call(one.path, number, address, name, is_auto, refusal=one.refusal)
        for steps, value in one.tensors:
            where = address if len(one.tensors) == 1 else f"{address}{written(steps)}"
            dim = unit_dim(value, grids)
            along, refusal = (dim, "") if isinstance(dim, int) else (0, dim)
            yield Call(one.path, number, where, name, is_auto, value.shape, along, refusal, steps)


def _grids(calls: Iterable[Call], named: Mapping[str, nn.Module]) -> set[tuple[int, int]]:
    """Rows and columns of the maps that convolutions give."""
    return {
        (call.shape[1], call.shape[2])
        for call in calls
        if len(call.shape) == 3 and is_made_by(named[call.path], nn.Conv2d)
    }


def _is_inside_attention(path: str, named: Mapping[str, nn.Module]) -> bool:
    parent = named.get(path.rpartition(".")[0])
    return parent is not None and is_made_by(parent, nn.MultiheadAttention)
