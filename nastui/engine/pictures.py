"""Images as a person expects to see them: upright, 8 bits a channel, grey or RGB."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile, UnidentifiedImageError
from torch import Tensor

SUFFIXES = frozenset(
    f".{name}"
    for name in (
        *("jpg", "jpeg", "jpe", "jfif", "jp2", "png", "webp", "avif", "heic", "heif"),
        *("bmp", "gif", "tif", "tiff", "ppm", "pgm", "pbm"),
    )
)

_ORIENTATION = 0x0112  # the Exif tag
# What brings each orientation upright. ImageOps.exif_transpose does it too, but fails where other Exif data is damaged.
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_ALPHA = ("RGBA", "LA", "PA", "La", "RGBa")
_HEIC = (b"heic", b"heix", b"hevc", b"heim", b"mif1", b"msf1")  # brands of ISO/IEC 23008-12
_STARTS = {
    b"\x89PNG": "PNG",
    b"\xff\xd8\xff": "JPEG",
    b"GIF8": "GIF",
    b"RIFF": "WebP",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
}
_SHOWN = 8  # bytes of a file that nobody knows


def open_picture(data: bytes) -> Image.Image:
    """Decode the bytes of an image file, by what they are and not by what the file is called.

    A file that ends too early raises OSError: half a picture is none. (So Pillow's switch that fills the rest with grey
    is set back where somebody's code has set it.) Raises UnidentifiedImageError with what is there instead of an image,
    DecompressionBombError above Pillow's limit of pixels, and whatever else decoding raises.
    """
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    try:
        image = Image.open(io.BytesIO(data))
    except UnidentifiedImageError as exc:
        raise UnidentifiedImageError(f"cannot identify image file: {_instead(data)}") from exc
    with image:
        return as_picture(image)


def as_picture(image: Image.Image) -> Image.Image:
    """`image` (its first frame) turned by its Exif orientation, as mode "L" or "RGB".

    Transparent parts lie on white. Sixteen bits are scaled down to eight, not cut off.
    Raises ValueError for pixels whose range is unknown (floats outside of 0..1, integers above 65,535).
    """
    image = _upright(image)
    if image.mode in _ALPHA or (image.mode in ("1", "L", "P", "RGB") and "transparency" in image.info):
        return _on_white(image)
    if image.mode in ("L", "RGB"):
        return image
    if image.mode.startswith("I"):
        array: NDArray[Any] = np.asarray(image)
        if isinstance(clear := image.info.get("transparency"), int):
            array = np.where(array == clear, 0xFFFF, array)
        return _from_wide_integers(array, is_16_bit=image.mode != "I" or image.format == "PNG")
    if image.mode == "F":
        return picture_of_array(np.asarray(image))
    return image.convert("L" if image.mode == "1" else "RGB")


def picture_of_array(array: NDArray[Any]) -> Image.Image:
    """A picture of an (H, W), (H, W, 1), (H, W, 3) or (H, W, 4) array: 8 or 16 bits, bool, or floats in 0..1.

    Integers of a wider type are 8 bits where none is above 255, else 16 bits.

    Raises ValueError for any other shape or range.
    """
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    if array.size == 0 or (array.ndim != 2 and not (array.ndim == 3 and array.shape[2] in (3, 4))):
        raise ValueError(f"an array of shape {array.shape} is no image: (H, W), (H, W, 1), (H, W, 3) or (H, W, 4)")
    if array.dtype == np.uint8:
        return as_picture(Image.fromarray(array))
    if array.dtype.kind in "iu":
        return _from_wide_integers(array, is_16_bit=array.dtype == np.uint16)
    values: NDArray[Any] = array.astype(np.float64)
    if not np.isfinite(values).all() or values.min() < 0 or values.max() > 1:
        raise ValueError(f"{array.dtype} pixels outside of 0..1: give them as uint8, or as floats in 0..1")
    return as_picture(Image.fromarray((values * 255).round().astype(np.uint8)))


def picture_of_tensor(tensor: Tensor) -> Image.Image:
    """A picture to look at of a (C, H, W) or (H, W) float tensor made for a model, or of a uint8 one (exact).

    Floats outside of 0..1 are stretched from their lowest to their highest value; of other than three channels the
    mean is shown. Raises ValueError for any other shape.
    """
    if tensor.ndim == 2:
        tensor = tensor.unsqueeze(0)
    if tensor.ndim != 3:
        raise ValueError(f"a tensor of shape {tuple(tensor.shape)} is no image: (C, H, W) or (H, W)")
    array = tensor.detach().cpu().permute(1, 2, 0)
    if not tensor.is_floating_point():
        return picture_of_array(array.numpy())
    values = np.nan_to_num(array.float().numpy(), posinf=0, neginf=0)
    if values.shape[2] not in (1, 3):
        values = values.mean(axis=2, keepdims=True)
    low, high = float(values.min()), float(values.max())
    if low < 0 or high > 1:
        values = (values - low) / (high - low or 1)
    return picture_of_array(values)


def _instead(data: bytes) -> str:
    """What bytes are that are no image Pillow can read."""
    start = data[:512].lstrip().lower()
    if not data:
        return "the file is empty"
    if data[4:8] == b"ftyp" and data[8:12] in _HEIC:
        return "HEIC needs a decoder that Pillow does not bring; convert it to JPEG or PNG"
    if start.startswith((b"<!doctype html", b"<html")):
        return "it is a web page"
    if start.startswith(b"version https://git-lfs"):
        return "it is a pointer of Git LFS; `git lfs pull` gets the image"
    kind = next((kind for magic, kind in _STARTS.items() if data.startswith(magic)), None)
    if kind is not None:
        return f"it begins as {kind} does, and is damaged or ends too early"
    return f"it begins with the bytes {data[:_SHOWN].hex(' ')}"


def _upright(image: Image.Image) -> Image.Image:
    """Turned by its Exif orientation; as it is where its Exif data is damaged."""
    image.load()  # turns TIFFs, and then takes the orientation out
    try:
        turn = _TURNS.get(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # Pillow raises SyntaxError, struct.error and more on damaged Exif data
        return image
    return image if turn is None else image.transpose(turn)


def _on_white(image: Image.Image) -> Image.Image:
    is_grey = image.mode in ("1", "L", "LA", "La")
    image = image.convert("RGBA")
    ground = Image.new("RGBA", image.size, "white")
    ground.alpha_composite(image)
    return ground.convert("L" if is_grey else "RGB")


def _from_wide_integers(array: NDArray[Any], *, is_16_bit: bool) -> Image.Image:
    low, high = int(array.min()), int(array.max())
    if low < 0 or high > 0xFFFF:
        raise ValueError(f"values from {low} to {high}: only 8 and 16 bits are known")
    if not is_16_bit and high <= 0xFF:
        return as_picture(Image.fromarray(array.astype(np.uint8)))
    return as_picture(Image.fromarray((array.astype(np.float64) / 257).round().astype(np.uint8)))
