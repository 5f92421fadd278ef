"""Pictures from block characters, read back as colours."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from rich.color import ColorSystem

from nastui.terminal import Terminal
from nastui.widgets.graphics import Row, fit_cells, fit_pixels, flatten, scaled
from nastui.widgets.graphics_colours import codes, nearest_codes, palette_rgb
from nastui.widgets.graphics_half import SHADES, HalfBlocks, block_rows

QUARTERS = {"▀": 0b1100, "▌": 0b1010, "▘": 0b1000, "▝": 0b0100, "▖": 0b0010, "▗": 0b0001, "▚": 0b1001, " ": 0}


def read_back(rows: tuple[Row, ...]) -> np.ndarray:
    """The quarters of the cells as colours, (2 × lines, 2 × columns, 3)."""
    lines = []
    for row in rows:
        halves: list[list[tuple[int, ...]]] = [[], []]
        for text, style, _ in row:
            assert style is not None
            back = tuple(style.bgcolor.triplet) if style.bgcolor and style.bgcolor.triplet else (0, 0, 0)
            front = tuple(style.color.triplet) if style.color and style.color.triplet else back
            for char in text:
                for quarter in range(4):
                    halves[quarter // 2].append(front if QUARTERS[char] & (0b1000 >> quarter) else back)
        lines += halves
    return np.array(lines)


def test_a_picture_with_a_pixel_for_each_half_is_shown_exactly() -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (8, 12, 3), dtype=np.uint8)
    shown = read_back(block_rows(Image.fromarray(pixels), 12, 4, has_256=False))
    assert np.abs(shown[:, ::2].astype(int) - pixels).max() <= 1


def test_an_edge_within_a_cell_is_kept() -> None:
    pixels = np.zeros((2, 2, 3), np.uint8)
    pixels[:, 0] = 255
    shown = read_back(block_rows(Image.fromarray(pixels), 1, 1, has_256=False))
    assert shown[:, 0].min() == 255
    assert shown[:, 1].max() == 0


def test_fine_contrasts_keep_their_light() -> None:
    """A checkerboard of black and white gives half the light, which is sRGB 188 and not 128."""
    board = np.indices((64, 64)).sum(axis=0) % 2 * 255
    image = Image.fromarray(np.repeat(board[..., None], 3, axis=2).astype(np.uint8))
    shown = read_back(block_rows(image, 4, 2, has_256=False))
    assert abs(int(np.median(shown)) - 188) <= 2


def test_with_256_colours_the_colours_are_of_the_palette_and_near() -> None:
    pixels = np.random.default_rng(2).integers(0, 256, (8, 12, 3), dtype=np.uint8)
    rows = block_rows(Image.fromarray(pixels), 12, 4, has_256=True)
    colours = {style.color for row in rows for _, style, _ in row if style and style.color}
    numbers = {colour.downgrade(ColorSystem.EIGHT_BIT).number for colour in colours}
    assert numbers <= set(codes())
    shown = {tuple(code): number for number, code in codes().items()}
    for colour in colours:
        assert colour.triplet is not None
        assert tuple(colour.triplet) in shown


@pytest.mark.parametrize("number", sorted(codes()))
def test_a_code_is_written_as_the_palette_colour_that_it_stands_for(number: int) -> None:
    written = nearest_codes(np.array([palette_rgb(number)], np.uint8))[0]
    twins = {other for other in codes() if palette_rgb(other) == palette_rgb(number)}
    assert tuple(written) in {tuple(codes()[twin]) for twin in twins}


def test_all_but_a_few_greys_of_the_palette_can_be_written() -> None:
    assert len(codes()) >= 235
    assert set(range(232, 256)) <= set(codes())


@pytest.mark.parametrize("depth", ["16", "none"])
def test_without_colours_shades_show_the_brightness(depth: str) -> None:
    ramp = np.repeat(np.linspace(0, 255, 40, dtype=np.uint8)[None, :, None], 3, axis=2).repeat(20, axis=0)
    graphics = HalfBlocks(Terminal(colour_depth=depth, cell_pixels=(10, 20)))  # type: ignore[arg-type]
    picture = graphics.encode(Image.fromarray(ramp), 20, 5)
    text = picture.rows[0][0].text
    assert text[0] == " "
    assert text[-1] == "█"
    assert sorted(text, key=SHADES.index) == list(text)
    assert picture.rows[0][0].style is None, "it takes the widget's colours"


@pytest.mark.parametrize(
    ("size", "cells"),
    [((100, 100), (16, 8)), ((100, 50), (18, 4)), ((50, 100), (8, 8)), ((1000, 1), (18, 1)), ((8, 8), (16, 8))],
)
def test_a_picture_keeps_its_proportions(size: tuple[int, int], cells: tuple[int, int]) -> None:
    columns, lines = fit_cells(Image.new("RGB", size), 18, 8, (10, 20))
    assert (columns, lines) == cells


def test_small_pictures_grow_by_whole_pixels_and_photographs_smoothly() -> None:
    digit = Image.fromarray(np.random.default_rng(3).integers(0, 256, (8, 8, 3), dtype=np.uint8))
    size = fit_pixels(digit, 16, 8, (9, 18))
    assert size == (144, 144)
    assert np.array_equal(np.asarray(scaled(digit, size))[::18, ::18], np.asarray(digit))
    photograph = digit.resize((90, 60))
    assert fit_pixels(photograph, 16, 8, (9, 18)) == (144, 96)
    assert scaled(photograph, (144, 96)).size == (144, 96)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "LA", "CMYK", "I;16", "I"])
def test_every_kind_of_image_becomes_rgb(mode: str) -> None:
    assert flatten(Image.new(mode, (3, 2))).mode == "RGB"


def test_what_is_transparent_becomes_white() -> None:
    assert flatten(Image.new("RGBA", (1, 1), (255, 0, 0, 0))).getpixel((0, 0)) == (255, 255, 255)


def test_a_16_bit_picture_keeps_its_brightness() -> None:
    assert flatten(Image.new("I;16", (1, 1), 0x8000)).getpixel((0, 0)) == (128, 128, 128)
