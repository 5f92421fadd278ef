"""A part of a picture: cut out and enlarged, or marked by a frame."""

from __future__ import annotations

from math import ceil, floor

from PIL import Image, ImageDraw

from nastui.views.grid import GridTile
from nastui.views.patch import Part
from nastui.widgets.graphics import Graphics, NoPicture, Picture, decode, fit_pixels, is_pixel_art, scaled

_FRAME = ("black", "white", "white", "black")  # the frame's lines of one pixel, from inside out


def encode_tile(graphics: Graphics, tile: GridTile, columns: int, lines: int) -> Picture | NoPicture:
    """Make a tile's picture, or the part of it to show, ready for a box of cells. Not for the event loop."""
    image = decode(tile.thumbnail) if tile.thumbnail is not None else NoPicture(tile.note)
    if isinstance(image, NoPicture):
        return image
    if tile.crop is not None:
        image = cut_out(image, tile.crop)
    if tile.frame is not None:
        image = framed(image, tile.frame, columns, lines, graphics.cell)
    return graphics.encode(image, columns, lines)


def cut_out(image: Image.Image, part: Part) -> Image.Image:
    """The part of `image`, as large as the whole was; small pictures keep their pixels whole and as they are."""
    box = part.left * image.width, part.top * image.height, part.right * image.width, part.bottom * image.height
    if is_pixel_art(image):
        return image.crop((floor(box[0]), floor(box[1]), ceil(box[2]), ceil(box[3])))
    scale = max(image.size) / max(box[2] - box[0], box[3] - box[1])
    size = max(1, round((box[2] - box[0]) * scale)), max(1, round((box[3] - box[1]) * scale))
    return image.resize(size, Image.Resampling.BICUBIC, box=box)


def framed(image: Image.Image, part: Part, columns: int, lines: int, cell: tuple[int, int]) -> Image.Image:
    """`image` made as large as a box of cells allows, with a frame around the part that stands out on any ground."""
    canvas = scaled(image, fit_pixels(image, columns, lines, cell)).copy()
    draw = ImageDraw.Draw(canvas)
    width, height = canvas.size
    left, right = _within(part.left * width, part.right * width, width)
    top, bottom = _within(part.top * height, part.bottom * height, height)
    for out, colour in enumerate(_FRAME, start=1):
        draw.rectangle((left - out, top - out, right - 1 + out, bottom - 1 + out), outline=colour)
    return canvas


def _within(start: float, end: float, length: int) -> tuple[int, int]:
    """Whole pixels, with room for the frame on either side."""
    room = min(len(_FRAME), length // 2)
    first = min(max(round(start), room), length - room)
    return first, max(first, min(round(end), length - room))
