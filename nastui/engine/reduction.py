"""How a layer's output becomes one float32 number per unit and image (DESIGN §1, *reduction*).

What is returned is memory of its own: what a later in-place operation does to the layer's output cannot reach it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import torch
from torch import Tensor

from nastui.engine.maximum import maximum
from nastui.errors import UsageError
from nastui.records import Int64

Reduction = Literal["max", "mean", "center", "sample", "none"]
REDUCTIONS: tuple[Reduction, ...] = get_args(Reduction)


@dataclass(frozen=True, slots=True)
class Reduced:
    """What a reduction gives: `values` (B, U) float32, `positions` (B, U) int32 or None, both on the output's device.

    A position is the flat row-major index of the kept value into the spatial part of the layer's output.
    """

    values: Tensor
    positions: Tensor | None


def parse_reduction(text: str) -> Reduction:
    """The reduction of that name. Raises UsageError for any other word."""
    for reduction in REDUCTIONS:
        if text == reduction:
            return reduction
    raise UsageError(f"'{text}' is not a reduction.", hint=f"Choose one of {', '.join(REDUCTIONS)}.")


def keeps_positions(reduction: Reduction) -> bool:
    """Whether `reduce_output` returns positions for an output that has a spatial part."""
    return reduction in ("max", "sample")


def count_units(shape: tuple[int, ...], unit_dim: int, reduction: Reduction) -> int:
    """Units of an output of `shape` (without the batch) whose units lie along `unit_dim` of that shape."""
    return math.prod(shape) if reduction == "none" else shape[unit_dim]


def reduce_output(output: Tensor, unit_dim: int, reduction: Reduction, image_ids: Int64, seed: int) -> Reduced:
    """Reduce a layer's output to one value per unit and image.

    `output`: (B, ...) of any float dtype; its units lie along `unit_dim`, counted without the batch dimension; all
    other dimensions are spatial (or tokens). `image_ids` (B,) and `seed` decide the positions of `sample`, nothing
    else does: batch size and resuming have no influence. An output without a spatial part (B, D) is taken as it is.

    - `max`: the largest value and where it is, the first one in row-major order among equals; NaN if the map has any.
    - `mean`: over all positions.
    - `center`: position size // 2 along each dimension, so right of and below the middle where a size is even.
    - `sample`: one random position per image, the same one for all units.
    - `none`: every element is a unit, in C order of the output's shape ((channel·H + y)·W + x for a map).
    """
    output = output.detach()
    if reduction == "none" or output.ndim == 2:
        return Reduced(output.flatten(1).to(torch.float32, copy=True), None)
    if reduction == "max":
        return Reduced(*maximum(output, unit_dim))
    spatial = output.movedim(unit_dim + 1, 1)  # (B, U, *positions)
    if reduction == "mean":
        return Reduced(spatial.flatten(2).mean(2, dtype=torch.float32), None)
    if reduction == "center":
        middle = 0  # in plain numbers, which a compiler takes
        for size in spatial.shape[2:]:
            middle = middle * size + size // 2
        return Reduced(spatial.flatten(2)[:, :, middle].to(torch.float32, copy=True), None)
    return _sample(spatial, image_ids, seed)


def _sample(spatial: Tensor, image_ids: Int64, seed: int) -> Reduced:
    maps = spatial.flatten(2)
    drawn = torch.from_numpy(sample_positions(image_ids, seed, maps.shape[2])).to(maps.device)
    positions = drawn.unsqueeze(1).expand(maps.shape[:2])  # (B, U)
    values = maps.gather(2, positions.unsqueeze(2)).squeeze(2)
    return Reduced(values.to(torch.float32), positions.to(torch.int32))


def sample_positions(image_ids: Int64, seed: int, n_positions: int) -> Int64:
    """One position in [0, n_positions) per image, (B,), from its id and the seed alone.

    Layers of the same size get the same position of an image, so their samples belong together.
    Source: the SplitMix64 generator (Steele, Lea and Flood 2014), its state the seed's stream at step `image id + 1`.
    """
    with np.errstate(over="ignore"):
        start = _mix(np.full(1, seed & 0xFFFF_FFFF_FFFF_FFFF, np.uint64))
        mixed = _mix(start + (image_ids.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E37_79B9_7F4A_7C15))
    unit_interval = (mixed >> np.uint64(11)).astype(np.float64) * 2.0**-53
    return (unit_interval * n_positions).astype(np.int64)


def _mix(state: np.ndarray[tuple[int], np.dtype[np.uint64]]) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58_476D_1CE4_E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D0_49BB_1331_11EB)
    return state ^ (state >> np.uint64(31))
