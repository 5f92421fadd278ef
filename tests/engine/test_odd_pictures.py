"""Image files as they are found in the world: the right pixels are known, or the reason why there are none."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageFile, TiffImagePlugin, UnidentifiedImageError

from nastui.engine.pictures import open_picture

RED = (200, 30, 40)
CORNERS = np.array([[10, 20, 30], [40, 50, 60]], np.uint8)  # 3 wide, 2 high, no two sides alike


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    data = io.BytesIO()
    image.save(data, kind, **options)
    return data.getvalue()


def pixels(data: bytes) -> NDArray[np.uint8]:
    picture = open_picture(data)
    assert picture.mode in ("L", "RGB")
    return np.asarray(picture)


def noise() -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8))


# What an Exif orientation says of the way that the stored rows and columns go (Exif 2.32, 4.6.4 A): upright is …
ORIENTATIONS = {
    1: CORNERS,
    2: CORNERS[:, ::-1],
    3: CORNERS[::-1, ::-1],
    4: CORNERS[::-1],
    5: CORNERS.T,
    6: np.rot90(CORNERS, -1),
    7: CORNERS[::-1, ::-1].T,
    8: np.rot90(CORNERS),
}


@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP", "PNG, 16 bits", "PNG, transparent"])
def test_every_exif_orientation_stands_upright(orientation: int, kind: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = Image.fromarray(CORNERS)
    if kind.endswith("16 bits"):
        image = Image.fromarray(CORNERS.astype(np.uint16) * 257)
    if kind.endswith("transparent"):
        image = Image.merge("LA", (image, Image.new("L", image.size, 255)))
    options = {"lossless": True} if kind == "WEBP" else {}
    found = pixels(encoded(image, kind.partition(",")[0], exif=exif, **options))
    found = found if found.ndim == 2 else found[:, :, 0]
    assert np.array_equal(found, ORIENTATIONS[orientation])


@pytest.mark.parametrize("orientation", [0, 9, 65_535])
def test_orientations_that_do_not_exist_are_passed_over(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert np.array_equal(pixels(encoded(Image.fromarray(CORNERS), "PNG", exif=exif)), CORNERS)


def written_exif() -> bytes:
    exif = Image.Exif()
    exif[0x0112], exif[0x010F], exif[0x8769] = 6, "camera", {0x9000: b"0230"}
    return exif.tobytes()


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@given(st.dictionaries(st.integers(6, len(written_exif()) - 1), st.integers(0, 255), min_size=1), st.integers(0, 60))
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_no_exif_data_is_so_broken_that_the_image_is_lost(kind: str, changes: dict[int, int], missing: int) -> None:
    broken = bytearray(written_exif())
    for place, value in changes.items():
        broken[place] = value
    data = encoded(Image.new("RGB", (8, 8), RED), kind, exif=bytes(broken[: len(broken) - missing]))
    assert np.abs(pixels(data).astype(int) - RED).max() < 4


def in_mode(mode: str) -> Image.Image:
    image = Image.new("RGB", (8, 8), RED)
    if mode != "LAB":
        return image.convert(mode)
    srgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    converted = ImageCms.profileToProfile(image, srgb, lab, outputMode="LAB")
    assert converted is not None
    return converted


@pytest.mark.parametrize(
    ("mode", "kind", "tolerance"),
    [("RGB", "PNG", 0), ("RGBA", "PNG", 0), ("CMYK", "TIFF", 0), ("CMYK", "JPEG", 2), ("YCbCr", "TIFF", 2),
     ("LAB", "TIFF", 2), ("RGB", "WEBP", 6), ("RGB", "AVIF", 6), ("RGB", "JPEG2000", 0), ("RGB", "BMP", 0),
     ("RGB", "PPM", 0)],
)  # fmt: skip
def test_the_same_red_in_every_way_to_write_it(mode: str, kind: str, tolerance: int) -> None:
    options: dict[str, Any] = {"quality": 95} if kind in ("JPEG", "WEBP", "AVIF") else {}
    found = pixels(encoded(in_mode(mode), kind, **options)).astype(int)
    assert np.abs(found - RED).max() <= tolerance


def test_cmyk_photographs_of_adobe_are_not_negatives() -> None:
    """Adobe writes the inks inverted, and says that with a marker: white paper is 255 four times."""
    white = encoded(Image.new("CMYK", (8, 8), (0, 0, 0, 0)), "JPEG")
    assert b"Adobe" in white
    assert (pixels(white) >= 254).all()


def test_white_and_black_of_one_bit() -> None:
    bits = np.array([[True, False, True]])
    for kind in ("PNG", "TIFF", "PPM", "BMP"):
        assert pixels(encoded(Image.fromarray(bits), kind)).tolist() == [[255, 0, 255]]
    faxed = Image.fromarray(bits)
    assert pixels(encoded(faxed, "TIFF", tiffinfo={262: 0})).tolist() == [[255, 0, 255]], "white is zero in the file"


@pytest.mark.parametrize("byte_order", ["<", ">"])
def test_sixteen_bits_in_either_byte_order(byte_order: str) -> None:
    wide = np.array([[0, 257, 32896, 65535]], dtype=f"{byte_order}u2")
    image = Image.frombytes("I;16" if byte_order == "<" else "I;16B", (4, 1), wide.tobytes())
    assert pixels(encoded(image, "TIFF")).tolist() == [[0, 1, 128, 255]]
    assert pixels(b"P5 4 1 65535\n" + wide.astype(">u2").tobytes()).tolist() == [[0, 1, 128, 255]]


def test_sixteen_bits_of_which_few_are_used_stay_dark() -> None:
    """An X-ray with 12 bits in 16 is not stretched: that would differ from image to image."""
    image = Image.fromarray(np.array([[0, 4095]], dtype=np.uint16))
    assert pixels(encoded(image, "PNG")).tolist() == [[0, 16]]


def test_sixteen_bits_of_colour_keep_the_upper_eight() -> None:
    rows = b"\0" + struct.pack(">6H", 0, 32896, 65535, 257, 514, 51400)
    assert pixels(png(2, 1, 16, 2, rows)).tolist() == [[[0, 128, 255], [1, 2, 200]]]


def png(width: int, height: int, bits: int, colour: int, rows: bytes) -> bytes:
    """A PNG by hand: Pillow writes no 48-bit ones."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def test_half_transparent_parts_let_the_white_through() -> None:
    palette = Image.new("P", (2, 1))
    palette.putpalette([255, 0, 0, 0, 0, 255])
    palette.putpixel((1, 0), 1)
    data = encoded(palette, "PNG", transparency=bytes((0, 128)))
    assert pixels(data).tolist() == [[[255, 255, 255], [127, 127, 255]]]
    grey = Image.merge("LA", (Image.new("L", (1, 1), 10), Image.new("L", (1, 1), 128)))
    assert pixels(encoded(grey, "PNG")).tolist() == [[132]]


