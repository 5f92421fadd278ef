"""From a picture to the model's input: the weights' own transform, a factory's, or plain resize and scaling."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torchvision.transforms._presets import ImageClassification

from nastui.engine.models import LoadedModel, Transform
from nastui.engine.sources.source import SourceImage
from nastui.errors import UsageError

Size = int | str | tuple[int, int]

_MODES = {1: "L", 3: "RGB"}
_MOST_PIXELS = 16_384  # a side


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """What happens to every image between decoding and the model. `description` says it in full, as plain values."""

    transform: Transform
    description: Mapping[str, object]
    mode: str | None = None

    def __call__(self, image: SourceImage) -> Tensor:
        """The model's input for one image, without batch dimension: float32, as a rule (C, H, W).

        Raises UsageError where the transform gives something else, and whatever a person's transform raises.
        """
        if image.tensor is not None:
            return image.tensor
        picture = image.picture
        if self.mode is not None and picture.mode != self.mode:
            picture = picture.convert(self.mode)
        result = self.transform(picture)
        if not isinstance(result, Tensor) or not result.is_floating_point():
            what = f"{result.dtype} tensor" if isinstance(result, Tensor) else type(result).__name__
            raise UsageError(
                f"The model's transform gives a {what}, not a float tensor.", hint="End it with ToTensor() or the like."
            )
        return result.to(torch.float32)

    def describe(self) -> str:
        """The description as JSON, the same text for the same preprocessing."""
        return json.dumps(self.description, sort_keys=True, ensure_ascii=False)

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.describe().encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class ResizeAndScale:
    """Resize to `size` (height, width; None: leave), scale to 0..1, then (x - mean) / std by channel."""

    size: tuple[int, int] | None
    mean: tuple[float, ...]
    std: tuple[float, ...]

    def __call__(self, picture: Image.Image) -> Tensor:
        if self.size is not None and picture.size != self.size[::-1]:
            picture = picture.resize(self.size[::-1], Image.Resampling.BILINEAR)
        pixels: NDArray[Any] = np.asarray(picture, dtype=np.float32) / np.float32(255)  # (H, W) or (H, W, 3)
        pixels = (pixels - np.array(self.mean, np.float32)) / np.array(self.std, np.float32)
        pixels = pixels[None] if picture.mode == "L" else pixels.transpose(2, 0, 1)
        return torch.from_numpy(np.ascontiguousarray(pixels))


def choose_preprocessing(
    model: LoadedModel,
    example: SourceImage,
    *,
    size: Size | None = None,
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
    grayscale: bool | None = None,
) -> Preprocessing:
    """Decide what happens to the images of the set that `example` is of.

    In this order: tensors that the image set gives go in as they are; the options given here (what they leave open is
    taken from the weights' own transform, if there is one); the model's transform; pictures as they are, scaled to
    0..1. Pictures turn grey where the model's first convolution takes one channel, RGB where it takes three.
    Raises UsageError for options that make no sense or contradict the model's own transform.
    """
    has_options = any(option is not None for option in (size, mean, std, grayscale))
    if example.tensor is not None:
        return _ready_tensors(has_options)
    mode = _picture_mode(model, example, grayscale)
    if isinstance(model.transform, ImageClassification):
        return _preset(model.transform, size, mean, std)
    if model.transform is None:
        return _plain(mode, size, mean, std)
    if has_options:
        raise UsageError(
            f"{model.spec} brings its own transform; --size, --mean, --std and --grayscale would replace it.",
            hint="Leave these options out, or return the module alone from the factory.",
        )
    return Preprocessing(model.transform, _describe_callable(model.transform, mode), mode)


def parse_size(size: Size) -> tuple[int, int]:
    """(height, width) of `32`, `"32"`, `"28x36"` (height first) or a pair. Raises UsageError."""
    parts: Sequence[Any] = (
        re.split("[x×,]", size.lower()) if isinstance(size, str) else ((size,) if isinstance(size, int) else size)
    )
    try:
        height, width = (int(part) for part in (tuple(parts) * 2 if len(parts) == 1 else parts))
    except ValueError as exc:
        raise UsageError(
            f"'{size}' is no image size.", hint="Write --size 224, or --size 200x320 (height first)."
        ) from exc
    if not (0 < height <= _MOST_PIXELS and 0 < width <= _MOST_PIXELS):
        raise UsageError(f"'{size}' is no image size.", hint=f"Give 1 to {_MOST_PIXELS:,} pixels a side.")
    return height, width


def _ready_tensors(has_options: bool) -> Preprocessing:
    if has_options:
        raise UsageError(
            "The image set gives tensors that are ready for the model, so --size, --mean, --std and --grayscale have "
            "nothing to work on.",
            hint="Leave these options out, or let the image set give PIL images.",
        )
    return Preprocessing(_no_pictures, {"kind": "tensors as the image set gives them"})


def _picture_mode(model: LoadedModel, example: SourceImage, grayscale: bool | None) -> str:
    """What the model takes decides, then what was asked for, then what the images are."""
    taken = _MODES.get(model.input_channels or 0)
    wanted = None if grayscale is None else ("L" if grayscale else "RGB")
    if taken and wanted and taken != wanted:
        raise UsageError(
            f"The first convolution of {model.spec} takes {model.input_channels} channel(s): "
            f"--{'' if grayscale else 'no-'}grayscale does not fit.",
            hint="Leave it out: nastui gives the model the channels that it takes.",
        )
    return taken or wanted or example.picture.mode


def _preset(
    preset: ImageClassification, size: Size | None, mean: Sequence[float] | None, std: Sequence[float] | None
) -> Preprocessing:
    mean, std = mean or preset.mean, std or preset.std
    if size is not None:
        return _plain("RGB", size, mean, std)
    transform = ImageClassification(
        crop_size=preset.crop_size[0],
        resize_size=preset.resize_size[0],
        mean=_per_channel("--mean", mean, 3),
        std=_per_channel("--std", std, 3),
        interpolation=preset.interpolation,
        antialias=preset.antialias,
    )
    return Preprocessing(transform, _describe_preset(transform), "RGB")


def _plain(mode: str, size: Size | None, mean: Sequence[float] | None, std: Sequence[float] | None) -> Preprocessing:
    n_channels = 1 if mode == "L" else 3
    wanted = None if size is None else parse_size(size)
    means = _per_channel("--mean", mean if mean is not None else (0.0,), n_channels)
    stds = _per_channel("--std", std if std is not None else (1.0,), n_channels)
    if 0 in stds:
        raise UsageError("--std is 0, which nothing can be divided by.", hint="Leave --std out to keep 0..1.")
    description: dict[str, object] = {
        "kind": "plain",
        "channels": "grey" if mode == "L" else "RGB",
        "size": "as the images are" if wanted is None else f"{wanted[0]}×{wanted[1]} (height × width, aspect not kept)",
        "interpolation": "none" if wanted is None else "bilinear, antialiased",
        "scale": "0..1",
        "mean": list(means),
        "std": list(stds),
    }
    if size is None and mean is None and std is None:
        description["note"] = "the default: neither the model nor the command said how images are prepared"
    return Preprocessing(ResizeAndScale(wanted, means, stds), description, mode)


def _per_channel(option: str, values: Sequence[float], n_channels: int) -> tuple[float, ...]:
    if len(values) not in (1, n_channels):
        raise UsageError(
            f"{option} has {len(values)} values, the images {n_channels} channels.",
            hint="Give one value, or one a channel.",
        )
    return tuple(float(value) for value in values) * (n_channels // len(values))


def _describe_preset(preset: ImageClassification) -> dict[str, object]:
    return {
        "kind": "torchvision ImageClassification",
        "channels": "RGB",
        "resize": list(preset.resize_size),
        "crop": list(preset.crop_size),
        "interpolation": str(preset.interpolation.value) + (", antialiased" if preset.antialias else ""),
        "scale": "0..1",
        "mean": list(preset.mean),
        "std": list(preset.std),
    }


def _describe_callable(transform: Transform, mode: str) -> dict[str, object]:
    return {
        "kind": "the model's own transform",
        "channels": "grey" if mode == "L" else "RGB",
        "transform": re.sub(r" at 0x[0-9a-fA-F]+", "", repr(transform)),
        "note": "as the object prints itself; code inside it is not recorded",
    }


def _no_pictures(picture: Image.Image) -> Tensor:
    raise UsageError(
        "The image set gives tensors for some images and pictures for others.", hint="Let it give the same for all."
    )
