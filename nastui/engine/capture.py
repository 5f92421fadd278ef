"""Hooks that do not lie (DESIGN §6): layers' outputs reduced the moment they exist, by an owner that cleans up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import torch
from torch import Tensor, nn

from nastui.engine.hooks import LayerHooks
from nastui.engine.layers import CaptureLayer
from nastui.engine.reduction import Reduced, Reduction, reduce_output
from nastui.engine.trace import run_forward
from nastui.errors import UnsupportedOutput
from nastui.records import Float32, Int32, Int64


@dataclass(frozen=True, slots=True)
class Captured:
    """What one batch gave: the model's output (B, …), and by layer path the values (B, U) and the positions (B, U)."""

    output: Float32
    values: dict[str, Float32]
    positions: dict[str, Int32]


@dataclass(slots=True)
class _Batch:
    """The state of one forward pass; a new one each time, so that nothing is left from one batch to the next."""

    image_ids: Int64
    reduced: dict[str, Reduced] = field(default_factory=dict)


class ActivationCapture:
    """Captures layers of a model, batch by batch, while its `with` block lasts.

    The hooks are on the modules only inside the block and are removed however it ends. Each output is reduced inside
    its hook, before anything that follows can change it in place. Example:

        with ActivationCapture(module, selection.layers, "max") as capture:
            captured = capture.run(images, image_ids)
    """

    def __init__(self, module: nn.Module, layers: Sequence[CaptureLayer], reduction: Reduction, seed: int = 0) -> None:
        self._module = module
        self._layers = tuple(layers)
        self._reduction: Reduction = reduction
        self._seed = seed
        self._hooks = LayerHooks(module, layers, self._reduce_now)
        self._batch: _Batch | None = None

    def __enter__(self) -> Self:
        self._hooks.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._hooks.__exit__(kind, error, trace)

    def run(self, images: Tensor, image_ids: Int64) -> Captured:
        """Run one batch through the model.

        `images` (B, C, H, W) on the model's device; `image_ids` (B,) their ids in the run.
        Raises UnsupportedOutput, naming the layer, where a module is called more or less often than in the example or
        gives another shape: results would belong to other layers than they say.
        """
        batch = self._batch = _Batch(image_ids)
        self._hooks.start()
        try:
            with torch.inference_mode():
                output = run_forward(self._module, images)
        finally:
            self._batch = None
        self._check_complete()
        return Captured(
            output.float().cpu().numpy(),
            {path: reduced.values.cpu().numpy() for path, reduced in batch.reduced.items()},
            {
                path: kept.cpu().numpy()
                for path, reduced in batch.reduced.items()
                if (kept := reduced.positions) is not None
            },
        )

    def _reduce_now(self, layer: CaptureLayer, output: object) -> None:
        batch = self._batch
        if batch is not None:  # else somebody else runs the model meanwhile
            batch.reduced[layer.spec.path] = self._reduce(layer, output, batch.image_ids)

    def _reduce(self, layer: CaptureLayer, output: object, image_ids: Int64) -> Reduced:
        expected = (len(image_ids), *layer.spec.shape)
        if not isinstance(output, Tensor) or tuple(output.shape) != expected:
            found = tuple(output.shape) if isinstance(output, Tensor) else type(output).__name__
            raise UnsupportedOutput(
                f"Layer {layer.spec.path} returned {found} for a batch; {expected} was expected.",
                hint="All images must have the same size after preprocessing, and give outputs of one shape.",
            )
        return reduce_output(layer.kept_part(output), layer.unit_dim, self._reduction, image_ids, self._seed)

    def _check_complete(self) -> None:
        for layer in self._layers:
            found = self._hooks.calls[layer.module_path]
            if found != layer.n_calls:
                raise UnsupportedOutput(
                    f"Module {layer.module_path} was called {found} times for a batch "
                    f"but {layer.n_calls} times for the first images.",
                    hint="Its calls cannot be told apart; leave this layer out.",
                )
