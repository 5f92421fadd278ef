"""What a cell is drawn in, beside the slots of the classes: names for the parts of a picture that are no class."""

from __future__ import annotations

ZERO = -2  # the zero line
TEXT = -3
DIM = -4
STRONG = -5
ON_BAR = -6  # text on the colour of a class
