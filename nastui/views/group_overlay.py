"""The groups of a layer's neurons over one image: what is laid over the picture in colours, and its legend. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from nastui.palette import OTHER, slot_colour
from nastui.records import Float32, Float64, ImageInfo, LayerInfo, RunSpec
from nastui.stats.groups import Group
from nastui.views.ink import DIM, STRONG, TEXT
from nastui.views.legend import LegendPiece
from nastui.views.numbers import percent, short_number
from nastui.views.patch import Part, PatchFinder

MOST_COLOURS = OTHER  # groups in colours of their own; of more the first ones of the image
_OPAQUE = 0.85  # where the layer answers most


@dataclass(frozen=True, slots=True)
class Overlay:
    """Colours for a picture: `rgba`, four bytes a position, row by row of `rows` × `columns`, over `part` of it, which
    may reach beyond its borders."""

    part: Part
    rows: int
    columns: int
    rgba: bytes


def coloured_slots(groups: Sequence[Group], n_units: int) -> dict[int, int]:
    """The slot of the palette for each group that has a colour, by its unit.

    Of a basis with few units each keeps its colour from image to image; of others the image's first ones have colours.
    """
    shown = groups[:MOST_COLOURS]
    if n_units <= MOST_COLOURS:
        return {group.unit: group.unit for group in shown}
    return {group.unit: slot for slot, group in enumerate(shown)}


def overlay_of(maps: Float32, slots: dict[int, int], part: Part) -> Overlay:
    """The groups in colours, `maps` (k, h, w): the stronger the layer answers at a position, the less is left of the
    picture, by the square root of all values' sum; the colour is mixed of the groups', by the squares of their values,
    so that the strongest prevails."""
    rows, columns = maps.shape[1:]
    units = list(slots)
    values = np.where(np.isfinite(maps[units]), np.maximum(maps[units], 0), 0).astype(np.float64)
    colours = np.array([_rgb(slots[unit]) for unit in units], dtype=np.float64).reshape(-1, 3)
    weights: Float64 = values**2
    mixed = np.einsum("uhw,uc->hwc", weights, colours) / np.maximum(weights.sum(axis=0), 1e-300)[:, :, None]
    strength = values.sum(axis=0)
    alpha = 255 * _OPAQUE * np.sqrt(strength / max(float(np.max(strength, initial=0)), 1e-300))
    rgba = np.concatenate([mixed, alpha[:, :, None]], axis=2)
    return Overlay(part, rows, columns, np.round(rgba).astype(np.uint8).tobytes())


def map_part(neurons: LayerInfo, spec: RunSpec, image: ImageInfo) -> Part:
    """Where the positions of a layer's map lie in an image, each a cell around the middle of what it sees.

    Where that is not known they are laid evenly over what the model takes, or over the whole image.
    """
    finder = PatchFinder.of(neurons, replace(spec, reduction="sample"))  # the reduction takes nothing from a whole map
    field, resizing = finder.field, finder.resizing
    if resizing is None or image.width is None or image.height is None:
        return Part(0, 0, 1, 1)
    height, width = resizing.crop
    top, bottom = resizing.fractions((0, height), image.height, image.width, axis=0)
    left, right = resizing.fractions((0, width), image.width, image.height, axis=1)
    ends = (0.0, 1.0), (0.0, 1.0)
    if field is not None and field.stride_y and field.stride_x:
        n_rows, n_columns = neurons.places
        ends = (
            _cells(field.offset_y, field.size_y, field.stride_y, n_rows, height),
            _cells(field.offset_x, field.size_x, field.stride_x, n_columns, width),
        )
    (first_row, last_row), (first_column, last_column) = ends
    return Part(
        left + (right - left) * first_column,
        top + (bottom - top) * first_row,
        left + (right - left) * last_column,
        top + (bottom - top) * last_row,
    )


def group_lines(
    layer: LayerInfo, groups: Sequence[Group], slots: dict[int, int], n_lines: int
) -> list[list[LegendPiece]]:
    """The legend: the groups with their share of the image, as many as fit on so many lines."""
    lines = [[LegendPiece(str(layer.address), STRONG), LegendPiece(" over this image", DIM)]]
    room = max(n_lines - 1, 1)
    shown = groups if len(groups) <= room else groups[: room - 1]
    for group in shown:
        swatch = [LegendPiece("  ", slots[group.unit], is_swatch=True)] if group.unit in slots else []
        name = LegendPiece(f" {layer.basis}:{group.unit:<3}", TEXT)
        lines.append([*swatch, name, LegendPiece(f"{percent(group.share):>6}   peak {short_number(group.peak)}", DIM)])
    if len(shown) < len(groups):
        lines.append([LegendPiece(f"   and {len(groups) - len(shown)} more", DIM)])
    return lines


def _cells(offset: float, size: float, stride: float, n: int, length: int) -> tuple[float, float]:
    """Where the first of `n` cells begins and the last one ends, as parts of `length`."""
    start = offset + (size - stride) / 2
    return start / length, (start + stride * n) / length


def _rgb(slot: int) -> tuple[int, int, int]:
    colour = str(slot_colour(slot, "truecolor"))
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
