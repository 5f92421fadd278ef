"""Where in an image a unit's value comes from: from a position in the layer's map back to the image. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from nastui.records import NEURON, ImageInfo, Int32, LayerInfo, ReceptiveField, RunSpec

_PRESET = "torchvision ImageClassification"
_WHOLE_PICTURE = ("plain", "tensors as the image set gives them")
_WITH_POSITIONS = ("max", "sample")


class Part(NamedTuple):
    """A rectangle of an image, as fractions of its width and height."""

    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True, slots=True)
class Resizing:
    """What a transform does to an image's place: shorter side to `resize`, then `crop` (height, width) in the middle.

    `resize` None: the image is stretched to the input and nothing is cut off.
    """

    resize: int | None
    crop: tuple[int, int]

    @classmethod
    def of(cls, description: Mapping[str, object], crop: tuple[int, int]) -> Resizing | None:
        """From a run's preprocessing, None where that does not say."""
        kind, resize = description.get("kind"), description.get("resize")
        if kind in _WHOLE_PICTURE:
            return cls(None, crop)
        if kind == _PRESET and isinstance(resize, list) and len(resize) == 1 and isinstance(resize[0], int):
            return cls(resize[0], crop)
        return None

    def fractions(self, pixels: tuple[float, float], length: int, other: int, axis: int) -> tuple[float, float]:
        """Input pixels along an axis (0: y, 1: x), start and end, as parts of the image's `length`; `other`: across."""
        crop = self.crop[axis]
        if self.resize is None:
            resized, first = crop, 0
        else:
            # As torchvision's Resize and CenterCrop round, padding included.
            resized = self.resize if length <= other else int(self.resize * length / other)
            first = round((resized - crop) / 2) if resized >= crop else -((crop - resized) // 2)
        start, end = (min(max((pixel + first) / resized, 0.0), 1.0) for pixel in pixels)
        return start, end


@dataclass(frozen=True, slots=True)
class PatchFinder:
    """Finds the part of an image that a position of a layer's map sees.

    `reason` says why there are no patches; it is empty where there are.
    """

    field: ReceptiveField | None
    map_width: int
    resizing: Resizing | None
    reason: str

    @classmethod
    def of(cls, layer: LayerInfo, spec: RunSpec) -> PatchFinder:
        size = spec.input_height, spec.input_width
        has_map = len(layer.places) == 2
        resizing = None
        if size[0] is not None and size[1] is not None:
            resizing = Resizing.of(json.loads(spec.preprocessing), (size[0], size[1]))
        if layer.tokens is not None:
            reason = "a token may have seen the whole image"
        elif not has_map:
            reason = f"{layer.path} has no map of the image"
        elif layer.basis != NEURON:
            reason = f"values along {layer.basis} have no position"
        elif spec.reduction not in _WITH_POSITIONS:
            reason = f"values by {spec.reduction} have no position"
        elif layer.field is None:
            reason = f"what {layer.path} sees could not be found out"
        elif resizing is None:
            reason = "patch unknown: the transform is not described"
        else:
            reason = ""
        return cls(layer.field, layer.places[-1] if has_map else 1, resizing, reason)

    def part(self, position: int, width: int, height: int) -> Part | None:
        """What the position (flat, row-major; negative: none) sees of an image of `width` × `height` pixels.

        None where nothing is known, and where the position sees nothing but padding.
        """
        field, resizing = self.field, self.resizing
        if self.reason or field is None or resizing is None or position < 0:
            return None
        y, x = divmod(position, self.map_width)
        rows = _clipped(field.stride_y * y + field.offset_y, field.size_y, resizing.crop[0])
        columns = _clipped(field.stride_x * x + field.offset_x, field.size_x, resizing.crop[1])
        top, bottom = resizing.fractions(rows, height, width, axis=0)
        left, right = resizing.fractions(columns, width, height, axis=1)
        return Part(left, top, right, bottom) if left < right and top < bottom else None

    def part_of(self, image: ImageInfo, positions: Int32 | None) -> Part | None:
        """What the value of an image was found in; `positions` (N,) are those of all images, None for none."""
        if positions is None or image.width is None or image.height is None:
            return None
        return self.part(int(positions[image.id]), image.width, image.height)

    @property
    def size_words(self) -> str:
        """How large the patches are, before they are clipped at the border of what the model takes."""
        field, resizing = self.field, self.resizing
        if field is None or resizing is None:
            return ""
        height, width = resizing.crop
        if not field.stride_y and not field.stride_x:
            return f"all {height}×{width} pixels that the model takes"
        return f"{field.size_y:g}×{field.size_x:g} of {height}×{width} pixels"


def _clipped(start: float, size: float, length: int) -> tuple[float, float]:
    return min(max(start, 0.0), length), min(max(start + size, 0.0), length)
