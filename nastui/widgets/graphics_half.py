"""Pictures from characters: each cell is split in two by a block glyph, and each part takes the mean of its light."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from rich.color import Color
from rich.segment import Segment
from rich.style import Style

from nastui.widgets.graphics import Graphics, Picture, Row, fit_cells, is_pixel_art
from nastui.widgets.graphics_colours import Float, nearest_codes, oklab, to_linear, to_srgb

SHADES = " ░▒▓█"

# How a glyph divides the four quarters of a cell (top left, top right, bottom left, bottom right): 1 is foreground.
_GLYPHS = {
    "▀": (1, 1, 0, 0),
    "▌": (1, 0, 1, 0),
    "▘": (1, 0, 0, 0),
    "▝": (0, 1, 0, 0),
    "▖": (0, 0, 1, 0),
    "▗": (0, 0, 0, 1),
    "▚": (1, 0, 0, 1),
}
_MASKS = np.array(list(_GLYPHS.values()), np.float32)  # (glyphs, 4)


class HalfBlocks(Graphics):
    """Block characters in two colours a cell; with 16 colours or none, shades of the text's colour."""

    name = "half"
    is_coarse = True

    def encode(self, image: Image.Image, columns: int, lines: int) -> Picture:
        columns, lines = fit_cells(image, columns, lines, self.cell)
        if self.terminal.colour_depth in ("16", "none"):
            return Picture(columns, lines, shade_rows(image, columns, lines))
        return Picture(columns, lines, block_rows(image, columns, lines, self.terminal.colour_depth == "256"))


def block_rows(image: Image.Image, columns: int, lines: int, has_256: bool) -> tuple[Row, ...]:
    """`image` (RGB) as `lines` rows of `columns` two-coloured cells; with `has_256` in the colours of that palette."""
    light = resized_light(image, 2 * columns, 2 * lines)
    quarters = light.reshape(lines, 2, columns, 2, 3).transpose(0, 2, 1, 3, 4).reshape(lines * columns, 4, 3)
    chosen, front, back = _split(quarters)
    pairs = np.stack([to_srgb(front), to_srgb(back)], axis=1)  # (cells, 2, 3)
    if has_256:
        pairs = nearest_codes(pairs)
    glyphs = list(_GLYPHS)
    cells = [
        Segment(*_cell(glyphs[glyph], tuple(pair[0].tolist()), tuple(pair[1].tolist())))
        for glyph, pair in zip(chosen.tolist(), pairs, strict=True)
    ]
    return tuple(_merged(cells[line * columns : (line + 1) * columns]) for line in range(lines))


def shade_rows(image: Image.Image, columns: int, lines: int) -> tuple[Row, ...]:
    """`image` as rows of shaded blocks, the brightest full; they take the widget's own colours."""
    light = resized_light(image, columns, lines)
    brightness = oklab(to_srgb(light))[..., 0]
    low, high = float(np.min(brightness)), float(np.max(brightness))
    spread = (brightness - low) / (high - low) if high > low else np.zeros_like(brightness) + (high > 0.5)
    steps = np.rint(spread * (len(SHADES) - 1)).astype(int)
    return tuple((Segment("".join(SHADES[step] for step in row)),) for row in steps.tolist())


def resized_light(image: Image.Image, width: int, height: int) -> Float:
    """`image` as light, (height, width, 3): averaged as light, so that fine contrasts keep their tone."""
    light = to_linear(np.asarray(image, np.uint8))
    enlarged = width > image.width or height > image.height
    if enlarged:
        method = Image.Resampling.NEAREST if is_pixel_art(image) else Image.Resampling.BICUBIC
    else:
        method = Image.Resampling.LANCZOS
    planes = [np.asarray(Image.fromarray(light[..., band]).resize((width, height), method)) for band in range(3)]
    return np.stack(planes, axis=2)


def _split(quarters: Float) -> tuple[NDArray[np.int64], Float, Float]:
    """For cells (n, 4, 3): the glyph that loses least, and the mean light of its two parts, (n, 3) each."""
    seen = oklab(to_srgb(quarters))
    losses = []
    for mask in _MASKS:
        inside, outside = mask[:, None], 1 - mask[:, None]
        mean_in = (seen * inside).sum(axis=1, keepdims=True) / inside.sum()
        mean_out = (seen * outside).sum(axis=1, keepdims=True) / outside.sum()
        losses.append((np.square(seen - mean_in * inside - mean_out * outside)).sum(axis=(1, 2)))
    chosen = np.argmin(np.stack(losses, axis=1), axis=1)
    masks = _MASKS[chosen][..., None]  # (n, 4, 1)
    front = (quarters * masks).sum(axis=1) / masks.sum(axis=1)
    back = (quarters * (1 - masks)).sum(axis=1) / (1 - masks).sum(axis=1)
    return chosen, front, back


def _cell(glyph: str, front: tuple[int, int, int], back: tuple[int, int, int]) -> tuple[str, Style]:
    if front == back:
        return " ", Style.from_color(None, Color.from_rgb(*back))
    return glyph, Style.from_color(Color.from_rgb(*front), Color.from_rgb(*back))


def _merged(cells: list[Segment]) -> Row:
    """The same cells with neighbours of one style joined: fewer bytes."""
    row: list[Segment] = []
    for cell in cells:
        if row and row[-1].style == cell.style:
            row[-1] = Segment(row[-1].text + cell.text, cell.style)
        else:
            row.append(cell)
    return tuple(row)
