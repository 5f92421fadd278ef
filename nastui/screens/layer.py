"""The layer screen: every unit's ranges as coloured bars, all rows aligned at zero."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.worker import get_current_worker

from nastui.records import Footprints, LayerInfo, UnitTable
from nastui.screens.look_screen import LookScreen
from nastui.screens.session import Session
from nastui.views.class_choice import owned_top
from nastui.views.classes import MAX_SLOTS
from nastui.views.footprint import Geometry, fit_geometry
from nastui.views.layer_page import facts_pieces, layer_words, legend_block
from nastui.widgets.footprint_list import BLOCK, FootprintList
from nastui.widgets.graphics_app import GraphicsApp
from nastui.widgets.paint import Paint
from nastui.widgets.piece_lines import PieceLines

_BLOCKS_LOOKED_AT = 16  # for the classes of interest: 1,024 units, spread over the layer


class LayerScreen(LookScreen):
    """One footprint row a unit of one layer; opens the neuron screen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("L", "step_layer(1)", "Next layer", key_display="L"),
        Binding("H", "step_layer(-1)", "Previous layer", key_display="H"),
        Binding("equals_sign", "row_height(1)", "Higher rows", show=False),
        Binding("minus", "row_height(-1)", "Lower rows", show=False),
        Binding("p", "pitch", "Width of a range: as fits, 4, 3, 2", show=False),
    ]

    class UnitsRead(Message):
        """The measures of a layer's units have come from the file."""

        def __init__(self, layer: LayerInfo, units: UnitTable) -> None:
            super().__init__()
            self.layer = layer
            self.units = units

    class FootprintsRead(Message):
        """Footprints that the list asked for have come from the file."""

        def __init__(self, layer: LayerInfo, footprints: Footprints) -> None:
            super().__init__()
            self.layer = layer
            self.footprints = footprints

    class InterestFound(Message):
        """The classes that a layer is most selective for."""

        def __init__(self, layer: LayerInfo, interest: tuple[int, ...]) -> None:
            super().__init__()
            self.layer = layer
            self.interest = interest

    def __init__(self, session: Session, paint: Paint) -> None:
        super().__init__(session, paint)
        self.shown_layer = session.layer
        self._units: UnitTable | None = None

    def compose_body(self) -> ComposeResult:
        yield PieceLines(self.paint, id="legend")
        yield FootprintList(self.paint, self.session.look, id="footprints")
        yield PieceLines(self.paint, id="facts")

    @property
    def footprints(self) -> FootprintList:
        return self.query_one(FootprintList)

    # ---- reading --------------------------------------------------------------------------

    def on_mount(self) -> None:
        self.footprints.focus()
        self.watch(self.footprints, "cursor", self._moved, init=False)
        self._open(self.session.layer, self.session.unit)

    def _open(self, layer: LayerInfo, unit: int) -> None:
        self.shown_layer = self.session.layer = layer
        self.session.unit = unit
        self._units = None
        self.footprints.clear()
        self.show_title(str(layer.address), "reading …")
        self.read_units(layer)
        if self.session.slots.has_other and not self.session.is_interest_chosen:
            self.find_interest(layer)

    @work(thread=True, exclusive=True, group="units")
    def read_units(self, layer: LayerInfo) -> None:
        with self.telling_failures():
            units = self.session.run.unit_table(layer)
            if not get_current_worker().is_cancelled:
                self.post_message(self.UnitsRead(layer, units))

    @work(thread=True, group="footprints")
    def read_footprints(self, layer: LayerInfo, first: int, count: int, m: int) -> None:
        with self.telling_failures():
            footprints = self.session.run.footprints(layer, first, count, m)
            self.post_message(self.FootprintsRead(layer, footprints))

    @work(thread=True, exclusive=True, group="interest")
    def find_interest(self, layer: LayerInfo) -> None:
        """Where there are more classes than colours, look for those that own the highest values of the units."""
        session, worker = self.session, get_current_worker()
        sizes = np.array([c.n_images for c in session.classes], dtype=np.int64)
        score = np.zeros(len(sizes))
        blocks = range(0, layer.n_units, BLOCK)
        with self.telling_failures():
            for first in blocks[:: max(len(blocks) // _BLOCKS_LOOKED_AT, 1)]:
                if worker.is_cancelled:
                    return
                score = np.maximum(score, owned_top(session.run.footprints(layer, first, BLOCK), sizes))
            best = np.argsort(-score, kind="stable")[:MAX_SLOTS]
            self.post_message(self.InterestFound(layer, tuple(int(class_id) for class_id in best)))

    def on_layer_screen_interest_found(self, message: InterestFound) -> None:
        session = self.session
        if message.layer.basis_id != self.shown_layer.basis_id or session.is_interest_chosen:
            return
        focus = session.slots.focus
        kept = () if focus is None or focus in message.interest else (focus,)
        session.slots = session.slots.with_interest([*kept, *message.interest])
        self._arrange()
        if isinstance(self.app.screen, LookScreen) and self.app.screen is not self:
            self.app.screen.look_changed()

    def on_layer_screen_units_read(self, message: UnitsRead) -> None:
        if message.layer.basis_id == self.shown_layer.basis_id:
            unit = self.session.unit
            self._units = message.units
            self._arrange()
            self._stand_at(unit)

    def _stand_at(self, unit: int) -> None:
        self.session.unit = unit
        self.footprints.cursor = unit

    def on_footprint_list_wanted(self, message: FootprintList.Wanted) -> None:
        if message.units is self._units:
            self.read_footprints(self.shown_layer, message.first, message.count, message.m)

    def on_layer_screen_footprints_read(self, message: FootprintsRead) -> None:
        if message.layer.basis_id == self.shown_layer.basis_id:
            self.footprints.add(message.footprints)
            self._show_facts()
            self.call_after_refresh(self._show_frames_if_whole)

    def _show_frames_if_whole(self) -> None:
        if self.footprints.is_whole:
            self._show_frames()

    def _show_frames(self) -> None:
        """Let the app go on from the page that stood on the terminal before it did."""
        if isinstance(self.app, GraphicsApp):
            self.app.show_frames()

    def on_screen_suspend(self) -> None:
        self._show_frames()

    # ---- showing --------------------------------------------------------------------------

    def on_resize(self) -> None:
        self._arrange()

    def on_screen_resume(self) -> None:
        """The neuron screen may have gone on to another unit or layer: stand there."""
        if self.session.layer.basis_id != self.shown_layer.basis_id:
            self._open(self.session.layer, self.session.unit)
        elif self._units is not None:
            unit = self.session.unit
            self._arrange()
            self._stand_at(unit)

    def run_grew(self) -> None:
        """Read again what the run has more of; what is shown stays until that has come."""
        self.shown_layer = self.session.layer
        self.read_units(self.shown_layer)

    def _arrange(self) -> None:
        """Fit the rows to the screen and the look, and say what is shown."""
        width = self.size.width
        if self._units is None or width == 0:
            return
        session, layer, look = self.session, self.shown_layer, self.session.look
        self.query_one("#legend", PieceLines).show(legend_block(session.slots, look, width, self.size.height))
        geometry = fit_geometry(self._units.lo, self._units.hi, look, width - 1)
        self.footprints.show(self._units, session.slots, look, geometry)
        self.show_title(str(layer.address), self._layer_words(geometry))
        self._show_facts()

    def _layer_words(self, geometry: Geometry) -> str:
        session = self.session
        place = session.layer_index, len(session.layers)
        return layer_words(self.shown_layer, session.look, geometry, session.info, *place)

    def _moved(self, row: int) -> None:
        """Watched, not sent: so the facts go out in one frame with the cursor."""
        if self._units is not None and self.is_current:
            self.session.unit = row
            self._show_facts()

    def _show_facts(self) -> None:
        if self._units is None or len(self._units.n) == 0:
            return
        unit = self.footprints.cursor
        pieces = facts_pieces(self.shown_layer, self._units, unit, self.footprints.n_hidden(unit))
        self.query_one("#facts", PieceLines).show([pieces])

    # ---- keys -----------------------------------------------------------------------------

    def take_count(self) -> int | None:
        return self.footprints.take_count()

    def look_changed(self) -> None:
        self._arrange()

    def on_row_list_opened(self, message: FootprintList.Opened) -> None:
        from nastui.screens.unit import UnitScreen  # brings Pillow: not before the first row is painted

        if self._units is not None:
            self.session.unit = message.row
            self.app.push_screen(UnitScreen(self.session, self.paint))

    def action_step_layer(self, step: int) -> None:
        layer = self.session.layer_beside(step * (self.take_count() or 1))
        if layer.basis_id != self.shown_layer.basis_id:
            self._open(layer, unit=0)

    def action_row_height(self, step: int) -> None:
        self.set_look(self.session.look.with_row_height(self.session.look.row_height + step))

    def action_pitch(self) -> None:
        self.set_look(self.session.look.with_next_pitch())
