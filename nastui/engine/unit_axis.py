"""Along which dimension of a layer's output its units lie, by evidence: what made it, what reads it, what is in it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
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
    `alike`: tensors with the same dimensions. `near`: the inputs of what made it. `makers`: the modules that gave it,
    `readers` those that took it, `around`: the modules that the makers are part of.
    """

    shape: tuple[int, ...]
    made: set[int] = field(default_factory=set)
    read: set[int] = field(default_factory=set)
    alike: list[Value] = field(default_factory=list)
    near: list[Value] = field(default_factory=list)
    makers: list[nn.Module] = field(default_factory=list)
    readers: list[nn.Module] = field(default_factory=list)
    around: list[nn.Module] = field(default_factory=list)


class AxisEvidence:
    """Notes what modules make of tensors, call by call, and keeps none of these."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[ref[Tensor], Value]] = {}

    def note(
        self, module: nn.Module, parent: nn.Module, inputs: Iterable[Tensor], outputs: Iterable[Tensor]
    ) -> list[Value]:
        """A module, part of `parent`, was called with `inputs` and gave `outputs`, all of them (B, …). Returns what
        stands for the outputs."""
        taken = [self._value(tensor) for tensor in inputs if tensor.ndim > 1]
        given = [self._value(tensor) for tensor in outputs]
        kind = module_type(module)
        for value in taken:
            value.read |= _declared(module, kind, value.shape, is_input=True)
            value.readers.append(module)
        for place, value in enumerate(given):
            if place == 0 or not issubclass(kind, nn.MultiheadAttention):  # whose second output is its weights
                value.made |= _declared(module, kind, value.shape, is_input=False)
            value.makers.append(module)
            value.around.append(parent)
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


def unit_dim(value: Value, grids: Collection[tuple[int, ...]]) -> int | str:
    """The dimension, or why it cannot be told: the rest of a sentence that begins with the layer's name.

    `grids`: rows and columns of the maps of the image in this model, see `told_grid`.
    """
    if len(value.shape) == 1:
        return 0
    told = _told(value)
    if len(told) > 1:
        words = " and ".join(f"the {value.shape[dim]:,}" for dim in sorted(told))
        return f"returns {_written(value.shape)}, of which other modules take now {words} for the units"
    if told:
        return told.pop()
    by_size, by_grid = _by_size(value), _by_grid(value.shape, grids)
    fitting = by_size & by_grid if by_size and by_grid else by_size | by_grid
    if len(fitting) == 1:
        return fitting.pop()
    what = {2: "tokens by features or channels by length", 3: "channels first or last"}.get(len(value.shape), "units")
    return f"returns {_written(value.shape)}: {what}, which cannot be told"


def told_grid(value: Value) -> tuple[int, ...] | None:
    """Rows and columns of a map whose units' dimension a module tells; None for all else."""
    told = _told(value) if len(value.shape) == 3 else set()
    return _rest(value.shape, *told) if len(told) == 1 else None


def _told(value: Value) -> set[int]:
    """What modules say of this tensor and of those that are alike; who made it knows better than who reads it."""
    found, made, read = [value], set(value.made), set(value.read)
    for one in found:
        made |= one.made
        read |= one.read
        found += [other for other in one.alike if all(other is not known for known in found)]
    return made or read


def _by_size(value: Value) -> set[int]:
    """The dimensions that are as large as there are units in modules in the makers, in the readers themselves, and in
    the tensors that were taken; where none of these fits, in the modules around."""
    sizes = {size for maker in value.makers for size in _feature_sizes(maker, recurse=True)}
    sizes |= {size for reader in value.readers for size in _feature_sizes(reader, recurse=False)}
    for one in value.near:
        told = _told(one)
        sizes |= {one.shape[dim] for dim in told} if len(told) == 1 else set()
    return _fitting(value.shape, sizes) or _fitting(
        value.shape, {size for one in value.around for size in _feature_sizes(one, recurse=True)}
    )


def _fitting(shape: tuple[int, ...], sizes: set[int]) -> set[int]:
    """The dimensions that have one of the sizes: of a map only the first and the last can hold the units."""
    return {dim for dim in (0, len(shape) - 1) if shape[dim] in sizes}


def _by_grid(shape: tuple[int, ...], grids: Collection[tuple[int, ...]]) -> set[int]:
    """The dimensions of a map without which there are rows and columns left that other maps have."""
    return {dim for dim in (0, 2) if _rest(shape, dim) in grids} if len(shape) == 3 else set()


def _rest(shape: tuple[int, ...], dim: int) -> tuple[int, ...]:
    return shape[:dim] + shape[dim + 1 :]


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
    """LayerNorm is over the last dimension. Subclasses may do something else with it: those called `…2d` turn channels
    there and back."""
    weight = getattr(module, "weight", None)
    if isinstance(weight, Tensor) and weight.ndim != 1:
        return set()
    if kind.__name__.endswith("2d"):
        return {0} if len(shape) == 3 else set()
    return {len(shape) - 1} if kind.forward is nn.LayerNorm.forward else set()


def _feature_sizes(module: nn.Module, *, recurse: bool) -> set[int]:
    """How many units layers give and take, as their weights and biases say."""
    return {
        size for parameter in module.parameters(recurse) if parameter.ndim in (1, 2, 4) for size in parameter.shape[:2]
    }


def _written(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape))
