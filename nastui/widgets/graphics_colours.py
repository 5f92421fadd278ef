"""The 256 colours of a terminal, and how to make Textual write a given one of them."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray
from rich.color import Color, ColorSystem
from rich.color_triplet import ColorTriplet

Float = NDArray[np.float32]
_CUBE = (0, 95, 135, 175, 215, 255)


@cache
def codes() -> dict[int, ColorTriplet]:
    """Colour number (16 … 255) -> a 24-bit colour that Rich rounds to just that number.

    Rich's rounding is not nearest: many palette colours are not rounded to themselves. A few greys of the cube are
    out of reach; all 24 of the grey ramp are within it.
    """
    table: dict[int, ColorTriplet] = {}
    greys = [ColorTriplet(v, v, v) for v in range(256)]
    cube = [ColorTriplet(r, g, b) for r in _CUBE for g in _CUBE for b in _CUBE]
    for triplet in (*cube, *greys):
        number = Color.from_triplet(triplet).downgrade(ColorSystem.EIGHT_BIT).number
        if number is not None:
            table.setdefault(number, triplet)
    return table


def palette_rgb(number: int) -> tuple[int, int, int]:
    """The colour that a terminal shows for `number` (16 … 255), as nearly all of them do."""
    if number >= 232:
        value = 8 + 10 * (number - 232)
        return value, value, value
    red, rest = divmod(number - 16, 36)
    green, blue = divmod(rest, 6)
    return _CUBE[red], _CUBE[green], _CUBE[blue]


def nearest_codes(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """For each colour (..., 3) the 24-bit code (..., 3) of the palette colour that looks most like it."""
    table = codes()
    numbers = sorted(table)
    shown = np.array([palette_rgb(number) for number in numbers], np.uint8)
    written = np.array([tuple(table[number]) for number in numbers], np.uint8)
    flat = rgb.reshape(-1, 3)
    palette = oklab(shown)
    distances = np.square(oklab(flat)[:, None, :] - palette[None, :, :]).sum(axis=2)  # (n, 240)
    nearest: NDArray[np.uint8] = written[distances.argmin(axis=1)].reshape(rgb.shape)
    return nearest


def to_linear(srgb: NDArray[np.uint8]) -> Float:
    """Light (0 … 1) of sRGB bytes. Source: IEC 61966-2-1."""
    value = np.arange(256, dtype=np.float32) / 255
    table = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4).astype(np.float32)
    return np.asarray(table[srgb], np.float32)


def to_srgb(linear: Float) -> NDArray[np.uint8]:
    """sRGB bytes of light (0 … 1, clipped). Source: IEC 61966-2-1."""
    value = np.clip(linear, 0, 1)
    encoded = np.where(value <= 0.0031308, value * 12.92, 1.055 * value ** (1 / 2.4) - 0.055)
    return np.asarray(np.rint(encoded * 255), np.uint8)


def oklab(rgb: NDArray[np.uint8]) -> Float:
    """Oklab coordinates of sRGB bytes (..., 3): distances are as large as they look.

    Source: B. Ottosson, "A perceptual color space for image processing", 2020.
    """
    to_lms = np.array(
        [
            [0.4122214708, 0.5363325363, 0.0514459929],
            [0.2119034982, 0.6806995451, 0.1073969566],
            [0.0883024619, 0.2817188376, 0.6299787005],
        ]
    )
    to_lab = np.array(
        [
            [0.2104542553, 0.7936177850, -0.0040720468],
            [1.9779984951, -2.4285922050, 0.4505937099],
            [0.0259040371, 0.7827717662, -0.8086757660],
        ]
    )
    return np.asarray(np.cbrt(to_linear(rgb) @ to_lms.T) @ to_lab.T, np.float32)
