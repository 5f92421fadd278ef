"""From the slots and inks of the views to Rich's styles: the one place that knows which colour a class has here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from rich.color import Color
from rich.segment import Segment
from rich.style import Style

from nastui.palette import BLANK, OTHER, ColourDepth, slot_colour
from nastui.views.bars import Cell
from nastui.views.ink import DIM, ON_BAR, STRONG, TEXT, ZERO

_MIDDLE = 128  # of 255: from here on a colour is light


@dataclass(frozen=True, slots=True)
class Tones:
    """The greys of the interface, as "#rrggbb"; what is not a class or a state is one of these."""

    background: str
    panel: str
    text: str
    dim: str
    zero: str
    cursor: str


DARK = Tones(background="#121212", panel="#1c1c1c", text="#d0d0d0", dim="#8a8a8a", zero="#eeeeee", cursor="#444444")


class Paint:
    """Styles for one colour depth; every one has a background of its own."""

    def __init__(self, depth: ColourDepth, tones: Tones = DARK) -> None:
        self.depth = depth
        self.tones = tones
        self.text = Style.parse(f"{tones.text} on {tones.background}")
        self.dim = Style.parse(f"{tones.dim} on {tones.background}")
        self.strong = Style.parse(f"bold {tones.text} on {tones.background}")
        self.cursor = Style.parse(f"bold {tones.text} on {tones.cursor}")
        self.margin = Segment(" ", self.text)
        self._inks = {
            TEXT: self.text,
            DIM: self.dim,
            STRONG: self.strong,
            ZERO: Style.parse(f"bold {tones.zero} on {tones.background}"),
        }
        self._cells: dict[tuple[int, int], Style] = {}

    @property
    def has_colour(self) -> bool:
        """Whether classes can be told apart by colour here; else letters carry them."""
        return self.depth in ("truecolor", "256")

    def ink(self, ink: int) -> Style:
        """The style of text in an ink, or in the colour of a class."""
        return self._inks.get(ink) or self._cell(ink, BLANK)

    def swatch(self, slot: int) -> tuple[str, Style]:
        """A block in the colour of a class for the legend; blank where letters are used."""
        return (" ", self._cell(BLANK, slot)) if self.has_colour else ("", self.text)

    def class_colour(self, slot: int) -> str:
        """The colour of a slot as Rich writes it, empty where letters are used."""
        return self._colour(slot, self.tones.text).name if self.has_colour else ""

    def segments(self, cells: Iterable[Cell]) -> list[Segment]:
        """Cells as segments, equal neighbours merged: an escape code each is what a line costs."""
        styled = ((cell.glyph, self._style(cell)) for cell in cells)
        return [
            Segment("".join(glyph for glyph, _ in run), style)
            for style, run in groupby(styled, key=lambda pair: pair[1])
        ]

    def _style(self, cell: Cell) -> Style:
        if not self.has_colour and cell.glyph.islower() and cell.fg not in self._inks:
            return self.dim  # half a cell of a bar in letters: its white half
        return self._cell(BLANK if cell.glyph == " " else cell.fg, cell.bg)

    def _cell(self, fg: int, bg: int) -> Style:
        known = self._cells.get((fg, bg))
        if known is None:
            known = self._cells[fg, bg] = self._make(fg, bg)
        return known

    def _make(self, fg: int, bg: int) -> Style:
        if fg in self._inks and bg == BLANK:
            return self._inks[fg]
        if not self.has_colour:
            return self.dim if fg == OTHER else self.strong
        if fg == ON_BAR:
            return self._on_bar(self._colour(bg, self.tones.background))
        return Style.from_color(self._colour(fg, self.tones.text), self._colour(bg, self.tones.background))

    def _on_bar(self, colour: Color) -> Style:
        """Text on the colour of a class: the lighter or the darker of the tones, whichever stands out."""
        red, green, blue = colour.get_truecolor()
        is_light = 0.299 * red + 0.587 * green + 0.114 * blue > _MIDDLE
        return Style(color=self.tones.background if is_light else self.tones.zero, bgcolor=colour, bold=True)

    def _colour(self, slot: int, default: str) -> Color:
        if slot == BLANK:
            return Color.parse(default)
        colour = slot_colour(slot, self.depth)
        return Color.from_ansi(colour) if isinstance(colour, int) else Color.parse(colour)
