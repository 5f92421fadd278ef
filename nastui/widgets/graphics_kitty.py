"""Pictures by kitty's protocol with unicode placeholders: sent once, kept by number, and moved about as text.

Source: kitty's docs/graphics-protocol.rst, "Unicode placeholders". A placeholder character says by its foreground
colour which picture it shows, and by the diacritics after it which row and column of the picture.
"""

from __future__ import annotations

import secrets
from base64 import standard_b64encode
from collections import OrderedDict
from collections.abc import Sequence
from io import BytesIO

from PIL import Image
from rich.color import Color
from rich.color_triplet import ColorTriplet
from rich.segment import Segment
from rich.style import Style

from nastui.terminal import Terminal
from nastui.terminal.replies import ST, through_tmux
from nastui.widgets.graphics import Graphics, Picture, PictureKey, Row, fit_cells, fit_pixels, is_pixel_art, scaled
from nastui.widgets.graphics_colours import codes

PLACEHOLDER = "\U0010eeee"
_CHUNK = 4096  # bytes of base64 in one escape code: the most that the protocol allows
_REMOTE_COLOURS = 256

# Code points of kitty's rowcolumn-diacritics.txt, in its order, as (first, last).
_DIACRITIC_RANGES = (
    (0x0305, 0x0305), (0x030D, 0x030E), (0x0310, 0x0310), (0x0312, 0x0312), (0x033D, 0x033F), (0x0346, 0x0346),
    (0x034A, 0x034C), (0x0350, 0x0352), (0x0357, 0x0357), (0x035B, 0x035B), (0x0363, 0x036F), (0x0483, 0x0487),
    (0x0592, 0x0595), (0x0597, 0x0599), (0x059C, 0x05A1), (0x05A8, 0x05A9), (0x05AB, 0x05AC), (0x05AF, 0x05AF),
    (0x05C4, 0x05C4), (0x0610, 0x0617), (0x0657, 0x065B), (0x065D, 0x065E), (0x06D6, 0x06DC), (0x06DF, 0x06E2),
    (0x06E4, 0x06E4), (0x06E7, 0x06E8), (0x06EB, 0x06EC), (0x0730, 0x0730), (0x0732, 0x0733), (0x0735, 0x0736),
    (0x073A, 0x073A), (0x073D, 0x073D), (0x073F, 0x0741), (0x0743, 0x0743), (0x0745, 0x0745), (0x0747, 0x0747),
    (0x0749, 0x074A), (0x07EB, 0x07F1), (0x07F3, 0x07F3), (0x0816, 0x0819), (0x081B, 0x0823), (0x0825, 0x0827),
    (0x0829, 0x082D), (0x0951, 0x0951), (0x0953, 0x0954), (0x0F82, 0x0F83), (0x0F86, 0x0F87), (0x135D, 0x135F),
    (0x17DD, 0x17DD), (0x193A, 0x193A), (0x1A17, 0x1A17), (0x1A75, 0x1A7C), (0x1B6B, 0x1B6B), (0x1B6D, 0x1B73),
    (0x1CD0, 0x1CD2), (0x1CDA, 0x1CDB), (0x1CE0, 0x1CE0), (0x1DC0, 0x1DC1), (0x1DC3, 0x1DC9), (0x1DCB, 0x1DCC),
    (0x1DD1, 0x1DE6), (0x1DFE, 0x1DFE), (0x20D0, 0x20D1), (0x20D4, 0x20D7), (0x20DB, 0x20DC), (0x20E1, 0x20E1),
    (0x20E7, 0x20E7), (0x20E9, 0x20E9), (0x20F0, 0x20F0), (0x2CEF, 0x2CF1), (0x2DE0, 0x2DFF), (0xA66F, 0xA66F),
    (0xA67C, 0xA67D), (0xA6F0, 0xA6F1), (0xA8E0, 0xA8F1), (0xAAB0, 0xAAB0), (0xAAB2, 0xAAB3), (0xAAB7, 0xAAB8),
    (0xAABE, 0xAABF), (0xAAC1, 0xAAC1), (0xFE20, 0xFE26), (0x10A0F, 0x10A0F), (0x10A38, 0x10A38), (0x1D185, 0x1D189),
    (0x1D1AA, 0x1D1AD), (0x1D242, 0x1D244),
)  # fmt: skip
DIACRITICS = "".join(chr(code) for first, last in _DIACRITIC_RANGES for code in range(first, last + 1))


class NumberStyle(Style):
    """A style whose foreground colour is a picture's number: no tint, filter or style on top may change it."""

    def __add__(self, style: Style | None) -> Style:
        return self

    def clear_meta_and_links(self) -> Style:  # type: ignore[override]  # Rich's is wrapped in a cache
        return self


