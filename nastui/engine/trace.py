"""What a model calls, in which order and with what result: found by one forward pass over an example."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from nastui.errors import ScanError, UnsupportedOutput

_UNITS_LAST = (nn.Linear, nn.Bilinear, nn.LayerNorm, nn.Embedding)
_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
_UNITS_FIRST = (
    *_CONVOLUTIONS,
    nn.BatchNorm1d,
    nn.InstanceNorm1d,
    nn.GroupNorm,
    nn.MaxPool1d,
    nn.AvgPool1d,
    nn.AdaptiveMaxPool1d,
    nn.AdaptiveAvgPool1d,
)


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a module during the forward pass.

    `number` counts the calls of this module from 1. `address` is the path, with `#number` if there are several calls.
    `shape` is the output's without the batch dimension, `unit_dim` the dimension of it along which the units lie.
    `refusal` says why the output cannot be captured, empty if it can.
    """

    path: str
    number: int
    address: str
    type: str
    is_auto: bool
    shape: tuple[int, ...] = ()
    unit_dim: int = 0
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class Trace:
    """The calls in the order in which they end, the modules that were not called, and the model's own output."""

    calls: tuple[Call, ...]
    not_called: tuple[str, ...]
    not_called_auto: tuple[str, ...]
    output: Tensor


def is_auto_layer(module: nn.Module) -> bool:
    """Whether `auto` captures this module: convolutions and linear layers, whose outputs precede the nonlinearity."""
    return isinstance(module, (*_CONVOLUTIONS, nn.Linear))


def run_forward(module: nn.Module, images: Tensor) -> Tensor:
    """The model's output for a batch, as logits (B, K) where it is a model that classifies.

    Raises ScanError where the model does not take these images, UnsupportedOutput where it returns no tensor.
    """
    try:
        output = module(images)
    except (RuntimeError, TypeError, ValueError, IndexError) as exc:
        shape = "×".join(map(str, images.shape[1:]))
        raise ScanError(
            f"The model does not take images of shape {shape}: {exc}",
            hint="Check size, channels (grayscale) and the model's own transform.",
        ) from exc
    output = getattr(output, "logits", output)
    if not isinstance(output, Tensor):
        raise UnsupportedOutput(
            f"The model returns a {type(output).__name__}, not one tensor.",
            hint="Wrap it in a module whose forward returns the logits.",
        )
    return output


def trace_calls(module: nn.Module, example: Tensor) -> Trace:
    """Run `example` (B, ...) through the model once and note every call of every named module.

    The model should be in evaluation mode: layers behave differently otherwise.
    A module reachable under two names counts under its first; its calls are counted together.
    """
    recorder = _Recorder(len(example))
    named = {path: child for path, child in module.named_modules() if path}
    handles = [child.register_forward_hook(recorder.hook(path)) for path, child in named.items()]
    try:
        with torch.inference_mode():
            output = run_forward(module, example)
    finally:
        for handle in handles:
            handle.remove()
    counts = Counter(path for path, _, _ in recorder.seen)
    seen_so_far: Counter[str] = Counter()
    calls = []
    for path, child, result in recorder.seen:
        seen_so_far[path] += 1
        number = seen_so_far[path]
        address = path if counts[path] == 1 else f"{path}#{number}"
        shape, unit_dim, refusal = result
        calls.append(Call(path, number, address, type(child).__name__, is_auto_layer(child), shape, unit_dim, refusal))
    missing = {path: child for path, child in named.items() if path not in counts}
    return Trace(
        tuple(calls),
        tuple(missing),
        tuple(path for path, child in missing.items() if is_auto_layer(child)),
        output,
    )


_Result = tuple[tuple[int, ...], int, str]
_Hook = Callable[[nn.Module, object, object], None]


class _Recorder:
    """Keeps what every hooked call returned: shapes and refusals, never the tensors."""

    def __init__(self, batch: int) -> None:
        self._batch = batch
        self.seen: list[tuple[str, nn.Module, _Result]] = []

    def hook(self, path: str) -> _Hook:
        def note(module: nn.Module, _inputs: object, output: object) -> None:
            self.seen.append((path, module, _examine(module, output, self._batch)))

        return note


def _examine(module: nn.Module, output: object, batch: int) -> _Result:
    """Shape without the batch, unit dimension and refusal of what a module returned."""
    if not isinstance(output, Tensor):
        return (), 0, f"returns a {type(output).__name__}, not one tensor"
    if output.ndim < 2 or output.shape[0] != batch:
        return (), 0, f"returns shape {tuple(output.shape)}, which has no row per image"
    if not output.is_floating_point():
        return (), 0, f"returns {output.dtype} numbers"
    shape = tuple(output.shape[1:])
    if len(shape) == 1:
        return shape, 0, ""
    if isinstance(module, _UNITS_LAST):
        return shape, len(shape) - 1, ""
    if isinstance(module, _UNITS_FIRST):
        return shape, 0, ""
    if len(shape) == 2:
        return shape, 0, f"returns {_written(shape)}: tokens by features or channels by length, which cannot be told"
    if shape[0] == shape[1] != shape[-1]:
        return shape, 0, f"returns {_written(shape)}, which looks as if the channels came last"
    return shape, 0, ""


def _written(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape))
