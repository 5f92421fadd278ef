"""Receptive fields by arithmetic: one forward pass in which every operation says how its output lies over the input.

The operations are seen as torch calls them, below modules, so skip connections, concatenations and functional calls are
followed like everything else. What is not known here is said to be unknown, never guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor
from torch._ops import OpOverload
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.weak import WeakTensorKeyDictionary


@dataclass(frozen=True, slots=True)
class Axis:
    """How a tensor lies over one axis of the input of `length` pixels.

    Position p along dimension `dim` (negative, counted from the last) can be reached from `size` pixels that start at
    `stride * p + offset`; `dim` is None where that holds for the whole tensor, with p = 0.
    """

    dim: int | None
    stride: int
    offset: int
    size: int
    length: int

    @property
    def is_whole(self) -> bool:
        return self.dim is None and self.offset <= 0 and self.offset + self.size >= self.length

    def whole(self) -> Axis:
        return Axis(None, 0, 0, self.length, self.length)

    def along(self, dim: int | None) -> Axis:
        """The same along another dimension."""
        return replace(self, dim=dim) if dim is not None else replace(self, dim=None, stride=0)

    def windowed(self, kernel: int, step: int, padding: int, dilation: int) -> Axis:
        """After a window of `kernel` samples slides over the dimension; over a single sample it finds nothing new."""
        if self.dim is None:
            return self
        return replace(
            self,
            stride=self.stride * step,
            offset=self.offset - self.stride * padding,
            size=self.size + self.stride * dilation * (kernel - 1),
        )

    def joined(self, other: Axis) -> Axis:
        """Of a tensor computed element by element from two. Raises Unknown where no one rule covers both."""
        if self.is_whole or other.is_whole:
            return self.whole()
        if (self.dim, self.stride) != (other.dim, other.stride):
            raise Unknown
        start = min(self.offset, other.offset)
        end = max(self.offset + self.size, other.offset + other.size)
        return replace(self, offset=start, size=end - start)


class Unknown(Exception):
    """How an operation's output lies over the input is not known here."""


@dataclass(frozen=True, slots=True)
class Geometry:
    """How a tensor lies over the model's input, up and down and from left to right."""

    y: Axis
    x: Axis

    def each(self, change: Callable[[Axis], Axis]) -> Geometry:
        return Geometry(change(self.y), change(self.x))

    def fitted(self, tensor: Tensor) -> Geometry:
        """For `tensor`: a dimension of one element may be spread or dropped, so it is none."""
        return self.each(
            lambda axis: axis.along(None) if axis.dim is not None and tensor.shape[axis.dim] == 1 else axis
        )

    def joined(self, other: Geometry) -> Geometry:
        return Geometry(self.y.joined(other.y), self.x.joined(other.x))


_Known = Geometry | None  # None: unknown