@pytest.mark.parametrize(
    ("array", "clear"),
    [
        (np.array([[3, 200]], np.uint8), 3),
        (np.array([[3, 51400]], np.uint16), 3),
        (np.array([[[3, 3, 3], [200, 200, 200]]], np.uint8), (3, 3, 3)),
    ],
    ids=["grey", "16 bits", "colour"],
)
def test_the_one_colour_that_is_transparent_lies_on_white(array: NDArray[Any], clear: Any) -> None:
    assert pixels(encoded(Image.fromarray(array), "PNG", transparency=clear)).reshape(2, -1)[:, 0].tolist() == [
        255,
        200,
    ]


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF", "AVIF"])
def test_of_what_moves_the_first_frame_is_taken(kind: str) -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "lime")]
    options = {"lossless": True} if kind == "WEBP" else {}
    data = encoded(frames[0], kind, save_all=True, append_images=frames[1:], **options)
    assert np.abs(pixels(data).astype(int) - (255, 0, 0)).max() <= 1


def test_a_file_is_what_it_holds_and_not_what_it_is_called() -> None:
    """`open_picture` sees no name: a PNG that is called .jpg is a PNG."""
    assert np.array_equal(pixels(encoded(Image.fromarray(CORNERS), "PNG")), CORNERS)


@pytest.mark.parametrize(
    "kind", ["JPEG", "JPEG, progressive", "PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "JPEG2000", "AVIF"]
)
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_half_a_file_is_no_image(kind: str, share: float, monkeypatch: pytest.MonkeyPatch) -> None:
    options = {"progressive": True} if kind.endswith("progressive") else {}
    data = encoded(noise(), kind.partition(",")[0], **options)
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)  # as much training code has it
    with pytest.raises((OSError, SyntaxError)):
        open_picture(data[: int(len(data) * share)])


def damaged() -> Iterator[tuple[bytes, str]]:
    yield b"", "the file is empty"
    yield b"\n<!DOCTYPE html><html>404</html>", "it is a web page"
    yield b"version https://git-lfs.github.com/spec/v1\noid", "a pointer of Git LFS"
    yield b"\0\0\0\x18ftypheic\0\0\0\0", "HEIC needs a decoder that Pillow does not bring"
    yield b"\x89PNG\r\n\x1a\n\0\0", "begins as PNG does, and is damaged or ends too early"
    yield b"no image", "begins with the bytes 6e 6f 20 69 6d 61 67 65"


@pytest.mark.parametrize(("data", "words"), damaged())
def test_what_is_no_image_says_what_it_is(data: bytes, words: str) -> None:
    with pytest.raises(UnidentifiedImageError, match=words) as caught:
        open_picture(data)
    assert "0x" not in str(caught.value), "the same words in every scan"


def test_a_bomb_is_refused_with_pillow_s_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    with pytest.raises(Image.DecompressionBombError, match="4096 pixels"):
        open_picture(encoded(noise(), "PNG"))


def test_a_colour_profile_is_left_alone() -> None:
    """As torchvision, and so the network's training, leaves it."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    assert np.array_equal(pixels(encoded(noise(), "PNG", icc_profile=profile)), np.asarray(noise()))


def test_floats_in_tiff_are_grey_from_zero_to_one_or_refused() -> None:
    array = np.array([[0, 0.5, 1]], np.float32)
    assert pixels(encoded(Image.fromarray(array), "TIFF")).tolist() == [[0, 128, 255]]
    with pytest.raises(ValueError, match=r"float32 pixels outside of 0\.\.1"):
        open_picture(encoded(Image.fromarray(array * 255), "TIFF"))
    info = TiffImagePlugin.ImageFileDirectory_v2()
    info[TiffImagePlugin.SAMPLEFORMAT] = 2
    signed = encoded(Image.fromarray(np.array([[-5, 3]], np.int32)), "TIFF", tiffinfo=info)
    with pytest.raises(ValueError, match="values from -5 to 3"):
        open_picture(signed)
