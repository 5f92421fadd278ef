"""Parts of pictures: cut out as they are, and frames that are seen on any ground."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from nastui.terminal import Terminal
from nastui.views.grid import GridTile
from nastui.views.patch import Part
from nastui.widgets.graphics import Graphics, Picture
from nastui.widgets.graphics_half import HalfBlocks
from nastui.widgets.graphics_part import cut_out, encode_tile, framed
from nastui.widgets.graphics_sixel import SixelPictures

TERMINAL = Terminal("truecolor", "sixel", (10, 20))


def png(image: Image.Image) -> bytes:
    data = io.BytesIO()
    image.save(data, "png")
    return data.getvalue()


def test_small_pictures_keep_their_pixels() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    part = cut_out(Image.fromarray(pixels), Part(0.25, 0.5, 0.625, 1))
    assert np.array_equal(np.asarray(part), pixels[4:8, 2:5])


def test_photographs_are_cut_between_pixels_and_enlarged() -> None:
    ramp = np.repeat(np.linspace(0, 255, 96)[None, :], 64, axis=0).astype(np.uint8)
    part = cut_out(Image.fromarray(ramp).convert("RGB"), Part(0.5, 0, 0.505, 0.01))
    assert max(part.size) == 96
    assert abs(float(np.mean(np.asarray(part))) - 128) < 3


@pytest.mark.parametrize("ground", ["black", "white", "gray"])
@pytest.mark.parametrize("part", [Part(0, 0, 1, 1), Part(0.4, 0.4, 0.45, 0.45), Part(0.3, 0.1, 0.9, 0.5)])
@pytest.mark.parametrize("graphics", [SixelPictures(TERMINAL), HalfBlocks(TERMINAL)])
def test_a_frame_has_a_bright_and_a_dark_line_around_the_part(graphics: Graphics, part: Part, ground: str) -> None:
    image = Image.new("RGB", (96, 64), ground)
    found = np.asarray(framed(image, part, 30, 15, graphics).convert("L"))
    height, width = found.shape
    changed = np.nonzero(found != image.convert("L").getpixel((0, 0)))
    edges = part.left * width, part.top * height, part.right * width, part.bottom * height
    for seen, edge in zip((changed[1].min(), changed[0].min()), edges[:2], strict=True):
        assert abs(seen - edge) <= 2 * graphics.cell[1]
    for seen, edge in zip((changed[1].max(), changed[0].max()), edges[2:], strict=True):
        assert abs(seen - edge) <= 2 * graphics.cell[1]
    column = found[:, round((max(edges[0], 0) + min(edges[2], width)) / 2)]
    assert 0 in column
    assert 255 in column


def test_whole_part_and_frame_are_pictures_of_their_own() -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (60, 90, 3), dtype=np.uint8)
    data, part = png(Image.fromarray(pixels)), Part(0.2, 0.2, 0.4, 0.6)
    tiles = [
        GridTile(1, data, ("", "")),
        GridTile(1, data, ("", ""), crop=part),
        GridTile(1, data, ("", ""), frame=part),
    ]
    assert len({tile.picture_id for tile in tiles}) == 3
    pictures = [encode_tile(SixelPictures(TERMINAL), tile, 20, 10) for tile in tiles]
    assert all(isinstance(picture, Picture) for picture in pictures)
    assert len({picture.payload for picture in pictures if isinstance(picture, Picture)}) == 3
