"""Other preparations of the same images that weights are often trained with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import log

import torch
from torch import Tensor

from nastui.engine.preprocessing import Preprocessing

Change = Callable[[Tensor], Tensor]
_Values = tuple[float, ...]

_COLOUR: tuple[tuple[str, _Values, _Values], ...] = (
    ("pixels from 0 to 1", (0.0,), (1.0,)),
    ("ImageNet's mean and std", (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    ("CIFAR's mean and std", (0.4914, 0.4822, 0.4465), (0.247, 0.2435, 0.2616)),
    ("pixels from -1 to 1", (0.5,), (0.5,)),
    ("pixels from 0 to 255", (0.0,), (1 / 255,)),
)
_GREY: tuple[tuple[str, _Values, _Values], ...] = (
    ("pixels from 0 to 1", (0.0,), (1.0,)),
    ("MNIST's mean and std", (0.1307,), (0.3081,)),
    ("pixels from -1 to 1", (0.5,), (0.5,)),
    ("pixels from 0 to 255", (0.0,), (1 / 255,)),
    ("black and white exchanged", (1.0,), (-1.0,)),
)
_SIDES = (28, 32, 64, 96, 128, 224)
_CAFFE_MEAN = (123.68, 116.779, 103.939)


@dataclass(frozen=True, slots=True)
class Alternative:
    """`name`: in words. `how`: what to give or to write to get it. `options`: of a scan, None to leave one out.

    `change`: from the model's inputs as they are, (B, C, H, W), to what they would be. `size`: where pictures are to be
    prepared anew, in this height and width; `is_own`: anew, in the way that belongs to the weights.
    """

    name: str
    how: str
    change: Change = field(default=lambda inputs: inputs)
    size: int | None = None
    is_own: bool = False
    options: Mapping[str, str | None] = field(default_factory=dict)

    @property
    def is_anew(self) -> bool:
        return self.size is not None or self.is_own


def alternatives(preprocessing: Preprocessing, inputs: Tensor, height: int | None) -> list[Alternative]:
    """What else could be tried with these inputs (B, C, H, W), one channel or three: the usual first. Little where
    nothing is known of how they came about. `height`: of the pictures before; None leaves other sizes out."""
    if inputs.ndim != 4 or inputs.shape[1] not in (1, 3):
        return []
    to_unit = _to_unit(preprocessing, inputs)
    if to_unit is None:
        return [_exchanged()] if inputs.shape[1] == 3 else []
    has_options = preprocessing.description.get("kind") in ("plain", "torchvision ImageClassification")
    tables = _COLOUR if inputs.shape[1] == 3 else _GREY
    found = [_normalised(name, mean, std, to_unit, has_options=has_options) for name, mean, std in tables]
    if inputs.shape[1] == 3:
        found += [_exchanged(), _caffe(to_unit)]
    if has_options and height is not None:
        sides = sorted(_SIDES, key=lambda side: abs(log(side / height)))
        found += [_resized(side) for side in sides if side != inputs.shape[2]]
    return [one for one in found if one.is_anew or not _is_same(one.change(inputs[:1]), inputs[:1])]


def _is_same(one: Tensor, other: Tensor) -> bool:
    return one.shape == other.shape and torch.allclose(one, other, atol=1e-4)


def _to_unit(preprocessing: Preprocessing, inputs: Tensor) -> Change | None:
    """How these inputs become pixels of 0..1 again: by what is known of the preparation, else by their range."""
    mean, std = preprocessing.description.get("mean"), preprocessing.description.get("std")
    if isinstance(mean, list) and isinstance(std, list):
        return lambda x: x * _shaped(std, x) + _shaped(mean, x)
    low, high = float(inputs.min()), float(inputs.max())
    if low >= 0 and high <= 1:
        return lambda x: x
    if low >= 0 and 16 < high <= 255:
        return lambda x: x / 255
    if -1 <= low < -0.5 and 0 < high <= 1:
        return lambda x: (x + 1) / 2
    return None


def _normalised(name: str, mean: _Values, std: _Values, to_unit: Change, *, has_options: bool) -> Alternative:
    words = f"--mean={_written(mean)} --std={_written(std)}"
    how = f"Give {words}." if has_options else f"Let the transform end with {name} (as {words} has it)."
    options = {"mean": _written(mean), "std": _written(std)} if has_options else {}
    return Alternative(name, how, lambda x: (to_unit(x) - _shaped(mean, x)) / _shaped(std, x), options=options)


def _resized(side: int) -> Alternative:
    how, options = f"Give --size={side}.", {"size": str(side)}
    return Alternative(f"images of {side}×{side} pixels", how, size=side, options=options)


def own_preparation() -> Alternative:
    """That of torchvision's weights, where options replace it."""
    options = dict.fromkeys(("size", "mean", "std"))
    how = "Leave out --size, --mean and --std."
    return Alternative("the preparation that belongs to these weights", how, is_own=True, options=options)


def _exchanged() -> Alternative:
    how = "Return a transform that exchanges red and blue: lambda image: usual(image).flip(0)."
    return Alternative("red and blue exchanged (BGR)", how, lambda x: x.flip(1))


def _caffe(to_unit: Change) -> Alternative:
    how = "Return a transform that gives 255 * image less the mean 123.68, 116.779, 103.939, then .flip(0)."
    return Alternative(
        "Caffe's way (BGR, 0 to 255 less a mean)", how, lambda x: (to_unit(x) * 255 - _shaped(_CAFFE_MEAN, x)).flip(1)
    )


def _shaped(values: Sequence[float], like: Tensor) -> Tensor:
    return torch.tensor(values, dtype=like.dtype, device=like.device).reshape(1, -1, 1, 1)


def _written(values: _Values) -> str:
    return ",".join(f"{value:.6g}" for value in values)
