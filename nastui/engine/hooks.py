"""Hooks on the modules behind captured layers: put on for a while, told apart by call, and taken off again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from nastui.engine.layers import CaptureLayer
from nastui.engine.outputs import pick, with_replaced


class LayerHooks:
    """Hands the output of every layer to `on_output` the moment it exists, while the `with` block lasts: the tensor
    that the layer stands for, where the module returns a tuple, list or dict.

    What `on_output` returns takes the output's place, unless it is None. The hooks are on the modules only inside the
    block and are removed however it ends. `calls` counts the calls of each module by path; `start` begins a new forward
    pass, which is what numbers the calls of a module.
    """

    def __init__(
        self,
        module: nn.Module,
        layers: Sequence[CaptureLayer],
        on_output: Callable[[CaptureLayer, object], Tensor | None],
    ) -> None:
        self._module = module
        self._layers = tuple(layers)
        self._on_output = on_output
        self._handles: list[RemovableHandle] = []
        self.calls: Counter[str] = Counter()

    def start(self) -> None:
        """Count the calls of the forward pass that follows from 1."""
        self.calls = Counter()

    def __enter__(self) -> Self:
        by_path: dict[str, dict[int, list[CaptureLayer]]] = {}
        for layer in self._layers:
            by_path.setdefault(layer.module_path, {}).setdefault(layer.number, []).append(layer)
        try:
            for path, wanted in by_path.items():
                self._handles.append(self._hook(self._module.get_submodule(path), path, wanted))
        except BaseException:
            self._remove()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._remove()

    def _hook(self, module: nn.Module, path: str, wanted: dict[int, list[CaptureLayer]]) -> RemovableHandle:
        def hand_over(_module: nn.Module, _inputs: object, output: object) -> object:
            self.calls[path] += 1
            is_changed = False
            for layer in wanted.get(self.calls[path], ()):
                other = self._on_output(layer, pick(output, layer.steps))
                if other is not None:
                    output, is_changed = with_replaced(output, layer.steps, other), True
            return output if is_changed else None

        return module.register_forward_hook(hand_over)

    def _remove(self) -> None:
        for handle in self._handles:
            handle.remove()
        self._handles.clear()
