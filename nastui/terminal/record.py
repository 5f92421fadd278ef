"""What a terminal said of itself, and what nastui makes of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from nastui.palette import ColourDepth

Images = Literal["kitty", "sixel", "half", "none"]

COLOUR_CHOICES = ("auto", "truecolor", "256", "16", "none")
IMAGE_CHOICES = ("auto", "kitty", "sixel", "half", "none")

DEFAULT_CELL = 10, 20  # pixels; only the proportion matters where no picture protocol is used


@dataclass(frozen=True, slots=True)
class Replies:
    """What a terminal answered; None, empty or False where it said nothing.

    `attributes`: DA1, where 4 is sixel. `version`: XTVERSION, e.g. "kitty(0.41.1)". `kitty`: it can take pictures by
    kitty's protocol. `cell`: pixels of a cell by CSI 16 t; `window_cell`: by the size of the window. `sixel_limit`:
    pixels of the largest sixel picture. `keeps_truecolor`: a 24-bit colour that was set came back unrounded.
    `round_trip`: seconds from the questions to the last answer. `tmux_features`: what tmux says of the terminal
    outside. `outer`: what that terminal answered itself, where tmux let the questions through.
    """

    attributes: tuple[int, ...] | None = None
    version: str = ""
    kitty: bool = False
    cell: tuple[int, int] | None = None
    window_cell: tuple[int, int] | None = None
    sixel_limit: tuple[int, int] | None = None
    keeps_truecolor: bool = False
    round_trip: float | None = None
    tmux_features: frozenset[str] | None = None
    outer: Replies | None = None


@dataclass(frozen=True, slots=True)
class Terminal:
    """How the interface draws here. `reasons`: a line each on how this was found out.

    `cell_pixels`: (width, height) of a cell. `sixel_limit`: pixels of the largest sixel picture, None for no limit.
    `is_remote`: reached through ssh, so bytes are time. `in_tmux`: escape codes for the terminal outside need wrapping.
    `typed`: keys pressed while the terminal was being asked; they are for the interface.
    """

    colour_depth: ColourDepth = "256"
    images: Images = "half"
    cell_pixels: tuple[int, int] = DEFAULT_CELL
    sixel_limit: tuple[int, int] | None = None
    round_trip: float | None = None
    is_remote: bool = False
    in_tmux: bool = False
    name: str = ""
    reasons: tuple[str, ...] = ()
    typed: str = ""
