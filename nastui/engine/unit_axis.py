"""Along which dimension of a layer's output its units lie, by evidence: what made it, what reads it, what is in it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from weakref import ref

from torch import Tensor, nn
from torch.nn.modules import activation

from nastui.engine.module_types import CONVOLUTIONS, module_type

_CHANNELS_FIRST: tuple[type[nn.Module], ...] = (
    *CONVOLUTIONS,
    nn.BatchNorm1d,
    nn.BatchNorm2d,
    nn.BatchNorm3d,
    nn.InstanceNorm1d,
    nn.InstanceNorm2d,
    nn.GroupNorm,
    nn.MaxPool1d,
    nn.MaxPool2d,
    nn.AvgPool1d,
    nn.AvgPool2d,
    nn.AdaptiveMaxPool1d,
    nn.AdaptiveMaxPool2d,
    nn.AdaptiveAvgPool1d,
    nn.AdaptiveAvgPool2d,
)
_FEATURES_LAST: tuple[type[nn.Module], ...] = (nn.Linear, nn.Bilinear, nn.Embedding, nn.MultiheadAttention)
# These keep every dimension where it is.
_POINTWISE = (
    *(kind for name, kind in vars(activation).items() if name in activation.__all__ and name != "MultiheadAttention"),
    nn.Dropout,
    nn.Identity,
)


@dataclass(eq=False, slots=True)
class Value:
    """A tensor of the forward pass, without the tensor: its shape without the batch, and what is known of it.

    `made`, `read`: dimensions of the units as the modules that made it and that took it as their input have them.
    `alike`: tensors with the same dimensions. `near`: the inputs of what made it. `makers`: the modules that gave it.
    """

    shape: tuple[int, ...]
    made: set[int] = field(default_factory=set)
    read: set[int] = field(default_factory=set)
    alike: list[Value] = field(default_factory=list)
    near: list[Value] = field(default_factory=list)
    makers: list[nn.Module] = field(default_factory=list)


class AxisEvidence:
    """Notes what modules make of tensors, call by call, and keeps none of these."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[ref[Tensor], Value]] = {}

    def note(self, module: nn.Module, inputs: Iterable[Tensor], outputs: Iterable[Tensor]) -> list[Value]:
        """A module was called with `inputs` and gave `outputs`, all of them (B, …). Returns what stands for these."""
        taken = [self._value(tensor) for tensor in inputs if tensor.ndim > 1]
        given = [self._value(tensor) for tensor in outputs]
        kind = module_type(module)
        for value in taken:
            value.read |= _declared(module, kind, value.shape, is_input=True)
        for place, value in enumerate(given):
            if place == 0 or not issubclass(kind, nn.MultiheadAttention):  # whose second output is its weights
                value.made |= _declared(module, kind, value.shape, is_input=False)
            value.makers.append(module)
            value.near += [other for other in taken if other is not value]
        if issubclass(kind, _POINTWISE) and taken and given and taken[0].shape == given[0].shape:
            taken[0].alike.append(given[0])
            given[0].alike.append(taken[0])
        return given

    def _value(self, tensor: Tensor) -> Value:
        known = self._known.get(id(tensor))
        if known is not None and known[0]() is tensor:
            return known[1]
        value = Value(tuple(tensor.shape[1:]))
        self._known[id(tensor)] = ref(tensor), value
        return value


def unit_dim(value: Value) -> int | str:
    """The dimension, or why it cannot be told: the rest of a sentence that begins with the layer's name."""
    if len(value.shape) == 1:
        return 0
    told = _told(value)
    if len(told) > 1:
        words = " and ".join(f"{value.shape[dim]:,}" for dim in sorted(told))
        return f"returns {_written(value.shape)}, of which other modules take now {words} for the units"
    return told.pop() if told else _by_size(value)


def _told(value: Value) -> set[int]:
    """What modules say of this tensor and of those that are alike; who made it knows better than who reads it."""
    found, made, read = [value], set(value.made), set(value.read)
    for one in found:
        made |= one.made
        read |= one.read
        found += [other for other in one.alike if all(other is not known for known in found)]
    return made or read


def _by_size(value: Value) -> int | str:
    """From sizes that modules in the maker and the tensors that it took have for units."""
    sizes = set().union(*map(_feature_sizes, value.makers)) if value.makers else set()
    for one in value.near:
        told = _told(one)
        sizes |= {one.shape[dim] for dim in told} if len(told) == 1 else set()
    fitting = [dim for dim, size in enumerate(value.shape) if size in sizes]
    last = len(value.shape) - 1
    looks_turned = len(value.shape) == 3 and value.shape[0] == value.shape[1] != value.shape[2]
    if len(fitting) == 1 and (len(value.shape) == 2 or fitting[0] in (0, last)):
        return fitting[0]
    if len(value.shape) == 2:
        return f"returns {_written(value.shape)}: tokens by features or channels by length, which cannot be told"
    return f"returns {_written(value.shape)}, which looks as if the channels came last" if looks_turned else 0


def _declared(module: nn.Module, kind: type[nn.Module], shape: tuple[int, ...], *, is_input: bool) -> set[int]:
    """The dimension that a module of torch has for the units of what it takes or gives."""
    last = len(shape) - 1
    if last < 1:
        return set()
    if issubclass(kind, nn.LayerNorm):
        return _declared_by_norm(module, kind, shape)
    if issubclass(kind, _FEATURES_LAST):
        return set() if is_input and issubclass(kind, nn.Embedding) else {last}
    return {0} if issubclass(kind, _CHANNELS_FIRST) else set()


def _declared_by_norm(module: nn.Module, kind: type[nn.Module], shape: tuple[int, ...]) -> set[int]:
    """LayerNorm is over the last dimension; subclasses called `…2d` turn channels there and back, and others may."""
    weight = getattr(module, "weight", None)
    if isinstance(weight, Tensor) and weight.ndim != 1:
        return set()
    if kind.__name__.endswith("2d"):
        return {0} if len(shape) == 3 else set()
    is_torchs = kind.forward is nn.LayerNorm.forward
    return {len(shape) - 1} if is_torchs else set()


def _feature_sizes(module: nn.Module) -> set[int]:
    """How many units the layers in a module have: what its weights and biases say."""
    sizes = {parameter.shape[0] for parameter in module.parameters() if parameter.ndim == 1}
    return sizes | {parameter.shape[0] for parameter in module.parameters() if parameter.ndim in (2, 4)}


def _written(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape))
