"""Class -> colour, by what the terminal can show.

The ten colours are those of Petroff, "Accessible Color Sequences for Data Visualization" (arXiv:2107.02270), in the
published order; they differ for viewers with any of the common colour deficiencies. The indices for 256 colours are
picked by hand, for rounding each to the nearest one loses most of that. Smallest CIEDE2000 difference between two of
the ten, with colour deficiencies simulated after Machado et al. 2009 at full severity, as tests/test_palette.py
measures it:

                   normal  protan  deutan  tritan
    truecolor        17.3    11.9    12.6    13.3
    256 colours      16.5    11.1    11.1    11.8

*Other* is a grey so dark that it stays apart from the two greys of the sequence too, by 12.9 (dark background) and 15.9
(light) at least for every viewer; the middle grey #808080 would by 6 only. Nothing comes nearer to #121212 or to white
than 10.
"""

from __future__ import annotations

from typing import Literal

ColourDepth = Literal["truecolor", "256", "16", "none"]

LETTERS = "ABCDEFGHIJ"
OTHER_LETTER = "·"

# What a cell is painted in: 0 to 9 are the classes of interest.
OTHER = len(LETTERS)
BLANK = -1

_TRUECOLOR = (
    "#3f90da",
    "#ffa90e",
    "#bd1f01",
    "#94a4a2",
    "#832db6",
    "#a96b59",
    "#e76300",
    "#b9ac70",
    "#717581",
    "#92dadd",
)
_INDEXED = (32, 215, 124, 109, 91, 131, 202, 144, 102, 81)
_OTHER_DARK = ("#4e4e4e", 239)
_OTHER_LIGHT = ("#444444", 238)


def slot_colour(slot: int, depth: ColourDepth, *, is_dark: bool = True) -> str | int:
    """The colour of slot 0 to OTHER: "#rrggbb" with truecolor, an index with 256 colours.

    `is_dark`: the background is. Raises ValueError for a depth whose colours cannot carry ten
    classes: letters do there.
    """
    if depth not in ("truecolor", "256"):
        raise ValueError(f"classes have letters, not colours, at colour depth {depth!r}")
    is_indexed = depth == "256"
    if slot == OTHER:
        return (_OTHER_DARK if is_dark else _OTHER_LIGHT)[is_indexed]
    return (_INDEXED if is_indexed else _TRUECOLOR)[slot]


def slot_letter(slot: int) -> str:
    """The letter of a class of interest as the legend shows it, a dot for *other*."""
    return OTHER_LETTER if slot == OTHER else LETTERS[slot]
