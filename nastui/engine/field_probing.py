"""Receptive fields by trial: pixels are made NaN, and what of a layer's map turns NaN can be reached from them.

NaN survives whatever a network computes from it, so this holds for any architecture; it takes a forward pass of its own
for every cut through the image, which is why it only checks the arithmetic, and stands in where that does not know.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import product

import numpy as np
import torch
from torch import Tensor, nn

from nastui.engine.hooks import LayerHooks
from nastui.engine.layers import CaptureLayer
from nastui.engine.trace import run_forward
from nastui.records import Bool, Float64, Int64

_AT_ONCE = 8  # images in a forward pass
_MOST_CUTS = 16  # along an axis, from either end


@dataclass(frozen=True, slots=True)
class Cut:
    """All pixels in front of pixel `at` along an axis (0: y, 1: x), or with `is_behind` all from it on."""

    axis: int
    at: int
    is_behind: bool

    def pixels(self) -> tuple[slice, ...]:
        """Which part of a (C, H, W) image they are."""
        part = slice(self.at, None) if self.is_behind else slice(None, self.at)
        return (slice(None), part) if self.axis == 0 else (slice(None), slice(None), part)

    def reaches(self, starts: Float64, ends: Float64) -> Bool:
        """Which positions it reaches, if those take pixels from `starts` to before `ends`."""
        reached: Bool = ends > self.at if self.is_behind else starts < self.at
        return reached


Reached = dict[str, dict[Cut, Bool]]  # layer path -> for each cut the positions along its axis that it reaches


def reached_positions(module: nn.Module, layers: Sequence[CaptureLayer], image: Tensor, cuts: Sequence[Cut]) -> Reached:
    """Find out which positions of the layers' maps the cuts reach. `image` (1, C, H, W) without NaN."""
    found: Reached = {layer.spec.path: {} for layer in layers}
    for first in range(0, len(cuts), _AT_ONCE):
        part = cuts[first : first + _AT_ONCE]
        images = image.repeat(len(part) + 1, 1, 1, 1)  # the last one stays as it is
        for row, cut in enumerate(part):
            images[row][cut.pixels()] = torch.nan
        run_up_to(module, layers, images, _noting(part, found))
    return found


class _Enough(Exception):
    """The last layer that was asked for has been computed."""


def run_up_to(
    module: nn.Module, layers: Sequence[CaptureLayer], images: Tensor, on_output: Callable[[CaptureLayer, object], None]
) -> None:
    """Hand over the outputs of the layers; what the model would compute after the last of them is spared."""
    missing = {layer.spec.path for layer in layers}

    def hand_over(layer: CaptureLayer, output: object) -> None:
        on_output(layer, output)
        missing.discard(layer.spec.path)
        if not missing:
            raise _Enough

    with LayerHooks(module, layers, hand_over), torch.inference_mode(), suppress(_Enough):
        run_forward(module, images)


def _noting(cuts: Sequence[Cut], found: Reached) -> Callable[[CaptureLayer, object], None]:
    def note(layer: CaptureLayer, output: object) -> None:
        if not isinstance(output, Tensor) or output.ndim != 4:
            return
        is_nan = output.isnan()
        is_new = (is_nan[:-1] & ~is_nan[-1]).any(layer.unit_dim + 1).cpu().numpy()  # (cuts, H, W)
        for row, cut in enumerate(cuts):
            found[layer.spec.path][cut] = is_new[row].any(1 - cut.axis)

    return note


def edge_cuts(height: int, width: int) -> list[Cut]:
    """The first and the last row and column: what all four reach sees the whole image."""
    return [Cut(0, 1, False), Cut(0, height - 1, True), Cut(1, 1, False), Cut(1, width - 1, True)]


def all_cuts(height: int, width: int) -> list[Cut]:
    """Enough cuts to tell where the fields of all positions lie: exactly in images of up to 16 pixels."""
    return [
        Cut(axis, at, is_behind)
        for (axis, length), is_behind in product(enumerate((height, width)), (False, True))
        for at in _places(length)
        if not (is_behind and at == length)
    ] + [Cut(0, 0, is_behind=True)]


def _places(length: int) -> list[int]:
    return [round(place) for place in np.linspace(1, length, min(length, _MOST_CUTS)).tolist()]


@dataclass(frozen=True, slots=True)
class Bounds:
    """Along an axis, `starts` and `ends` (before which they end) that enclose the fields of `positions`."""

    positions: Int64
    starts: Int64
    ends: Int64

    @classmethod
    def of(cls, reached: Mapping[Cut, Bool], axis: int, length: int) -> Bounds | None:
        """As near as the cuts tell. Positions that nothing reaches lie in padding and are left out.

        None where nothing reaches any: the layer hides what reaches it.
        """
        seen = {cut: positions for cut, positions in reached.items() if cut.axis == axis}
        n = len(next(iter(seen.values())))
        starts, ends = np.zeros(n, np.int64), np.full(n, length, np.int64)
        for cut, positions in seen.items():
            if cut.is_behind:
                ends[~positions] = np.minimum(ends[~positions], cut.at)
            else:
                starts[~positions] = np.maximum(starts[~positions], cut.at)
        (kept,) = np.nonzero(starts < ends)
        return cls(kept, starts[kept], ends[kept]) if len(kept) else None

    def rule(self, likely_stride: float) -> tuple[float, float, float]:
        """(stride, offset, size) of the smallest fields in equal steps that take in all of these."""
        best = (0.0, float(np.min(self.starts)), float(np.max(self.ends) - np.min(self.starts)))
        for stride in [*map(float, range(1, int(2 * likely_stride) + 3)), likely_stride]:
            offset = float(np.min(self.starts - stride * self.positions))
            size = float(np.max(self.ends - stride * self.positions)) - offset
            if size < best[2]:
                best = (stride, offset, size)
        return best
