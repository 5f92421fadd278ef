from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from nastui.engine.pictures import as_picture, picture_of_array, picture_of_tensor


def reopened(image: Image.Image, kind: str, **options: Any) -> Image.Image:
    data = io.BytesIO()
    image.save(data, kind, **options)
    return Image.open(data)


def pixels(image: Image.Image) -> NDArray[Any]:
    return np.asarray(image)


def test_photographs_taken_sideways_stand_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned right by 90 degrees
    image = Image.new("RGB", (32, 16), "blue")
    image.paste("red", (0, 0, 8, 16))
    picture = as_picture(reopened(image, "JPEG", exif=exif, quality=95))
    assert picture.size == (16, 32)
    red, _, blue = pixels(picture)[2, 8]
    assert red > 200 > blue, "what was left is now on top"


def test_damaged_exif_does_not_lose_the_image() -> None:
    assert as_picture(reopened(Image.new("RGB", (8, 8)), "JPEG", exif=b"Exif\0\0garbage")).size == (8, 8)


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_transparent_parts_lie_on_white(mode: str) -> None:
    image = Image.new(mode, (2, 1), (0,) * len(mode))
    image.putpixel((1, 0), (10,) * (len(mode) - 1) + (255,))
    picture = as_picture(reopened(image, "PNG"))
    assert picture.mode == ("RGB" if mode == "RGBA" else "L")
    assert pixels(picture).reshape(2, -1)[:, 0].tolist() == [255, 10]


def test_palettes_become_their_colours_and_their_transparent_entry_white() -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([255, 0, 0, 0, 0, 255])
    image.putpixel((1, 0), 1)
    assert pixels(as_picture(reopened(image, "PNG"))).tolist() == [[[255, 0, 0], [0, 0, 255]]]
    assert pixels(as_picture(reopened(image, "PNG", transparency=0))).tolist() == [[[255, 255, 255], [0, 0, 255]]]


def test_the_first_frame_of_an_animation_is_taken() -> None:
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "lime")]
    picture = as_picture(reopened(frames[0], "GIF", save_all=True, append_images=frames[1:]))
    assert pixels(picture)[0, 0].tolist() == [255, 0, 0]


def test_cmyk_photographs_keep_their_colours() -> None:
    picture = as_picture(reopened(Image.new("RGB", (8, 8), (200, 30, 40)).convert("CMYK"), "JPEG", quality=95))
    assert picture.mode == "RGB"
    assert np.abs(pixels(picture)[4, 4].astype(int) - (200, 30, 40)).max() < 12


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bits_are_scaled_and_not_cut_off(kind: str) -> None:
    image = Image.fromarray(np.array([[0, 257, 32896, 65535]], dtype=np.uint16))
    assert pixels(as_picture(reopened(image, kind))).tolist() == [[0, 1, 128, 255]]


def test_two_colours_and_floats_become_grey() -> None:
    bitmap = Image.fromarray(np.array([[True, False]]))
    assert pixels(as_picture(bitmap)).tolist() == [[255, 0]]
    floats = Image.fromarray(np.array([[0.0, 0.5, 1.0]], dtype=np.float32))
    assert pixels(as_picture(floats)).tolist() == [[0, 128, 255]]


def test_arrays_of_datasets_are_shown_as_they_are() -> None:
    grey = np.array([[0, 128, 255]], dtype=np.uint8)
    assert np.array_equal(pixels(picture_of_array(grey)), grey)
    assert np.array_equal(pixels(picture_of_array(grey[:, :, None])), grey)
    assert np.array_equal(pixels(picture_of_array(grey / 255)), grey)
    colours = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    assert np.array_equal(pixels(picture_of_array(colours)), colours)
    assert np.array_equal(pixels(picture_of_tensor(torch.from_numpy(colours).permute(2, 0, 1))), colours)


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((2, 3, 5)),
        np.zeros(4),
        np.full((2, 2), 7.5),
        np.full((2, 2), np.nan),
        np.full((2, 2), 70_000),
        np.zeros((0, 3)),
    ],
    ids=["five channels", "flat", "above one", "not finite", "too wide", "empty"],
)
def test_arrays_that_are_no_image_are_refused(array: NDArray[Any]) -> None:
    with pytest.raises(ValueError, match=r"is no image|outside of 0..1|only 8 and 16 bits"):
        picture_of_array(array)


def test_normalised_tensors_are_stretched_to_be_looked_at() -> None:
    picture = picture_of_tensor(torch.tensor([[-2.0, 0.0, 2.0]]))
    assert pixels(picture).tolist() == [[0, 128, 255]]
    assert picture_of_tensor(torch.zeros(5, 2, 3)).size == (3, 2)
    with pytest.raises(ValueError, match="is no image"):
        picture_of_tensor(torch.zeros(3))
