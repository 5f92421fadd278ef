"""Hooks that do not lie (DESIGN §6): layers' outputs reduced the moment they exist, by an owner that cleans up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

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
    calls: Counter[str] = field(default_factory=Counter)
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
        self._handles: list[RemovableHandle] = []
        self._batch: _Batch | None = None

    def __enter__(self) -> Self:
        by_path: dict[str, dict[int, CaptureLayer]] = {}
        for layer in self._layers:
            by_path.setdefault(layer.module_path, {})[layer.number] = layer
        try:
            for path, wanted in by_path.items():
                self._handles.append(self._hook(self._module.get_submodule(path), path, wanted))
        except BaseException:
            self._remove_hooks()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._remove_hooks()

    def run(self, images: Tensor, image_ids: Int64) -> Captured:
        """Run one batch through the model.

        `images` (B, C, H, W) on the model's device; `image_ids` (B,) their ids in the run.
        Raises UnsupportedOutput, naming the layer, where a module is called more or less often than in the example or
        gives another shape: results would belong to other layers than they say.
        """
        batch = self._batch = _Batch(image_ids)
        try:
            with torch.inference_mode():
                output = run_forward(self._module, images)
        finally:
            self._batch = None
        self._check_complete(batch)
        return Captured(
            output.float().cpu().numpy(),
            {path: reduced.values.cpu().numpy() for path, reduced in batch.reduced.items()},
            {
                path: kept.cpu().numpy()
                for path, reduced in batch.reduced.items()
                if (kept := reduced.positions) is not None
            },
        )

    def _hook(self, module: nn.Module, path: str, wanted: dict[int, CaptureLayer]) -> RemovableHandle:
        def reduce_now(_module: nn.Module, _inputs: object, output: object) -> None:
            batch = self._batch
            if batch is None:
                return
            batch.calls[path] += 1
            layer = wanted.get(batch.calls[path])
            if layer is not None:
                batch.reduced[layer.spec.path] = self._reduce(layer, output, batch.image_ids)

        return module.register_forward_hook(reduce_now)

    def _reduce(self, layer: CaptureLayer, output: object, image_ids: Int64) -> Reduced:
        expected = (len(image_ids), *layer.spec.shape)
        if not isinstance(output, Tensor) or tuple(output.shape) != expected:
            found = tuple(output.shape) if isinstance(output, Tensor) else type(output).__name__
            raise UnsupportedOutput(
                f"Layer {layer.spec.path} returned {found} for a batch; {expected} was expected.",
                hint="All images must have the same size after preprocessing, and give outputs of one shape.",
            )
        return reduce_output(output, layer.unit_dim, self._reduction, image_ids, self._seed)

    def _check_complete(self, batch: _Batch) -> None:
        for layer in self._layers:
            found = batch.calls[layer.module_path]
            if found != layer.n_calls:
                raise UnsupportedOutput(
                    f"Module {layer.module_path} was called {found} times for a batch "
                    f"but {layer.n_calls} times for the first images.",
                    hint="Its calls cannot be told apart; leave this layer out.",
                )

    def _remove_hooks(self) -> None:
        for handle in self._handles:
            handle.remove()
        self._handles.clear()
