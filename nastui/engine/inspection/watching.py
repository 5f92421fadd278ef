"""One forward pass under watch: what is overwritten, what is computed by function, what runs in training mode."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.dropout import _DropoutNd
from torch.overrides import TorchFunctionMode

from nastui.engine.layers import CaptureLayer
from nastui.engine.outputs import pick
from nastui.engine.trace import run_forward

NONLINEARITIES = frozenset(
    (
        *("relu", "relu_", "relu6", "leaky_relu", "leaky_relu_", "elu", "elu_", "selu"),
        *("selu_", "celu", "celu_", "gelu", "silu", "mish", "prelu", "rrelu"),
        *("rrelu_", "hardtanh", "hardtanh_", "hardswish", "hardsigmoid", "sigmoid", "sigmoid_", "tanh"),
        *("tanh_", "softmax", "log_softmax", "softplus", "softsign", "logsigmoid", "threshold", "threshold_"),
        *("glu", "gumbel_softmax"),
    )
)
_DROPOUTS = frozenset(["dropout", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout", "feature_alpha_dropout"])


@dataclass(frozen=True, slots=True)
class Overwritten:
    """`address`: a captured layer; `by`: what changed its output in place, as a person would name it."""

    address: str
    by: str


@dataclass(frozen=True, slots=True)
class Watched:
    """`functions`: how often (module, function) of the nonlinearities was called outside of any module of its own.
    `training`: BatchNorm and dropout modules, and dropout functions, that ran in training mode. `batch_statistics`:
    BatchNorm that has no running statistics."""

    overwritten: tuple[Overwritten, ...]
    functions: Mapping[tuple[str, str], int]
    training: tuple[str, ...]
    batch_statistics: tuple[str, ...]


def watch_forward(module: nn.Module, example: Tensor, layers: Sequence[CaptureLayer]) -> Watched:
    """Run `example` through the model once. Outputs of `layers` are kept meanwhile, to see whether they change."""
    watch = _Watch(module, layers)
    with watch.hooked(), torch.no_grad(), watch:  # inference mode would not count the changes of a tensor
        run_forward(module, example.clone())  # which it may change in place
    watch.look_for_changes("what follows it")
    return Watched(
        tuple(watch.overwritten), watch.functions, tuple(dict.fromkeys(watch.training)), tuple(watch.batch_statistics)
    )


class _Watch(TorchFunctionMode):
    """Sees every call of torch's functions, and by hooks which modules are running."""

    def __init__(self, module: nn.Module, layers: Sequence[CaptureLayer]) -> None:
        super().__init__()
        self._module = module
        self._wanted: dict[tuple[str, int], list[CaptureLayer]] = defaultdict(list)
        for layer in layers:
            self._wanted[layer.module_path, layer.number].append(layer)
        self._calls: Counter[str] = Counter()
        self._running: list[tuple[str, nn.Module]] = [("", module)]
        self._kept: list[tuple[str, Tensor, int]] = []
        self.overwritten: list[Overwritten] = []
        self.functions: Counter[tuple[str, str]] = Counter()
        self.training: list[str] = []
        self.batch_statistics: dict[str, None] = {}

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        result = func(*args, **kwargs)
        name = getattr(func, "__name__", "")
        path, module = self._running[-1]
        is_own = _is_own(path, module)
        if not is_own and name in NONLINEARITIES:
            self.functions[path, name] += 1
        if not is_own and name in _DROPOUTS and kwargs.get("training", True) and _rate(args, kwargs) > 0:
            self.training.append(f"{name} by function in {path or 'the model'}")
        self.look_for_changes(f"{path} ({type(module).__name__})" if is_own else f"{name} in {path or 'the model'}")
        return result

    def look_for_changes(self, by: str) -> None:
        unchanged = []
        for address, output, version in self._kept:
            if output._version == version:
                unchanged.append((address, output, version))
            else:
                self.overwritten.append(Overwritten(address, by))
        self._kept[:] = unchanged

    @contextmanager
    def hooked(self) -> Iterator[None]:
        handles = []
        try:
            for path, child in self._module.named_modules():
                if path:
                    handles.append(child.register_forward_pre_hook(self._begins(path)))
                    handles.append(child.register_forward_hook(self._ends(path)))
            yield
        finally:
            for handle in handles:
                handle.remove()

    def _begins(self, path: str) -> Any:
        def note(module: nn.Module, _inputs: object) -> None:
            self._running.append((path, module))
            if isinstance(module, _BatchNorm) and not module.training and module.running_mean is None:
                self.batch_statistics[path] = None
            if module.training and isinstance(module, _BatchNorm | _DropoutNd):
                self.training.append(path)

        return note

    def _ends(self, path: str) -> Any:
        def note(_module: nn.Module, _inputs: object, output: object) -> None:
            self._running.pop()
            self._calls[path] += 1
            for layer in self._wanted.get((path, self._calls[path]), ()):
                tensor = pick(output, layer.steps)
                if isinstance(tensor, Tensor) and not tensor.is_inference():
                    self._kept.append((layer.spec.path, tensor, tensor._version))

        return note


def _is_own(path: str, module: nn.Module) -> bool:
    """Whether what runs inside is the module's own affair: one without parts, or one of torch's."""
    return path != "" and (type(module).__module__.startswith("torch.nn.") or not any(True for _ in module.children()))


def _rate(args: Sequence[Any], kwargs: Mapping[str, Any]) -> float:
    rate = kwargs.get("p", args[1] if len(args) > 1 else 0.5)
    return float(rate)
