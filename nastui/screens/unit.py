"""The neuron screen: one unit's ranges large, and the images of the chosen range."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.worker import get_current_worker

from nastui.records import Float32, Int32, LayerInfo
from nastui.review_records import Review, Subject
from nastui.screens.browse import SHORT
from nastui.screens.cost_keys import CostKeys
from nastui.screens.finding import FindingUnits
from nastui.screens.image import ImageScreen
from nastui.screens.range_keys import RangeKeys
from nastui.screens.session import Session
from nastui.screens.unit_probes import ProbeGrid, UnitProbing
from nastui.views.evidence import evidence_words
from nastui.views.facts import far_words, unit_words
from nastui.views.grid import GridTile
from nastui.views.image_tiles import TileSource, image_tile
from nastui.views.ink import DIM, TEXT
from nastui.views.legend import LegendPiece
from nastui.views.numbers import grouped
from nastui.views.patch import PatchFinder
from nastui.views.range_lines import range_lines
from nastui.views.said import heading, said_pieces
from nastui.views.token_place import token_words
from nastui.views.unit_view import Place, Shown, UnitView
from nastui.widgets.image_grid import ImageGrid
from nastui.widgets.paint import Paint
from nastui.widgets.piece_lines import PieceLines
from nastui.widgets.unit_chart import UnitChart

_TALL = 30  # lines: below, the chart leaves more to the images


class UnitScreen(RangeKeys, FindingUnits, UnitProbing, CostKeys):
    """One unit through all images; `session.unit` and `session.layer` follow where one goes from here.

    Going on to another unit takes a read of the file. Until that has come the unit before stays on the screen, and is
    what the keys for ranges and images speak of. A decision is about the unit that one has gone on to, which its
    question names: keys may come faster than units.
    """

    title_names_it = True

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open_image", "Open", key_display="⏎", tooltip="Open the image"),
        Binding("p", "patches", "Patches or whole images", show=False),
        Binding("M", "measures", "All measures of the unit", show=False),
        Binding("J", "step_unit(1)", "Unit", key_display="J K", tooltip="Next unit of the listing"),
        Binding("K", "step_unit(-1)", "Previous unit of the listing", show=False),
        Binding("L", "step_layer(1)", "Layer", key_display="L H", tooltip="Next layer"),
        Binding("H", "step_layer(-1)", "Previous layer", show=False),
        Binding("g", "first_unit", "First unit: gg", show=False),
        Binding("G", "go_to_unit", "Last unit, or unit N after a number: 317G", show=False),
    ]

    class UnitRead(Message):
        """A unit's values, and what people say about it, have come from the file."""

        def __init__(self, shown: Shown, said: Sequence[Review]) -> None:
            super().__init__()
            self.shown = shown
            self.said = said

    class SaidRead(Message):
        """What people say about a unit by now has come from the file."""

        def __init__(self, subject: Subject, said: Sequence[Review]) -> None:
            super().__init__()
            self.subject = subject
            self.said = said

    class PageRead(Message):
        """The images of a page have come from the file."""

        def __init__(self, source: TileSource, tiles: dict[int, GridTile]) -> None:
            super().__init__()
            self.source = source
            self.tiles = tiles

    def __init__(self, session: Session, paint: Paint) -> None:
        super().__init__(session, paint)
        self._wanted: Place | None = None
        self._shown: Shown | None = None
        self._said: Sequence[Review] = ()
        self._slots_shown = session.slots
        self._shows_patches = False
        self._positions: tuple[LayerInfo, int, int, Int32 | None] | None = None

    def compose_body(self) -> ComposeResult:
        yield PieceLines(self.paint, id="measures")
        yield UnitChart(self.paint, id="chart")
        yield from self.compose_probes()
        yield PieceLines(self.paint, id="range")
        with Horizontal(id="image-row"):
            yield ImageGrid(id="images")
            yield ProbeGrid(id="probe-images")

    # ---- reading --------------------------------------------------------------------------

    def on_mount(self) -> None:
        self._open()

    def _open(self) -> None:
        """Look at the session's unit of the session's layer."""
        session = self.session
        self._wanted = Place(session.layer, session.unit, session.look.ranges)
        if self._shown is not None and not self._shown.is_at(self._wanted):
            self.show_title(str(replace(session.layer.address, unit=session.unit)), "reading …")
        self.read_unit(self._wanted)

    @work(thread=True, exclusive=True, group="unit")
    def read_unit(self, place: Place) -> None:
        with self.telling_failures():
            run, known, n_done = self.session.run, self._shown, self.session.info.n_done
            if known is None or known.place.layer != place.layer or known.n_done != n_done:
                units, measured = run.unit_table(place.layer), run.unit_measures(place.layer)
            else:
                units, measured = known.units, known.measured or run.unit_measures(place.layer)
            values = run.values(place.layer, place.unit)
            view = UnitView.build(values, self.session.images, len(self.session.classes), place.m)
            said = self._read_said(Subject(place.layer.basis_id, place.unit))
            if not get_current_worker().is_cancelled:
                self.post_message(self.UnitRead(Shown(place, units, view, measured, n_done), said))

    def _read_said(self, subject: Subject) -> Sequence[Review]:
        reviews = self.session.reviews
        if reviews is None:
            return ()
        if self.session.layer_reviews is None:
            self.read_reviews()
        return reviews.reviews_of(subject)

    @work(thread=True, exclusive=True, group="said")
    def read_said(self, subject: Subject) -> None:
        with self.telling_failures():
            self.read_reviews()
            self.post_message(self.SaidRead(subject, self._read_said(subject)))

    @work(thread=True, exclusive=True, group="page")
    def read_page(self, source: TileSource, ids: tuple[int, ...], values: Float32, place: Place) -> None:
        with self.telling_failures():
            is_wanted = self._shows_patches or place.layer.tokens is not None
            positions = self._read_positions(place) if is_wanted else None
            patches = PatchFinder.of(place.layer, self.session.info.spec)
            images = self.session.run.images(ids)
            thumbnails = self.session.run.thumbnails(ids)
            slots = self.session.slots
            tiles = {}
            for image in images:
                colour = self.paint.class_colour(int(slots.slot_of[image.class_id]))
                part = patches.part_of(image, positions)
                value = float(values[image.id])
                tiles[image.id] = image_tile(image, thumbnails.get(image.id), value, slots, colour, part)
            if not get_current_worker().is_cancelled:
                self.post_message(self.PageRead(source, tiles))

    def _read_positions(self, place: Place) -> Int32 | None:
        """Where the unit's values were found in its map. Kept: all pages of a unit need them."""
        known, n_done = self._positions, self.session.info.n_done
        if known is None or known[:3] != (place.layer, place.unit, n_done):
            known = place.layer, place.unit, n_done, self.session.run.positions(place.layer, place.unit)
            self._positions = known
        return known[3]

    def on_unit_screen_unit_read(self, message: UnitRead) -> None:
        if message.shown.place != self._wanted:
            return
        before, self._shown, self._said = self._shown, message.shown, message.said
        stays = before is not None and before.is_at(self._wanted)
        self.walk.enter(message.shown.view, self.session.slots.focus, stays=stays)
        self._slots_shown = self.session.slots
        self._show_unit()
        self.show_place()
        self.look_for_probes()

    def on_unit_screen_said_read(self, message: SaidRead) -> None:
        shown = self._shown
        if shown is not None and message.subject == Subject(shown.place.layer.basis_id, shown.place.unit):
            self._said = message.said
            self._show_unit()

    def on_unit_screen_page_read(self, message: PageRead) -> None:
        if message.source is self.walk.tiles:
            self.walk.tiles.put(message.tiles)
            self.query_one(ImageGrid).show(self.walk.tiles, self.walk.image)
            if self.session.layer.tokens is not None:
                self._show_range_lines()  # where its value lies has come too

    def run_grew(self) -> None:
        self._open()

    @property
    def shown_unit(self) -> Shown | None:
        return self._shown

    def show_probes(self) -> None:
        self.show_place()

    # ---- reviewing ------------------------------------------------------------------------

    def subjects(self) -> list[Subject]:
        return [Subject(self.session.layer.basis_id, self.session.unit)]

    def stand_on(self, number: int) -> bool:
        self._go_to_unit(number)
        return True

    def reviews_changed(self) -> None:
        for subject in self.subjects():
            self.read_said(subject)

    # ---- showing --------------------------------------------------------------------------

    def on_resize(self) -> None:
        height = self.size.height
        self.set_class(height < SHORT, "-short")
        self.query_one(UnitChart).styles.height = min(max(height // 3 - (height < _TALL) * 2, 3), 14)
        self._show_unit()
        self.show_place()

    def look_changed(self) -> None:
        if self._wanted is not None and self._wanted.m != self.session.look.ranges:
            self._open()
        self._show_unit()
        slots, before = self.session.slots, self._slots_shown
        if self._shown is None:
            return
        if slots is before:
            self._show_chart(self._shown.view)
            return
        self._slots_shown = slots
        if slots.focus != before.focus:
            self.walk.focus_on(slots.focus)
        else:
            self.walk.list_again(self.walk.image_id)
        self.show_place()

    def _show_unit(self) -> None:
        if self._shown is None:
            return
        place = self._shown.place
        if self._wanted is None or self._shown.is_at(self._wanted):
            self.show_title(*self._title_words(place))
        self.query_one("#measures", PieceLines).show(self._unit_lines(self._shown))

    def _title_words(self, place: Place) -> tuple[str, str]:
        layer, reviews = place.layer, self.session.layer_reviews
        name = str(replace(layer.address, unit=place.unit))
        words = [f"unit {grouped(place.unit)} of {grouped(layer.n_units)}", far_words(self.session.info)]
        if reviews is not None:
            name = heading(name, reviews.verdicts[place.unit], is_starred=bool(reviews.is_starred[place.unit]))
            words.append(self.progress_words())
        return name, " · ".join([*filter(None, words), f"{place.m} ranges", layer.type])

    def _unit_lines(self, shown: Shown) -> list[list[LegendPiece]]:
        """The basic measures, the kind with its evidence, and what people say."""
        unit, width = shown.place.unit, self.size.width - 2
        reviewer = None if self.session.reviews is None else self.session.reviews.reviewer
        kind = next((review.kind for review in self._said if review.reviewer == reviewer), None)
        names, is_finished = self.session.slots.names, self.session.info.finished is not None
        evidence = evidence_words(shown.measured, shown.units, unit, names, width, kind, is_finished=is_finished)
        basic = LegendPiece(f" {unit_words(shown.units, unit)}", DIM)
        said = said_pieces(self._said, reviewer, width)
        return [[basic], [LegendPiece(f" {evidence}", TEXT)], [LegendPiece(" ", DIM), *said]]

    def _show_chart(self, view: UnitView) -> None:
        """The ranges, with a mark where the image lies that one stands on."""
        walk, session = self.walk, self.session
        probes = self.unit_probes
        self.query_one(UnitChart).show(view, walk.stop, session.slots, session.look, walk.value, probes)

    def show_place(self) -> None:
        """Show the page of images that one stands on; what is not known of it is read first."""
        grid, shown, walk = self.query_one(ImageGrid), self._shown, self.walk
        if shown is None:
            return
        self._show_chart(shown.view)
        self.show_unit_probes(walk.stop)
        self._show_range_lines()
        layout = grid.layout_for(len(walk.tiles))
        missing = walk.tiles.missing(layout.page_start(walk.image), layout.per_page)
        if missing:
            self.read_page(walk.tiles, missing, shown.view.values, shown.place)
        else:
            grid.show(walk.tiles, walk.image)

    def _show_range_lines(self) -> None:
        if self._shown is not None:
            words = [self._patch_words(self._shown.place.layer), self._token_words(self._shown.place)]
            lines = range_lines(self.walk, self.session.slots, self.size.width, words)
            self.query_one("#range", PieceLines).show(lines)

    def _token_words(self, place: Place) -> str:
        """Where in the image that one stands on the value lies, of a layer of tokens."""
        known, image_id = self._positions, self.walk.image_id
        if known is None or known[:2] != (place.layer, place.unit) or known[3] is None or image_id is None:
            return ""
        return token_words(place.layer, int(known[3][image_id]))

    def _patch_words(self, layer: LayerInfo) -> str:
        if not self._shows_patches:
            return ""
        patches = PatchFinder.of(layer, self.session.info.spec)
        return f"whole images: {patches.reason}" if patches.reason else f"patches of {patches.size_words}"

    def on_image_grid_page_size_changed(self) -> None:
        self.show_place()

    # ---- keys -----------------------------------------------------------------------------

    def action_open_image(self) -> None:
        self.take_count()
        shown, walk = self._shown, self.walk
        if shown is None or self._wanted is None or not shown.is_at(self._wanted) or not len(walk.tiles):
            return
        screen = ImageScreen(self.session, self.paint, walk.tiles.ids, walk.image, shown.view, shown.units)
        self.app.push_screen(screen, lambda _: self._came_back(screen.image_id))

    def _came_back(self, image_id: int) -> None:
        """The image screen may have gone on to another image, chosen another unit, or changed the look."""
        if self._wanted is not None and self._wanted.unit != self.session.unit:
            self._open()
            return
        self.look_changed()
        if image_id in self.walk.tiles.ids:
            self.go_to_image(self.walk.tiles.ids.index(image_id))

    def action_measures(self) -> None:
        self.take_count()
        self.run_worker(self._show_measures(self.session.layer, self.session.unit), group="measures", exclusive=True)

    async def _show_measures(self, layer: LayerInfo, unit: int) -> None:
        from nastui.screens.measures_panel import MeasuresPanel, read_measures  # brings Rich's tables

        rows = await self.in_thread(lambda: read_measures(self.session.run, layer, unit))
        is_here = self.is_current and (self.session.layer, self.session.unit) == (layer, unit)
        if rows is not None and is_here:
            self.app.push_screen(MeasuresPanel(rows))

    def action_patches(self) -> None:
        self.take_count()
        self._shows_patches = not self._shows_patches
        self.walk.forget_tiles()
        self.show_place()

    def went(self) -> None:
        self._open()

    def action_step_unit(self, step: int) -> None:
        self._go_to_unit(self.session.unit_beside(step * (self.take_count() or 1)))

    def action_first_unit(self) -> None:
        if self.count.take_g():
            self._go_to_unit(self.take_count() or 0)
        else:
            self.show_prefix(self.count.text)

    def action_go_to_unit(self) -> None:
        count = self.take_count()
        self._go_to_unit(self.session.layer.n_units - 1 if count is None else count)

    def _go_to_unit(self, unit: int) -> None:
        unit = min(max(unit, 0), self.session.layer.n_units - 1)
        if unit != self.session.unit:
            self.session.unit = unit
            self._open()

    def layer_changed(self) -> None:
        self._open()
