"""Pictures by sixel: encoded once, drawn over blank cells after the frame, again only where a frame wrote over them.

A sixel picture is pixels that the terminal forgets about: whatever is written to its cells wipes it there. So the
driver keeps account of what stands on the screen. Nothing is drawn under another screen: there block characters show.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from PIL import Image
from rich.segment import Segment
from textual_image._sixel import SixelOptions, image_to_sixels

from nastui.terminal import Terminal
from nastui.views.grid import Box
from nastui.widgets.graphics import Graphics, Picture, PictureKey, Placement, Row, fit_pixels, scaled
from nastui.widgets.graphics_half import HalfBlocks

_COLOURS = 256
_REMOTE_COLOURS = 64  # half the bytes, and still hard to tell from 256 in a picture of this size
_DEFINITION = re.compile(r"#(\d+);2;\d+;\d+;\d+")


class SixelPictures(Graphics):
    """Keeps account of the pictures on the screen and draws those that are wanted and not there."""

    name = "sixel"
    is_placed = True

    def __init__(self, terminal: Terminal) -> None:
        super().__init__(terminal)
        self._blocks = HalfBlocks(terminal)
        self._standing: dict[Box, PictureKey] = {}

    def encode(self, image: Image.Image, columns: int, lines: int) -> Picture:
        """The picture within the size that the terminal takes; its rows are what stands in while it is covered."""
        limit = self.terminal.sixel_limit
        if limit is not None:
            columns, lines = min(columns, limit[0] // self.cell[0]), min(lines, limit[1] // self.cell[1])
        width, height = fit_pixels(image, columns, lines, self.cell)
        columns, lines = -(-width // self.cell[0]), -(-height // self.cell[1])
        self._blocks.cell = self.cell
        blocks = self._blocks.encode(image, columns, lines)
        size = columns * self.cell[0], lines * self.cell[1]
        canvas = Image.new("RGB", size, self.background)  # whole cells: terminals differ in what they do to the rest
        canvas.paste(scaled(image, (width, height)), ((size[0] - width) // 2, size[1] - height))
        codes = sixel_codes(canvas, _REMOTE_COLOURS if self.terminal.is_remote else _COLOURS)
        return Picture(columns, lines, padded(blocks, columns, lines), codes)

    def rows(self, key: PictureKey, picture: Picture, *, is_covered: bool) -> Sequence[Row]:
        return picture.rows if is_covered else ()

    def after_frame(self, painted: Iterable[Box], wanted: Sequence[Placement], cells: Callable[[Box], str]) -> str:
        written = list(painted)
        keys = {placement.box: placement.key for placement in wanted}
        codes = []
        for box in [box for box, key in self._standing.items() if keys.get(box) != key]:
            del self._standing[box]
            if not is_within(box, written):
                codes.append(cells(box))
                written.append(box)
        for box in [box for box in self._standing if any(box.overlaps(other) for other in written)]:
            del self._standing[box]
        for placement in wanted:
            box = placement.box
            if box not in self._standing:
                self._standing[box] = placement.key
                codes.append(f"\x1b[{box.y + 1};{box.x + 1}H{placement.picture.payload}")
        return f"\x1b7{''.join(codes)}\x1b8" if codes else ""

    def forget(self) -> None:
        self._standing.clear()


def is_within(box: Box, written: Sequence[Box]) -> bool:
    """Whether every cell of `box` lies in one of `written`, none of which overlap each other."""
    return sum(box.common_cells(other) for other in written) >= box.width * box.height


def sixel_codes(image: Image.Image, colours: int) -> str:
    """`image` as sixel, pixel for pixel.

    Two repairs to what the encoder gives: a colour is selected after it is defined, which xterm and foot do not do
    by themselves; and the background stays as it is (P2=1), so that the last band paints nothing below the picture.
    """
    codes = image_to_sixels(image, SixelOptions(colors=colours))
    selected = _DEFINITION.sub(lambda match: f"{match[0]}#{match[1]}", codes)
    return selected.replace("\x1bP0;0;0q", "\x1bP0;1;0q", 1)


def blank(columns: int) -> Row:
    return (Segment(" " * columns),) if columns > 0 else ()


def padded(blocks: Picture, columns: int, lines: int) -> tuple[Row, ...]:
    """The rows of `blocks`, which may be a little smaller, for `columns` × `lines` cells."""
    rows = [(*row, *blank(columns - blocks.columns)) for row in blocks.rows]
    return (*rows, *[blank(columns)] * (lines - blocks.lines))
