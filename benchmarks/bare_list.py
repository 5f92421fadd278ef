"""The peer of `key_latency.py`: the rows of a layer in a bare Textual ScrollView, painted before it starts.

python benchmarks/bare_list.py RUN LAYER
"""

from __future__ import annotations

import sys

from rich.segment import Segment
from textual.app import App, ComposeResult
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from nastui.records import LayerInfo
from nastui.store.reader import RunReader
from nastui.views.classes import ClassSlots
from nastui.views.footprint import fit_geometry, paint_row
from nastui.views.look import Look
from nastui.widgets.paint import Paint

ROWS = 128
WIDTH = 120


def painted_rows(run: RunReader, layer: LayerInfo, paint: Paint) -> list[list[Segment]]:
    """The segments of every line of the first rows."""
    look = Look()
    units = run.unit_table(layer)
    geometry = fit_geometry(units.lo, units.hi, look, WIDTH)
    slots = ClassSlots.choose(run.classes())
    footprints = run.footprints(layer, 0, ROWS)
    rows = (paint_row(footprints, row, slots, look, geometry) for row in range(ROWS))
    return [paint.segments(line) for row in rows for line in row.lines]


class Lines(ScrollView, can_focus=True):
    """A cursor that moves by `j`; the view follows by a line at a time, as ScrollViews do."""

    BINDINGS = [("j", "down", "Down")]  # noqa: RUF012

    def __init__(self, lines: list[list[Segment]], paint: Paint) -> None:
        super().__init__()
        self._text = lines
        self._paint = paint
        self._per_row = len(lines) // ROWS
        self._row = 0

    def on_mount(self) -> None:
        self.virtual_size = Size(self.size.width, len(self._text))

    def render_line(self, y: int) -> Strip:
        y += self.scroll_offset.y
        row = y // self._per_row
        style = self._paint.cursor if row == self._row else self._paint.dim
        label = Segment(f"{row:>8} {'lo':>8}  ", style)
        return Strip([label, *self._text[y]]).adjust_cell_length(self.size.width, self._paint.text)

    def action_down(self) -> None:
        before, self._row = self._row, self._row + 1
        for row in (before, self._row):
            self.refresh_lines(row * self._per_row, self._per_row)
        below = (self._row + 1) * self._per_row - self.scroll_offset.y - self.size.height
        if below > 0:
            self.scroll_to(y=self.scroll_offset.y + below, animate=False)


class Bare(App[None]):
    """Nothing but the list."""

    def __init__(self, lines: list[list[Segment]], paint: Paint) -> None:
        super().__init__()
        self._rows = Lines(lines, paint)

    def compose(self) -> ComposeResult:
        yield self._rows


def main() -> None:
    paint = Paint("truecolor")
    with RunReader(sys.argv[1]) as run:
        lines = painted_rows(run, run.layer(sys.argv[2]), paint)
    Bare(lines, paint).run()


if __name__ == "__main__":
    main()
