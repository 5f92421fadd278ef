"""Hooks that do not lie (DESIGN §6): layers' outputs reduced the moment they exist, by an owner that cleans up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import numpy as np
import torch
from torch import Tensor, nn

from nastui.engine.computing import Computing
from nastui.engine.fetching import Fetched
from nastui.engine.hooks import LayerHooks
from nastui.engine.layers import CaptureLayer
from nastui.engine.reduction import Reduced, Reduction, reduce_output
from nastui.engine.trace import run_forward
from nastui.errors import ScanError, UnsupportedOutput, UsageError
from nastui.records import Float32, Int32, Int64

_Reductions = dict[str, Reduced]


@dataclass(frozen=True, slots=True)
class Captured:
    """What one batch gave: the model's output (B, …), and by layer path the values (B, U) and the positions (B, U)."""

    output: Float32
    values: dict[str, Float32]
    positions: dict[str, Int32]


class Started:
    """A batch that the model was asked for; `finish` waits for it where the device takes its time."""

    def __init__(self, output: Tensor, reduced: _Reductions, n_images: int) -> None:
        self._n_images = n_images
        self._with_positions = [path for path, one in reduced.items() if one.positions is not None]
        self._paths = list(reduced)
        positions = [one.positions for one in reduced.values() if one.positions is not None]
        self._fetched = Fetched([output.float(), *(one.values for one in reduced.values()), *positions])

    def finish(self) -> Captured:
        """What it gave."""
        output, *found = (array[: self._n_images] for array in self._fetched.arrays())
        n_layers = len(self._paths)
        return Captured(
            output,
            dict(zip(self._paths, found[:n_layers], strict=True)),
            dict(zip(self._with_positions, found[n_layers:], strict=True)),
        )


class ActivationCapture:
    """Captures layers of a model, batch by batch, while its `with` block lasts.

    The hooks are on the modules, and the weights in the memory format, only inside the block; however it ends, all is
    as it was. Each output is reduced inside its hook, before anything that follows can change it in place. Example:

        with ActivationCapture(module, selection.layers, "max") as capture:
            captured = capture.run(images, image_ids)
    """

    def __init__(
        self,
        module: nn.Module,
        layers: Sequence[CaptureLayer],
        reduction: Reduction,
        seed: int = 0,
        computing: Computing | None = None,
    ) -> None:
        self._module = module
        self._layers = tuple(layers)
        self._reduction: Reduction = reduction
        self._seed = seed
        self._computing = computing or Computing()
        self._hooks = LayerHooks(module, layers, self._reduce_now)
        self._forward: Callable[[Tensor], tuple[Tensor, _Reductions]] = self._run_forward
        if self._computing.compiled:
            self._forward = torch.compile(self._run_forward, dynamic=False)
        self._n_compiled = 0  # images
        # Of the forward pass that is going on; None where it is somebody else's.
        self._reduced: _Reductions | None = None
        self._image_ids: Int64 = np.empty(0, np.int64)
        self._n_inputs = 0

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.enter_context(self._computing.with_weights_in_place(self._module))
            stack.enter_context(self._hooks)
            self._inside = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._inside.__exit__(kind, error, trace)

    def run(self, images: Tensor, image_ids: Int64) -> Captured:
        """Run one batch through the model and wait for what it gives; see `start`."""
        return self.start(images, image_ids).finish()

    def start(self, images: Tensor, image_ids: Int64) -> Started:
        """Run one batch through the model.

        `images` (B, C, H, W) on the model's device; `image_ids` (B,) their ids in the run.
        Raises UnsupportedOutput, naming the layer, where a module is called more or less often than in the example or
        gives another shape: results would belong to other layers than they say.
        """
        self._image_ids = image_ids
        images = self._computing.inputs(self._filled_up(images))
        try:
            with torch.inference_mode(), self._computing.casting(images.device):
                output, reduced = self._compute(images)
        finally:
            self._reduced = None
        self._check_complete()
        return Started(output, reduced, len(image_ids))

    def _filled_up(self, images: Tensor) -> Tensor:
        """A compiled model is one for a batch size: a shorter batch is filled up, cheaper than to compile anew."""
        if not self._computing.compiled:
            return images
        self._n_compiled = max(self._n_compiled, len(images))
        missing = self._n_compiled - len(images)
        return torch.cat([images, images[-1:].expand(missing, *images.shape[1:])]) if missing > 0 else images

    def _compute(self, images: Tensor) -> tuple[Tensor, _Reductions]:
        if not self._computing.compiled:
            return self._forward(images)
        try:
            return self._forward(images)
        except (ScanError, UsageError):
            raise
        except Exception as exc:  # the compiler has many ways to fail
            reason = str(exc).strip().partition("\n")[0]
            raise ScanError(
                f"The model cannot be compiled: {type(exc).__name__}: {reason}", hint="Leave out --compile."
            ) from exc

    def _run_forward(self, images: Tensor) -> tuple[Tensor, _Reductions]:
        """The model's output and what the hooks made of the layers. All that is done in here can be compiled."""
        self._reduced = {}
        self._n_inputs = len(images)
        self._hooks.start()
        output = run_forward(self._module, images)
        return output, self._reduced

    def _reduce_now(self, layer: CaptureLayer, output: object) -> None:
        if self._reduced is not None:
            self._reduced[layer.spec.path] = self._reduce(layer, output)

    def _reduce(self, layer: CaptureLayer, output: object) -> Reduced:
        expected = (self._n_inputs, *layer.spec.shape)
        if not isinstance(output, Tensor) or tuple(output.shape) != expected:
            found = tuple(output.shape) if isinstance(output, Tensor) else type(output).__name__
            raise UnsupportedOutput(
                f"Layer {layer.spec.path} returned {found} for a batch; {expected} was expected.",
                hint="All images must have the same size after preprocessing, and give outputs of one shape.",
            )
        return reduce_output(layer.kept_part(output), layer.unit_dim, self._reduction, self._image_ids, self._seed)

    def _check_complete(self) -> None:
        for layer in self._layers:
            found = self._hooks.calls[layer.module_path]
            if found != layer.n_calls:
                raise UnsupportedOutput(
                    f"Module {layer.module_path} was called {found} times for a batch "
                    f"but {layer.n_calls} times for the first images.",
                    hint="Its calls cannot be told apart; leave this layer out.",
                )
