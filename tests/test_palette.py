"""Classes stay apart for every viewer and at every colour depth."""

from __future__ import annotations

from itertools import combinations
from typing import Literal

import numpy as np
import pytest

from nastui.palette import LETTERS, OTHER, ColourDepth, slot_colour, slot_letter
from nastui.records import Float64

Depth = Literal["truecolor", "256"]

# Machado, Oliveira, Fernandes 2009, severity 1.0, on linear RGB.
SIGHT = {
    "normal": np.eye(3),
    "protan": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deutan": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritan": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
SRGB_TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
D65 = np.array([0.95047, 1.0, 1.08883])


def rgb(colour: str | int) -> tuple[int, int, int]:
    """A colour of `slot_colour` as 0-255; indices by xterm's cube and grey ramp."""
    if isinstance(colour, str):
        red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
        return red, green, blue
    if colour >= 232:
        grey = 8 + 10 * (colour - 232)
        return grey, grey, grey
    steps = (0, 95, 135, 175, 215, 255)
    cube = colour - 16
    return steps[cube // 36], steps[cube // 6 % 6], steps[cube % 6]


def lab(colour: str | int, sight: str) -> Float64:
    """A colour as a viewer sees it, in CIE L*a*b*."""
    share = np.array(rgb(colour)) / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    seen = np.clip(SIGHT[sight] @ linear, 0, 1)
    ratio = SRGB_TO_XYZ @ seen / D65
    knee = 6 / 29
    f = np.where(ratio > knee**3, np.cbrt(ratio), ratio / (3 * knee**2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def ciede2000(first: Float64, second: Float64) -> float:
    """Colour difference after Sharma, Wu, Dalal 2005; for colours that are not exactly grey."""
    l1, a1, b1 = first
    l2, a2, b2 = second
    chroma = (np.hypot(a1, b1) + np.hypot(a2, b2)) / 2
    stretch = 1.5 - 0.5 * np.sqrt(chroma**7 / (chroma**7 + 25**7))
    c1, c2 = np.hypot(a1 * stretch, b1), np.hypot(a2 * stretch, b2)
    h1, h2 = np.degrees(np.arctan2(b1, a1 * stretch)) % 360, np.degrees(np.arctan2(b2, a2 * stretch)) % 360
    turn = (h2 - h1 + 180) % 360 - 180
    hue = (h1 + turn / 2) % 360
    lightness, mean_chroma = (l1 + l2) / 2, (c1 + c2) / 2
    cosines = np.cos(np.radians([hue - 30, 2 * hue, 3 * hue + 6, 4 * hue - 63]))
    t = 1 + np.array([-0.17, 0.24, 0.32, -0.20]) @ cosines
    offset = (lightness - 50) ** 2
    d_l = (l2 - l1) / (1 + 0.015 * offset / np.sqrt(20 + offset))
    d_c = (c2 - c1) / (1 + 0.045 * mean_chroma)
    d_h = 2 * np.sqrt(c1 * c2) * np.sin(np.radians(turn / 2)) / (1 + 0.015 * mean_chroma * t)
    blue = np.radians(60 * np.exp(-(((hue - 275) / 25) ** 2)))
    rotation = -2 * np.sqrt(mean_chroma**7 / (mean_chroma**7 + 25**7)) * np.sin(blue)
    return float(np.sqrt(d_l**2 + d_c**2 + d_h**2 + rotation * d_c * d_h))


def difference(first: str | int, second: str | int, sight: str) -> float:
    return ciede2000(lab(first, sight), lab(second, sight))


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [  # pairs 1, 7, 17 and 25 of Sharma, Wu, Dalal 2005, table 1
        ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
        ((50, 0, 0), (50, -1, 2), 2.3669),
        ((50, 2.5, 0), (73, 25, -18), 27.1492),
        ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
    ],
)
def test_differences_are_measured_as_published(
    first: tuple[float, ...], second: tuple[float, ...], expected: float
) -> None:
    assert ciede2000(np.array(first), np.array(second)) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(
    ("depth", "sight", "least"),
    [  # the figures in palette.py; those for 256 colours are no worse than what Rich's rounding gives
        ("truecolor", "normal", 17.2),
        ("truecolor", "protan", 11.8),
        ("truecolor", "deutan", 12.5),
        ("truecolor", "tritan", 13.2),
        ("256", "normal", 16.4),
        ("256", "protan", 11.0),
        ("256", "deutan", 11.0),
        ("256", "tritan", 11.7),
    ],
)
def test_any_two_classes_differ_for_every_viewer(depth: Depth, sight: str, least: float) -> None:
    colours = [slot_colour(slot, depth) for slot in range(OTHER)]
    assert min(difference(a, b, sight) for a, b in combinations(colours, 2)) >= least


@pytest.mark.parametrize("sight", SIGHT)
@pytest.mark.parametrize("depth", ["truecolor", "256"])
@pytest.mark.parametrize(("is_dark", "background"), [(True, "#121212"), (False, "#ffffff")])
def test_other_is_no_class_and_nothing_melts_into_the_background(
    depth: Depth, is_dark: bool, background: str, sight: str
) -> None:
    other = slot_colour(OTHER, depth, is_dark=is_dark)
    classes = [slot_colour(slot, depth) for slot in range(OTHER)]
    assert min(difference(other, colour, sight) for colour in classes) >= 12.9
    assert min(difference(background, colour, sight) for colour in [other, *classes]) >= 10


@pytest.mark.parametrize("slot", range(OTHER + 1))
def test_256_colours_stay_near_the_true_ones(slot: int) -> None:
    assert difference(slot_colour(slot, "truecolor"), slot_colour(slot, "256"), "normal") < 12


@pytest.mark.parametrize("depth", ["16", "none"])
def test_no_colours_are_handed_out_where_they_would_mislead(depth: ColourDepth) -> None:
    with pytest.raises(ValueError, match="letters"):
        slot_colour(0, depth)


def test_every_class_of_interest_has_a_letter_of_its_own() -> None:
    assert [slot_letter(slot) for slot in range(OTHER + 1)] == [*LETTERS, "·"]
