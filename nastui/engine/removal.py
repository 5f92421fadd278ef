"""Taking units out of a layer's output while the model runs: by a hook that gives the model another output."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import torch
from torch import Tensor, nn

from nastui.engine.hooks import LayerHooks
from nastui.engine.layers import CaptureLayer
from nastui.engine.reduction import Reduction
from nastui.engine.trace import run_forward
from nastui.errors import UnsupportedOutput

# Changes the layer's values (..., D) in place; D: neurons.
Edit = Callable[[Tensor], None]


@dataclass(frozen=True, slots=True, eq=False)
class NeuronRemoval:
    """Sets the neurons `units` (k,) to `values` (k,)."""

    units: Tensor
    values: Tensor

    def __call__(self, x: Tensor) -> None:
        x[..., self.units] = self.values.to(x.dtype)


@dataclass(frozen=True, slots=True, eq=False)
class AxisRemoval:
    """Takes away what x less `centre` (D,) has along `rows` (k,) of the orthonormal `axes` (r, D):
    x − (x − centre)·Vᵀ·V with V the rows."""

    axes: Tensor
    rows: Tensor
    centre: Tensor

    def __call__(self, x: Tensor) -> None:
        removed = self.axes[self.rows]  # (k, D)
        x -= ((x.float() - self.centre) @ removed.T @ removed).to(x.dtype)


class LayerEditor:
    """Runs a model with a layer's output edited, while its `with` block lasts.

    The edit is made on a copy, before anything that follows sees the output: what the layer itself keeps, or a ReLU
    changes in place, is not touched. Of a module that is called more than once only the layer's own call is edited.
    """

    def __init__(self, module: nn.Module, layer: CaptureLayer, reduction: Reduction) -> None:
        self._module = module
        self._layer = layer
        self._is_flat = reduction == "none"
        self._hooks = LayerHooks(module, [layer], self._edited)
        self._edit: Edit | None = None

    def __enter__(self) -> Self:
        self._hooks.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._hooks.__exit__(kind, error, trace)

    def run(self, images: Tensor, edit: Edit | None) -> Tensor:
        """The model's output for `images` (B, …), (B, K); `edit` None leaves the layer's output alone.

        Raises UnsupportedOutput where the layer's module is called more or less often than in the example, or gives
        another shape.
        """
        self._edit = edit
        self._hooks.start()
        try:
            with torch.inference_mode():
                output = run_forward(self._module, images)
        finally:
            self._edit = None
        found = self._hooks.calls[self._layer.module_path]
        if found != self._layer.n_calls:
            raise UnsupportedOutput(
                f"Module {self._layer.module_path} was called {found} times for a batch "
                f"but {self._layer.n_calls} times for the first image.",
                hint="Its calls cannot be told apart; choose another layer.",
            )
        return output

    def _edited(self, layer: CaptureLayer, output: object) -> Tensor | None:
        if self._edit is None:
            return None
        if not isinstance(output, Tensor) or tuple(output.shape[1:]) != layer.spec.shape:
            found = tuple(output.shape[1:]) if isinstance(output, Tensor) else type(output).__name__
            raise UnsupportedOutput(
                f"Layer {layer.spec.path} returned {found} for an image; {layer.spec.shape} was expected.",
                hint="All images must have the same size after preprocessing, and give outputs of one shape.",
            )
        copy = output.clone(memory_format=torch.contiguous_format)
        part = layer.kept_part(copy)
        if self._is_flat:
            flat = part.flatten(1)  # a copy where some tokens are left out
            self._edit(flat)
            part.copy_(flat.view(part.shape))
        else:
            self._edit(part if part.ndim == 2 else part.movedim(layer.unit_dim + 1, -1))
        return copy