class FieldTracer(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Follows `image` (B, C, H, W) through whatever torch computes inside the `with` block."""

    def __init__(self, image: Tensor) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        height, width = image.shape[-2:]
        self._found: MutableMapping[Tensor, _Known] = WeakTensorKeyDictionary()
        self._found[image] = Geometry(Axis(-2, 1, 0, 1, height), Axis(-1, 1, 0, 1, width))
        self._is_lost = False

    def of(self, tensor: Tensor) -> Geometry | None:
        """How the tensor lies over the image, None where that is not known."""
        return None if self._is_lost else self._found.get(tensor)

    def __torch_dispatch__(
        self, func: OpOverload, types: object, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        name = func._schema.name.removeprefix("aten::")
        sources = [tensor for tensor in _tensors((args, kwargs)) if tensor in self._found]
        if sources and name not in _RULES and torch.Tag.pointwise not in func.tags:
            with self:
                parts = func.decompose(*args, **kwargs)
            if parts is not NotImplemented:
                return parts
        before = [self._found[tensor] for tensor in sources]  # an operation may work in place
        result = func(*args, **kwargs)
        if sources:
            self._note(func, name, _bound(func, args, kwargs), before, result)
        return result

    def _note(self, func: OpOverload, name: str, given: dict[str, Any], before: list[_Known], result: Any) -> None:
        outputs = list(_tensors(result))
        try:
            known = [one for one in before if one is not None]
            if not known or len(known) < len(before):
                raise Unknown
            rule = _RULES.get(name) or (_element_by_element if torch.Tag.pointwise in func.tags else _unknown)
            after = rule(_Call(given, outputs, known))
        except Unknown:
            after = None
        if func._schema.is_mutable:
            self._note_change(next(iter(given.values())), after)
        for output in outputs:
            self._found[output] = None if after is None else after.fitted(output)

    def _note_change(self, changed: Tensor, after: _Known) -> None:
        """A tensor was changed in place: if it is part of another, that one is not what it was noted as."""
        is_same = changed in self._found and self._found[changed] == after
        is_part = changed._is_view() or changed.untyped_storage().nbytes() != changed.numel() * changed.element_size()
        self._is_lost |= is_part and not is_same


@dataclass(frozen=True, slots=True)
class _Call:
    """An operation: its arguments by name, the tensors it gave, and the geometries of those it took."""

    given: Mapping[str, Any]
    outputs: Sequence[Tensor]
    known: Sequence[Geometry]

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of its main argument."""
        return tuple(next(iter(self.given.values())).shape)

    def dims(self, name: str) -> tuple[int, ...]:
        """An argument that names dimensions, as negative numbers; all of them where it names none."""
        given = self.given[name]
        chosen = range(len(self.shape)) if given in (None, []) else (given if isinstance(given, Sequence) else [given])
        return tuple(dim if dim < 0 else dim - len(self.shape) for dim in chosen)


def _tensors(value: Any) -> list[Tensor]:
    if isinstance(value, Tensor):
        return [value]
    if isinstance(value, Mapping):
        value = list(value.values())
    return [tensor for part in value for tensor in _tensors(part)] if isinstance(value, (list, tuple)) else []


def _bound(func: OpOverload, args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments by the names of the operation's schema, defaults included."""
    names = func._schema.arguments
    return {a.name: args[i] if i < len(args) else kwargs.get(a.name, a.default_value) for i, a in enumerate(names)}


def _unknown(call: _Call) -> Geometry:
    raise Unknown


def _element_by_element(call: _Call) -> Geometry:
    joined = call.known[0]
    for other in call.known[1:]:
        joined = joined.joined(other)
    return joined


def _pair(value: Any) -> tuple[int, int]:
    values = list(value) if isinstance(value, Sequence) else [value]
    return values[0], values[-1]


def _window(call: _Call) -> Geometry:
    """Convolution and pooling. `same` padding puts the odd sample behind, as torch does."""
    given = call.given
    kernel = given["weight"].shape[2:] if "weight" in given else _pair(given["kernel_size"])
    step = _pair(given["stride"] or kernel)
    dilation = _pair(given.get("dilation", 1))
    padding = given["padding"]
    if padding == "same":
        padding = [d * (k - 1) // 2 for k, d in zip(kernel, dilation, strict=True)]
    elif padding == "valid":
        padding = 0
    padding = _pair(padding)
    geometry = call.known[0]
    if len(call.known) > 1 or geometry.y.dim not in (-2, None) or geometry.x.dim not in (-1, None):
        raise Unknown
    y, x = (
        axis.windowed(kernel[i], step[i], padding[i], dilation[i]) for i, axis in enumerate((geometry.y, geometry.x))
    )
    return Geometry(y, x)


def _adaptive(call: _Call) -> Geometry:
    def pooled(axis: Axis) -> Axis:
        if axis.dim is None:
            return axis
        length, wanted = call.shape[axis.dim], call.outputs[0].shape[axis.dim]
        if wanted == 1:
            return axis.whole() if length > 1 else axis
        if length % wanted:
            raise Unknown
        return axis.windowed(length // wanted, length // wanted, 0, 1)

    return call.known[0].each(pooled)


def _reduced(call: _Call) -> Geometry:
    """Every element of the output needs all along the dimensions that `dim` names, or all where it names none."""
    dims = call.dims("dim") if "dim" in call.given else tuple(range(-len(call.shape), 0))
    geometry = call.known[0].each(lambda axis: axis.whole() if axis.dim in dims else axis)
    # A softmax has no `keepdim`: it gives back every element.
    return geometry if call.given.get("keepdim", True) else geometry.each(lambda axis: _without(axis, dims))


def _without(axis: Axis, dims: Sequence[int]) -> Axis:
    """After dimensions other than its own are taken out."""
    return axis if axis.dim is None else axis.along(axis.dim + sum(dim > axis.dim for dim in dims))


def _layer_norm(call: _Call) -> Geometry:
    first = -len(call.given["normalized_shape"])
    return call.known[0].each(lambda axis: axis if axis.dim is None or axis.dim < first else axis.whole())


def _batch_norm(call: _Call) -> Geometry:
    return call.known[0].each(Axis.whole) if call.given["training"] else call.known[0]


def _all_of_it(call: _Call) -> Geometry:
    return _element_by_element(call).each(Axis.whole)


def _linear(call: _Call) -> Geometry:
    return _element_by_element(call).each(lambda axis: axis.whole() if axis.dim == -1 else axis)


def _reshaped(call: _Call) -> Geometry:
    """A dimension is the same one where it keeps its size and all that follows it does."""
    before, after = call.shape, tuple(call.outputs[0].shape)

    def moved(axis: Axis) -> Axis:
        if axis.dim is None:
            return axis
        inner = _product(before[len(before) + axis.dim + 1 :])
        for dim in range(-len(after), 0):
            if after[dim] == before[axis.dim] and _product(after[len(after) + dim + 1 :]) == inner:
                return axis.along(dim)
        raise Unknown

    return call.known[0].each(moved)


def _product(sizes: Sequence[int]) -> int:
    return int(torch.Size(sizes).numel())


def _permuted(call: _Call) -> Geometry:
    order = call.dims("dims")
    return call.known[0].each(lambda axis: axis if axis.dim is None else axis.along(order.index(axis.dim) - len(order)))


def _transposed(call: _Call) -> Geometry:
    first, second = call.dims("dim0")[0], call.dims("dim1")[0]
    swapped = {first: second, second: first}
    return call.known[0].each(lambda axis: axis if axis.dim is None else axis.along(swapped.get(axis.dim, axis.dim)))


def _not_along(call: _Call) -> Geometry:
    """Tensors laid one after the other, or one cut up, along a dimension that is neither y nor x."""
    geometry = _element_by_element(call)
    n_dims = call.outputs[0].ndim
    dim = call.given["dim"] if call.given["dim"] < 0 else call.given["dim"] - n_dims
    if dim in (geometry.y.dim, geometry.x.dim):
        raise Unknown
    return geometry


def _slice(call: _Call) -> Geometry:
    (dim,) = call.dims("dim")
    start = call.given["start"] or 0
    start = min(start + call.shape[dim] if start < 0 else start, call.shape[dim])
    step = call.given["step"]

    def cut(axis: Axis) -> Axis:
        if axis.dim != dim:
            return axis
        return replace(axis, stride=axis.stride * step, offset=axis.offset + axis.stride * start)

    return call.known[0].each(cut)


def _select(call: _Call) -> Geometry:
    (dim,) = call.dims("dim")
    index = call.given["index"] + (call.shape[dim] if call.given["index"] < 0 else 0)

    def picked(axis: Axis) -> Axis:
        if axis.dim == dim:
            return replace(axis, offset=axis.offset + axis.stride * index).along(None)
        return _without(axis, (dim,))

    return call.known[0].each(picked)


def _pad(call: _Call) -> Geometry:
    if call.given.get("mode", "constant") != "constant":
        raise Unknown
    pads = call.given["pad"]

    def padded(axis: Axis) -> Axis:
        at = -2 * ((axis.dim or 0) + 1)
        has_pad = axis.dim is not None and at < len(pads)
        return replace(axis, offset=axis.offset - axis.stride * pads[at]) if has_pad else axis

    return call.known[0].each(padded)


_RULES: dict[str, Callable[[_Call], Geometry]] = {
    **dict.fromkeys(("conv2d", "max_pool2d", "max_pool2d_with_indices", "avg_pool2d"), _window),
    **dict.fromkeys(("adaptive_avg_pool2d", "adaptive_max_pool2d"), _adaptive),
    **dict.fromkeys(("contiguous", "clone", "detach", "alias", "to", "_to_copy"), _element_by_element),
    **dict.fromkeys(("dropout", "dropout_", "feature_dropout"), _element_by_element),
    # Element by element, though torch does not mark them so.
    **dict.fromkeys(("hardswish", "hardswish_", "mish_", "threshold_", "prelu"), _element_by_element),
    **dict.fromkeys(("mean", "sum", "amax", "amin", "softmax", "log_softmax"), _reduced),
    "layer_norm": _layer_norm,
    **dict.fromkeys(("group_norm", "instance_norm"), _all_of_it),
    "batch_norm": _batch_norm,
    "linear": _linear,
    **dict.fromkeys(("view", "reshape", "_unsafe_view", "flatten", "unflatten", "squeeze", "unsqueeze"), _reshaped),
    "permute": _permuted,
    "transpose": _transposed,
    **dict.fromkeys(("cat", "concat", "chunk", "split", "split_with_sizes"), _not_along),
    "slice": _slice,
    "select": _select,
    **dict.fromkeys(("pad", "constant_pad_nd"), _pad),
}
