"""How many ranges a unit's values may be cut into: apart from what needs NumPy, so that help comes at once."""

from __future__ import annotations

DEFAULT_RANGES = 30
MAX_RANGES = 200  # more than a screen has columns; a range's number must fit 16 bits
