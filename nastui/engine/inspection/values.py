"""What the values of a model show to be wrong with it."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from nastui.engine.hooks import LayerHooks
from nastui.engine.inspection.finding import Finding, named
from nastui.engine.inspection.running import Running
from nastui.engine.layers import CaptureLayer
from nastui.engine.trace import run_forward

_SUM = 1e-3


def check_weights(module: nn.Module) -> list[Finding]:
    tensors = [*module.named_parameters(), *module.named_buffers()]
    broken = [name for name, tensor in tensors if tensor.is_floating_point() and not bool(tensor.isfinite().all())]
    if not broken:
        return []
    return [
        Finding(
            "nan-weights",
            f"{len(broken):,} of {len(tensors):,} tensors of the weights hold NaN or infinities: {named(broken)}.",
            "Take an earlier checkpoint: the training had diverged, or the file is damaged.",
        )
    ]


def check_values(module: nn.Module, inputs: Tensor, layers: Sequence[CaptureLayer], running: Running) -> list[Finding]:
    """`inputs`: (N, ...) of different images; one forward pass of each batch."""
    broken: dict[str, None] = {}
    first: dict[str, Tensor] = {}
    varying: set[str] = set()

    def look(layer: CaptureLayer, output: object) -> None:
        if not isinstance(output, Tensor):
            return
        if not bool(output.isfinite().all()):
            broken[layer.spec.path] = None
        elif not bool((output == first.setdefault(layer.spec.path, output[:1].clone())).all()):
            varying.add(layer.spec.path)

    outputs = []
    with torch.inference_mode(), LayerHooks(module, layers, look) as hooks:
        for some in running.batches(inputs):
            hooks.start()
            outputs.append(run_forward(module, some.clone()))  # which it may change in place
    constant = [path for path in first if path not in varying and path not in broken]
    output = torch.cat(outputs)
    return [*_not_finite([*broken], output), *_constant_layers(constant, inputs), *probabilities(output)]


def _not_finite(broken: Sequence[str], output: Tensor) -> list[Finding]:
    places = [*broken, *([] if bool(output.isfinite().all()) else ["the model's output"])]
    if not places:
        return []
    return [
        Finding(
            "not-finite",
            f"NaN or infinities in {named(places)}, first in {places[0]}.",
            "Look at the weights and the inputs of that layer; images with such values count in no measure.",
        )
    ]


def _constant_layers(constant: Sequence[str], inputs: Tensor) -> list[Finding]:
    if not constant or len(inputs) < 2 or bool((inputs == inputs[:1]).all()):
        return []
    return [
        Finding(
            "constant-layer",
            f"{named(list(constant))}: {len(inputs)} different images gave the same values.",
            "Check that the images reach the layer: the signal may have died before it, or the input is cut off.",
        )
    ]


def probabilities(output: Tensor) -> list[Finding]:
    if output.ndim != 2 or output.shape[1] < 2 or not bool(output.isfinite().all()):
        return []
    is_share = bool((output >= 0).all()) and bool((output <= 1).all())
    if not is_share or not bool(((output.sum(1) - 1).abs() < _SUM).all()):
        return []
    return [
        Finding(
            "probabilities",
            "The model's outputs are between 0 and 1 and sum to 1: probabilities, not logits.",
            "Predictions are the same. To see logits, capture the layer before the softmax.",
        )
    ]
