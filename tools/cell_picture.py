"""A terminal's screen as a picture: block characters as exact rectangles, so that no font leaves gaps between them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import matplotlib
from PIL import Image, ImageDraw, ImageFont
from rich.color import Color
from textual.strip import Strip

CELL = 12, 24  # pixels
FOREGROUND, BACKGROUND = (208, 208, 208), (18, 18, 18)
_SIZE = 20  # of the font: its characters are then one cell wide
_QUADRANTS = {
    0x2596: 2,
    0x2597: 1,
    0x2598: 8,
    0x2599: 11,
    0x259A: 9,
    0x259B: 14,
    0x259C: 13,
    0x259D: 4,
    0x259E: 6,
    0x259F: 7,
}

Colour = tuple[int, int, int]
Part = tuple[float, float, float, float]  # left, top, right, bottom; 0 to 1 of the cell


def draw_screen(strips: Sequence[Strip]) -> Image.Image:
    """The screen's lines as an RGB picture."""
    width, height = CELL
    picture = Image.new("RGB", (strips[0].cell_length * width, len(strips) * height), BACKGROUND)
    draw = ImageDraw.Draw(picture)
    for line, strip in enumerate(strips):
        column = 0
        for segment in strip:
            style = segment.style
            foreground = _rgb(style.color if style else None, FOREGROUND)
            background = _rgb(style.bgcolor if style else None, BACKGROUND)
            if style and style.reverse:
                foreground, background = background, foreground
            for character in segment.text:
                place = column * width, line * height
                _draw_cell(draw, place, character, foreground, background, is_bold=bool(style and style.bold))
                column += 1
    return picture


def _draw_cell(
    draw: ImageDraw.ImageDraw,
    place: tuple[int, int],
    character: str,
    foreground: Colour,
    background: Colour,
    *,
    is_bold: bool,
) -> None:
    (x, y), (width, height) = place, CELL
    draw.rectangle((x, y, x + width - 1, y + height - 1), fill=background)
    if (parts := block_parts(character)) is None:
        draw.text((x, y), character, font=_font(is_bold), fill=foreground)
        return
    for left, top, right, bottom in parts:
        box = (
            x + round(left * width),
            y + round(top * height),
            x + round(right * width) - 1,
            y + round(bottom * height) - 1,
        )
        draw.rectangle(box, fill=foreground)


def block_parts(character: str) -> list[Part] | None:
    """The rectangles that a block character fills; None for any other character."""
    code = ord(character)
    if code == 0x2580:
        return [(0, 0, 1, 0.5)]
    if 0x2581 <= code <= 0x2588:
        return [(0, 1 - (code - 0x2580) / 8, 1, 1)]
    if 0x2589 <= code <= 0x258F:
        return [(0, 0, (0x2590 - code) / 8, 1)]
    if code == 0x2590:
        return [(0.5, 0, 1, 1)]
    if code in _QUADRANTS:
        quarters = [(0.0, 0.0), (0.5, 0.0), (0.0, 0.5), (0.5, 0.5)]
        return [
            (x, y, x + 0.5, y + 0.5)
            for bit, (x, y) in zip((8, 4, 2, 1), quarters, strict=True)
            if _QUADRANTS[code] & bit
        ]
    return None


def _rgb(color: Color | None, default: Colour) -> Colour:
    if color is None or color.is_default:
        return default
    triplet = color.get_truecolor()
    return triplet.red, triplet.green, triplet.blue


@cache
def _font(is_bold: bool) -> ImageFont.FreeTypeFont:
    name = "DejaVuSansMono-Bold.ttf" if is_bold else "DejaVuSansMono.ttf"
    return ImageFont.truetype(str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / name), _SIZE)
