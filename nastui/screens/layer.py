"""The layer screen: every unit's ranges as coloured bars, all rows aligned at zero."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import ClassVar

import numpy as np
from rich.cells import cell_len
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.worker import get_current_worker

from nastui.errors import FilterError, NastuiError
from nastui.measure_records import Listing, MeasuredUnits
from nastui.records import Footprints, LayerInfo, UnitTable
from nastui.screens.basis_keys import BasisKeys
from nastui.screens.interest import InterestFinding
from nastui.screens.listing_keys import HOLD, ListingKeys
from nastui.screens.probe_keys import ProbeKeys
from nastui.screens.session import Session
from nastui.views.evidence import evidence_words
from nastui.views.footprint import fit_geometry
from nastui.views.layer_page import (
    facts_pieces,
    facts_start,
    layer_words,
    legend_block,
    listing_words,
    nothing_listed_pieces,
    title_room,
)
from nastui.views.listing import REVIEW_COLUMNS, Rows, Value, columns_shown
from nastui.views.plain import cut
from nastui.widgets.footprint_list import FootprintList
from nastui.widgets.graphics_app import GraphicsApp
from nastui.widgets.paint import Paint
from nastui.widgets.piece_lines import PieceLines


class LayerScreen(ListingKeys, ProbeKeys, InterestFinding, BasisKeys):
    """One footprint row a unit of one layer, all by number or as they are listed; opens the neuron screen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("L", "step_layer(1)", "Next layer", key_display="L"),
        Binding("H", "step_layer(-1)", "Previous layer", key_display="H"),
        Binding("equals_sign", "row_height(1)", "Higher rows", show=False),
        Binding("minus", "row_height(-1)", "Lower rows", show=False),
        Binding("p", "pitch", "Width of a range: as fits, 4, 3, 2", show=False),
    ]

    SIGNS: ClassVar[Sequence[tuple[str, str]]] = (*ListingKeys.SIGNS, *ProbeKeys.SIGNS)

    class RowsRead(Message):
        """A layer's units and their order have come from the file. `error`: why they do not stand as was asked."""

        def __init__(
            self, layer: LayerInfo, asked: Listing, rows: Rows, *, to_top: bool, error: NastuiError | None
        ) -> None:
            super().__init__()
            self.layer = layer
            self.asked = asked
            self.rows = rows
            self.to_top = to_top
            self.error = error

    class FootprintsRead(Message):
        """Footprints that the list asked for have come from the file."""

        def __init__(self, rows: Rows, first: int, footprints: Footprints) -> None:
            super().__init__()
            self.rows = rows
            self.first = first
            self.footprints = footprints

    class ReviewsRead(Message):
        """What people say about the units has come from the file, with what the rows are sorted by, as it is now, and
        with the evidence for their kinds."""

        def __init__(self, rows: Rows, values: Mapping[str, Sequence[Value]], measured: MeasuredUnits | None) -> None:
            super().__init__()
            self.rows = rows
            self.values = values
            self.measured = measured

    def __init__(self, session: Session, paint: Paint) -> None:
        super().__init__(session, paint)
        self.shown_layer = session.layer
        self._measured: MeasuredUnits | None = None
        self._is_said = False
        self.asked = session.listing
        self._is_listed = asyncio.Event()
        self._sought: int | None = None
        self._is_behind = False

    def compose_body(self) -> ComposeResult:
        yield PieceLines(self.paint, id="legend")
        yield FootprintList(self.paint, self.session.look, id="footprints")
        yield PieceLines(self.paint, id="facts")

    # ---- reading --------------------------------------------------------------------------

    def on_mount(self) -> None:
        self.footprints.focus()
        self.watch(self.footprints, "cursor", self._moved, init=False)
        self._open()

    def _open(self) -> None:
        """Show the layer that the session stands in."""
        self.shown_layer = layer = self.session.layer
        self.rows, self.asked, self._measured = None, self.session.listing, None
        self.footprints.clear()
        self.show_title(str(layer.address), "reading …")
        self.read_rows(layer, self.asked)
        if self.session.slots.has_other and not self.session.is_interest_chosen:
            self.find_interest(layer)

    async def list_as(self, listing: Listing, *, to_top: bool) -> None:
        if self.rows is None:
            return
        self.asked, is_listed = listing, asyncio.Event()
        self._is_listed = is_listed
        self.read_rows(self.shown_layer, listing, self.rows.units, to_top=to_top)
        try:
            await asyncio.wait_for(is_listed.wait(), HOLD)
        except TimeoutError:
            self.show_title(str(self.shown_layer.address), "listing …")

    @work(thread=True, exclusive=True, group="rows")
    def read_rows(
        self, layer: LayerInfo, listing: Listing, units: UnitTable | None = None, *, to_top: bool = False
    ) -> None:
        """Read the units of a layer where they are not known, and how they stand; by number where they cannot."""
        with self.telling_failures():
            units = units or self.session.run.unit_table(layer)
            try:
                rows, error = self._rows_of(layer, listing, units), None
            except NastuiError as failure:
                rows, error = Rows(units), failure
            if not get_current_worker().is_cancelled:
                self.post_message(self.RowsRead(layer, listing, rows, to_top=to_top, error=error))

    def _rows_of(self, layer: LayerInfo, listing: Listing, units: UnitTable) -> Rows:
        if listing.is_plain:
            return Rows(units)
        columns = columns_shown(listing)
        read = list(self.session.run.select_rows(["number", *columns], listing, layer))
        listed, *values = zip(*read, strict=True) if read else ((), *((),) * len(columns))
        rows = Rows(units, listing, np.array(listed, dtype=np.int64), dict(zip(columns, values, strict=True)))
        if rows.has_nothing_to_sort_by:
            hint = "Sort by selectivity_shifted: every unit has one." if listing.sort == "selectivity" else ""
            raise FilterError(f"No unit that is listed has a {listing.sort}.", hint=hint)
        return rows

    @work(thread=True, group="footprints")
    def read_footprints(self, layer: LayerInfo, rows: Rows, wanted: range, m: int) -> None:
        with self.telling_failures():
            run = self.session.run
            if rows.listed is None:
                footprints = run.footprints(layer, wanted.start, len(wanted), m)
            else:
                footprints = run.footprints_of(layer, [rows.unit_at(row) for row in wanted], m)
            self.post_message(self.FootprintsRead(rows, wanted.start, footprints))

    @work(thread=True, exclusive=True, group="reviews")
    def read_said(self, layer: LayerInfo, rows: Rows) -> None:
        """Read what people say about a layer's units."""
        with self.telling_failures():
            self.session.read_reviews(layer)
            sort = rows.listing.sort
            values = {}
            if rows.listed is not None and sort in REVIEW_COLUMNS:
                of_all = [value for (value,) in self.session.run.select_rows([sort], Listing(), layer)]
                values[sort] = [of_all[unit] for unit in rows.listed.tolist()]
            measured = self._measured or self.session.run.unit_measures(layer)
            if not get_current_worker().is_cancelled:
                self.post_message(self.ReviewsRead(rows, values, measured))

    def on_layer_screen_rows_read(self, message: RowsRead) -> None:
        if message.layer.basis_id != self.shown_layer.basis_id or message.asked != self.asked:
            return
        self._is_listed.set()
        if message.error is not None:
            self.tell(message.error)
        if message.error is not None and self.rows is not None and self.rows.units is message.rows.units:
            self.asked = self.rows.listing
            self._show_words()  # what was listed stays
            return
        self._show_rows(message.rows, to_top=message.to_top)
        sought, self._sought = self._sought, None
        if sought is not None and message.rows.row_of(sought) is None:
            self._go_unfiltered(sought)

    def _show_rows(self, rows: Rows, *, to_top: bool) -> None:
        unit, self.rows, self.asked = self.session.unit, rows, rows.listing
        self.session.take_listed(self.shown_layer, rows.listing, rows.listed)
        self._arrange()
        self._stand_at(0 if to_top else rows.row_of(unit) or 0, unit)
        self.read_said(self.shown_layer, rows)
        self.look_for_probes()

    def went(self) -> None:
        unit = self.session.unit
        if self.session.layer.basis_id != self.shown_layer.basis_id or self.rows is None:
            self._open()
            self._sought = unit
        elif not self.stand_on(unit):
            self._go_unfiltered(unit)

    def _go_unfiltered(self, unit: int) -> None:
        """Go to a unit that the filter leaves out: a person asked for it by its address."""
        self.session.unit = unit
        self.run_worker(self._take_filter_off(), group="unfiltered", exclusive=True)

    async def _take_filter_off(self) -> None:
        address = str(replace(self.shown_layer.address, unit=self.session.unit))
        await self.list_as(replace(self.session.listing, where=""), to_top=False)
        self.show_notice(f"{address} did not fit the filter, which is off now: / and ↑ bring it back")

    def _stand_at(self, row: int, unit: int) -> None:
        """Stand in a row. The session stays at `unit` where no unit is listed, and while another screen is on top."""
        self.footprints.cursor = row
        self.session.unit = self.rows.unit_at(row) if self.rows and self.is_active else unit
        self._show_facts()

    def on_layer_screen_reviews_read(self, message: ReviewsRead) -> None:
        if self.rows is not None and message.rows.has_rows_of(self.rows):
            self.rows, self._measured = self.rows.with_values(message.values), message.measured
            self._is_said = True
            self.footprints.show_values(self.rows)
            self.marks_changed()
            self._show_facts()
            self.call_after_refresh(self._show_frames_if_whole)

    def on_footprint_list_wanted(self, message: FootprintList.Wanted) -> None:
        if message.rows.has_rows_of(self.rows):
            self.read_footprints(self.shown_layer, message.rows, message.wanted, message.m)

    def on_layer_screen_footprints_read(self, message: FootprintsRead) -> None:
        self.footprints.add(message.rows, message.first, message.footprints)
        self._show_facts()
        self.call_after_refresh(self._show_frames_if_whole)

    def _show_frames_if_whole(self) -> None:
        if self.is_current and self._is_said and self.footprints.is_whole:
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
            self._open()
        elif self._is_behind:
            self.run_grew()
        elif self.rows is not None:
            unit, row = self.session.unit, self.footprints.cursor
            self._arrange()
            found = self.rows.row_of(unit)
            self._stand_at(row if found is None else found, unit)

    def run_grew(self) -> None:
        """Read again what the run has more of; what is shown stays until that has come. That takes all values of the
        layer: it is done for eyes that see it only."""
        self._is_behind = not self.is_active
        if self._is_behind:
            return
        self.shown_layer, self.asked = self.session.layer, self.session.listing
        self.read_rows(self.shown_layer, self.asked)

    def reviews_changed(self) -> None:
        self.marks_changed()
        if self.rows is not None and self.rows.listing.sort in REVIEW_COLUMNS:
            self.read_said(self.shown_layer, self.rows)

    @property
    def probed_layer(self) -> LayerInfo:
        return self.shown_layer

    def show_probes(self) -> None:
        self.footprints.show_probes(self.probe_values)
        self._show_facts()

    def marks_changed(self) -> None:
        if self.rows is not None:
            self.footprints.show_signs()
            self._show_words()

    def _arrange(self) -> None:
        """Fit the rows to the screen and the look, and say what is shown."""
        width, rows = self.size.width, self.rows
        if rows is None or width == 0:
            return
        session, look = self.session, self.session.look
        self.query_one("#legend", PieceLines).show(legend_block(session.slots, look, width, self.size.height))
        value_width = rows.value_width if look.row_height == 1 else 0  # higher rows have room below the number
        geometry = fit_geometry(rows.units.lo, rows.units.hi, look, width - 1, value_width)
        self.footprints.show(rows, session.slots, look, geometry, self.signs)
        self._show_words()
        self._show_facts()

    def _show_words(self) -> None:
        """Say in the title how the units are listed, and how many."""
        session, rows, geometry = self.session, self.rows, self.footprints.geometry
        if rows is None or geometry is None:
            return
        name = str(self.shown_layer.address)
        place = session.layer_place
        about = self.shown_layer, session.look, geometry, session.info
        counts, room = self.counts(rows), title_room(name, self.size.width)
        if rows.listing.is_plain:
            self.show_title(name, layer_words(*about, *place, counts, room))
        else:
            self.show_title(name, listing_words(*about, rows.listing, counts, room))

    def _moved(self, row: int) -> None:
        """Watched, not sent: so the facts go out in one frame with the cursor."""
        if self.rows and self.is_active:
            self.session.unit = self.rows.unit_at(row)
            self._show_facts()

    def _show_facts(self) -> None:
        facts = self.query_one("#facts", PieceLines)
        if not self.rows:
            if self.rows is not None:
                facts.show([nothing_listed_pieces(self.shown_layer)])
            return
        row = self.footprints.cursor
        unit = self.rows.unit_at(row)
        hidden = self.footprints.n_hidden(row)
        room = self.size.width - facts_start(self.shown_layer, unit)
        said = self.footprints.probes_said(row)
        probes = cut(f"probe {said}", room * 2 // 3) if said else ""
        room -= cell_len(probes) + 2 * bool(probes)
        value, evidence = self.rows.words(row, room), self._evidence(unit, room)
        facts.show([facts_pieces(self.shown_layer, self.rows.units, unit, hidden, value, evidence, probes)])

    def _evidence(self, unit: int, room: int) -> str:
        """Why the unit is of its kind; nothing where the units are sorted by a measure, which stands there then."""
        if self._measured is None or self.rows is None or self.rows.listing.sort:
            return ""
        return evidence_words(self._measured, self.rows.units, unit, self.session.slots.names, room)

    # ---- keys -----------------------------------------------------------------------------

    def take_count(self) -> int | None:
        return self.footprints.take_count()

    def look_changed(self) -> None:
        self._arrange()

    def on_row_list_opened(self, message: FootprintList.Opened) -> None:
        from nastui.screens.unit import UnitScreen  # brings Pillow: not before the first row is painted

        if self.rows and self.is_active:
            self.session.unit = self.rows.unit_at(message.row)
            self.app.push_screen(UnitScreen(self.session, self.paint))

    def on_footprint_list_not_listed(self, message: FootprintList.NotListed) -> None:
        address = str(replace(self.shown_layer.address, unit=message.unit))
        self.show_notice(f"{address} is not listed · : goes there without the filter")

    def action_step_layer(self, step: int) -> None:
        """Go to another layer. One that was not looked at yet is filtered as this one is."""
        where, seen = self.session.listing.where, {*self.session.places, self.session.layer.basis_id}
        layer = self.session.layer_beside(step * (self.footprints.count_typed or 1))
        if where and layer.basis_id not in seen:
            self.session.listings.setdefault(layer.basis_id, Listing(where))
        super().action_step_layer(step)

    def layer_changed(self) -> None:
        self._open()

    def action_row_height(self, step: int) -> None:
        self.set_look(self.session.look.with_row_height(self.session.look.row_height + step))

    def action_pitch(self) -> None:
        self.set_look(self.session.look.with_next_pitch())
