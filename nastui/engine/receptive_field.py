"""Which pixels of the model's input a position of a layer's map can see, for any architecture.

Arithmetic over what torch computes gives the exact answer for the usual operations; trial with NaN checks it in the
same scan, and stands in for what the arithmetic does not know.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import product

import numpy as np
import torch
from torch import Tensor, nn

from nastui.engine.field_arithmetic import FieldTracer, Geometry
from nastui.engine.field_probing import Bounds, Cut, all_cuts, edge_cuts, reached_positions, run_up_to
from nastui.engine.layers import CaptureLayer
from nastui.records import Bool, Float64, ReceptiveField

_DEVICES = ("cpu", "cuda")  # where NaN is known to survive every operation


def receptive_fields(
    module: nn.Module, layers: Sequence[CaptureLayer], example: Tensor
) -> dict[str, ReceptiveField | None]:
    """The receptive field of every layer by path, None for those that have no map of the image or defy finding out.

    `module` in evaluation mode; it and torch's random numbers are left as they were. `example`: one input or a batch of
    them on the module's device. Six images go through the model, four to seventy more if there is an operation that the
    arithmetic does not know, as far as the last layer that depends on it.
    """
    nowhere: dict[str, ReceptiveField | None] = {layer.spec.path: None for layer in layers}
    maps = [layer for layer in layers if len(layer.spec.shape) == 3 and layer.unit_dim in (0, 2)]
    if example.ndim != 4 or example.device.type not in _DEVICES or not maps:
        return nowhere
    image = torch.nan_to_num(example[:1])
    try:
        with _untouched(module, image.device):
            return nowhere | _measured(module, maps, image)
    except Exception:  # a person's model may do anything when it meets NaN; the scan goes on without
        return nowhere


def traced_fields(module: nn.Module, layers: Sequence[CaptureLayer], image: Tensor) -> dict[str, ReceptiveField | None]:
    """By arithmetic alone; None where an operation on the way is unknown."""
    found: dict[str, Geometry | None] = {}
    tracer = FieldTracer(image)

    def note(layer: CaptureLayer, output: object) -> None:
        found[layer.spec.path] = tracer.of(output) if isinstance(output, Tensor) else None

    with tracer:
        run_up_to(module, layers, image, note)
    row_dims = {layer.spec.path: -3 if layer.unit_dim == 2 else -2 for layer in layers}
    return {path: None if geometry is None else _field(geometry, row_dims[path]) for path, geometry in found.items()}


def _field(geometry: Geometry, row_dim: int) -> ReceptiveField | None:
    """`row_dim`: along which the rows of the map lie; its columns lie along the next."""
    y, x = geometry.y, geometry.x
    if y.dim not in (None, row_dim) or x.dim not in (None, row_dim + 1):
        return None
    return ReceptiveField(y.size, x.size, y.stride, x.stride, y.offset, x.offset)


def probed_fields(module: nn.Module, layers: Sequence[CaptureLayer], image: Tensor) -> dict[str, ReceptiveField | None]:
    """By trial alone: fields that enclose the true ones, to a sixteenth of the image."""
    height, width = image.shape[-2:]
    edges = reached_positions(module, layers, image, edge_cuts(height, width))
    see_part = [layer for layer in layers if not all(np.all(seen) for seen in edges[layer.spec.path].values())]
    whole = ReceptiveField(height, width, 0, 0, 0, 0)
    found: dict[str, ReceptiveField | None] = {layer.spec.path: whole for layer in layers}
    if see_part:
        reached = reached_positions(module, see_part, image, all_cuts(height, width))
        for layer in see_part:
            path, shape = layer.spec.path, layer.spec.shape[:2] if layer.unit_dim else layer.spec.shape[1:]
            found[path] = _enclosing(reached[path], shape, (height, width))
    return found


def _enclosing(reached: Mapping[Cut, Bool], shape: tuple[int, ...], lengths: tuple[int, int]) -> ReceptiveField | None:
    y, x = (Bounds.of(reached, axis, length) for axis, length in enumerate(lengths))
    if y is None or x is None:
        return None
    stride_y, offset_y, size_y = y.rule(lengths[0] / shape[0])
    stride_x, offset_x, size_x = x.rule(lengths[1] / shape[1])
    return ReceptiveField(size_y, size_x, stride_y, stride_x, offset_y, offset_x)


def _measured(module: nn.Module, layers: Sequence[CaptureLayer], image: Tensor) -> dict[str, ReceptiveField | None]:
    traced = traced_fields(module, layers, image)
    height, width = image.shape[-2:]
    cuts = [
        Cut(axis, length - length // 3 if is_behind else length // 3 or 1, is_behind)
        for (axis, length), is_behind in product(enumerate((height, width)), (False, True))
    ]
    reached = reached_positions(module, layers, image, cuts)
    doubtful = [layer for layer in layers if not _agrees(traced.get(layer.spec.path), reached[layer.spec.path])]
    # With channels last it is windows of attention that are unknown, which no rule describes: a long trial for nothing.
    worth = [layer for layer in doubtful if layer.unit_dim == 0]
    unknown: dict[str, ReceptiveField | None] = {layer.spec.path: None for layer in doubtful}
    return {**traced, **unknown, **(probed_fields(module, worth, image) if worth else {})}


def _agrees(field: ReceptiveField | None, reached: Mapping[Cut, Bool]) -> bool:
    if field is None:
        return False
    for cut, positions in reached.items():
        starts, ends = spans(field, cut.axis, len(positions))
        if not np.array_equal(cut.reaches(starts, ends), positions):
            return False
    return True


def spans(field: ReceptiveField, axis: int, n_positions: int) -> tuple[Float64, Float64]:
    """(starts, ends) of the fields of all positions along an axis, not clipped."""
    stride, offset, size = (
        (field.stride_y, field.offset_y, field.size_y) if axis == 0 else (field.stride_x, field.offset_x, field.size_x)
    )
    starts = stride * np.arange(n_positions, dtype=np.float64) + offset
    return starts, starts + size


@contextmanager
def _untouched(module: nn.Module, device: torch.device) -> Iterator[None]:
    """Puts back random numbers and buffers, and keeps to convolutions whose sums take in no other pixels.

    Fast ones (Winograd, FFT) mix neighbouring outputs, which NaN would tell apart from nothing.
    """
    buffers = [
        (owner, name, buffer, buffer.detach().clone())
        for owner in module.modules()
        for name, buffer in owner._buffers.items()
        if buffer is not None
    ]
    devices = [device] if device.type == "cuda" else []
    try:
        with (
            torch.random.fork_rng(devices=devices),
            torch.backends.cudnn.flags(enabled=False),
            torch.backends.nnpack.flags(enabled=False),
        ):
            yield
    finally:
        for owner, name, buffer, saved in buffers:
            owner._buffers[name] = buffer
            if not torch.equal(buffer, saved):
                with torch.no_grad():
                    buffer.copy_(saved)
