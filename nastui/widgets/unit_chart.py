"""The large footprint of one unit."""

from __future__ import annotations

from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from nastui.views.classes import ClassSlots
from nastui.views.look import Look
from nastui.views.probe_marks import UnitProbes
from nastui.views.unit_chart import paint_chart
from nastui.views.unit_view import UnitView
from nastui.widgets.paint import Paint


class UnitChart(Widget):
    """Paints a unit's ranges, counts and axis as large as it is; the chosen range is pointed at."""

    def __init__(self, paint: Paint, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._paint = paint
        self._shown: tuple[UnitView, int, ClassSlots, Look, float | None, UnitProbes | None] | None = None
        self._strips: list[Strip] = []

    def show(
        self,
        view: UnitView,
        chosen: int,
        slots: ClassSlots,
        look: Look,
        value: float | None = None,
        probes: UnitProbes | None = None,
    ) -> None:
        """Show a unit with range `chosen` marked, where `value` lies in it, and where probes fall."""
        self._shown = (view, chosen, slots, look, value, probes)
        self._paint_strips()

    def on_resize(self) -> None:
        self._paint_strips()

    def _paint_strips(self) -> None:
        """Paint anew, but send only the lines that changed: choosing a range moves a mark, not the picture."""
        width, height = self.size.width, self.size.height
        if self._shown is None or width < 3 or height < 3:
            return
        before = self._strips
        lines = paint_chart(*self._shown, size=(width - 2, height), in_letters=not self._paint.has_colour)
        self._strips = [
            Strip([self._paint.margin, *self._paint.segments(line)]).adjust_cell_length(width, self._paint.text)
            for line in lines
        ]
        if len(before) != len(self._strips):
            self.refresh()
            return
        changed = [Region(0, y, width, 1) for y, strip in enumerate(self._strips) if strip != before[y]]
        if changed:
            self.refresh(*changed)

    def render_line(self, y: int) -> Strip:
        if y < len(self._strips):
            return self._strips[y]
        return Strip.blank(self.size.width, self._paint.text)