class KittyPictures(Graphics):
    """Sends a picture when its cells are first painted; forgets the longest unseen when the numbers run out."""

    name = "kitty"

    def __init__(self, terminal: Terminal) -> None:
        super().__init__(terminal)
        self._free = picture_numbers(terminal)
        self._numbers: OrderedDict[PictureKey, int] = OrderedDict()
        self._sent: set[int] = set()
        self._outbox: list[str] = []

    def encode(self, image: Image.Image, columns: int, lines: int) -> Picture:
        pixels = fit_pixels(image, columns, lines, self.cell)
        columns, lines = fit_cells(image, columns, lines, self.cell)
        if is_pixel_art(image) or pixels[0] < image.width:  # the terminal itself enlarges smoothly
            image = scaled(image, pixels)
        if self.terminal.is_remote and not is_pixel_art(image):
            image = image.quantize(_REMOTE_COLOURS)
        file = BytesIO()
        image.save(file, "PNG", compress_level=9)
        return Picture(columns, lines, payload=standard_b64encode(file.getvalue()).decode())

    def rows(self, key: PictureKey, picture: Picture, *, is_covered: bool) -> Sequence[Row]:
        number = self._number(key)
        if number not in self._sent:
            self._sent.add(number)
            self._outbox.append(self._wrapped(*transmission(number, picture)))
        style = number_style(number, key.background)
        return placeholder_rows(style, picture.columns, picture.lines, is_covered=is_covered)

    def before_frame(self) -> str:
        codes, self._outbox = "".join(self._outbox), []
        return codes

    def forget(self) -> None:
        self._sent.clear()
        self._outbox.clear()
        self.generation += 1

    def farewell(self) -> str:
        numbers = sorted(self._sent)
        self.forget()
        return self._wrapped(*(deletion(number) for number in numbers))

    def _number(self, key: PictureKey) -> int:
        """The number of the picture, a new one if it has none: that of the longest unseen when all are taken."""
        if (number := self._numbers.get(key)) is None:
            if self._free:
                number = self._free.pop()
            else:
                number = self._numbers.popitem(last=False)[1]
                self._sent.discard(number)
                self._outbox.append(self._wrapped(deletion(number)))
                self.generation += 1
            self._numbers[key] = number
        self._numbers.move_to_end(key)
        return number

    def _wrapped(self, *codes: str) -> str:
        return "".join(map(through_tmux, codes) if self.terminal.in_tmux else codes)


def picture_numbers(terminal: Terminal) -> list[int]:
    """The numbers that a foreground colour can say here.

    With 24-bit colours the upper 16 bits are drawn by chance, so that two programs in one window do not overwrite
    each other's pictures; with 256 colours the number is the colour's.
    """
    if terminal.colour_depth == "truecolor":
        block = (secrets.randbelow(0xFFFF) + 1) << 8
        return [block + low for low in range(1, 241)]
    return sorted(codes())


def number_style(number: int, background: tuple[int, int, int]) -> NumberStyle:
    """The style that makes Textual write the foreground colour that stands for `number`."""
    triplet = codes()[number] if number < 256 else ColorTriplet(number >> 16, number >> 8 & 255, number & 255)
    return NumberStyle(color=Color.from_triplet(triplet), bgcolor=Color.from_rgb(*background))


def placeholder_rows(style: Style, columns: int, lines: int, *, is_covered: bool) -> tuple[Row, ...]:
    """The cells that show the picture whose number is the colour of `style`.

    A placeholder without diacritics goes on where its left neighbour ends, so one with them begins each row. Where
    something may cover that one (`is_covered`), each has its own.
    """
    lines, columns = min(lines, len(DIACRITICS)), min(columns, len(DIACRITICS))
    rows = []
    for line in range(lines):
        row = PLACEHOLDER + DIACRITICS[line]
        if is_covered:
            text = "".join(row + DIACRITICS[column] for column in range(columns))
        else:
            text = row + DIACRITICS[0] + PLACEHOLDER * (columns - 1)
        rows.append((Segment(text, style),))
    return tuple(rows)


def transmission(number: int, picture: Picture) -> list[str]:
    """The escape codes that send a picture and lay it out over its cells."""
    data = picture.payload
    chunks = [data[start : start + _CHUNK] for start in range(0, len(data), _CHUNK)]
    keys = [f"a=T,U=1,q=2,f=100,i={number},c={picture.columns},r={picture.lines}"] + ["q=2"] * (len(chunks) - 1)
    more = [1] * (len(chunks) - 1) + [0]
    return [f"\x1b_G{key},m={flag};{chunk}{ST}" for key, flag, chunk in zip(keys, more, chunks, strict=True)]


def deletion(number: int) -> str:
    """The escape code that deletes a picture and frees its memory (d=I; d=i would keep the memory)."""
    return f"\x1b_Ga=d,d=I,i={number},q=2{ST}"
