"""The neuron screen: one unit's ranges large, and the images of the chosen range."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import numpy as np
from textual import events, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.worker import get_current_worker

from nastui.records import Float32, Int32, LayerInfo
from nastui.screens.browse import SHORT
from nastui.screens.image import ImageScreen
from nastui.screens.look_screen import LookScreen
from nastui.screens.session import Session
from nastui.views.facts import range_words, share_pieces, unit_words
from nastui.views.grid import GridTile
from nastui.views.image_tiles import TileSource, image_tile
from nastui.views.ink import DIM, STRONG
from nastui.views.legend import LegendPiece
from nastui.views.numbers import grouped
from nastui.views.patch import PatchFinder
from nastui.views.unit_view import NON_FINITE, Order, Place, Shown, UnitView
from nastui.widgets.count_prefix import CountPrefix
from nastui.widgets.image_grid import ImageGrid
from nastui.widgets.paint import Paint
from nastui.widgets.piece_lines import PieceLines
from nastui.widgets.unit_chart import UnitChart


class UnitScreen(LookScreen):
    """One unit through all images; `session.unit` and `session.layer` follow where one goes from here.

    Going on to another unit takes a read of the file. Until that has come the unit before stays on the screen, and is
    what the keys for ranges and images speak of.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("h,left", "step_range(-1)", "Range to the left", show=False),
        Binding("l,right", "step_range(1)", "Range", key_display="h l", tooltip="Range to the right"),
        Binding("j,down", "step_image(1)", "Image", key_display="j k", tooltip="Next image"),
        Binding("k,up", "step_image(-1)", "Previous image", show=False),
        Binding("enter", "open_image", "Open", key_display="⏎", tooltip="Open the image"),
        Binding("ctrl+f,pagedown,space", "step_page(1)", "Page", key_display="space", tooltip="Next page of images"),
        Binding("ctrl+b,pageup,b", "step_page(-1)", "Previous page of images", show=False),
        Binding("circumflex_accent,home", "end_range(0)", "Range of the lowest values", show=False),
        Binding("dollar_sign,end", "end_range(-1)", "Range of the highest values", show=False),
        Binding("z", "zero_range", "Range at the zero line", show=False),
        Binding("m", "median_range", "Range of the median image", show=False),
        Binding("s", "order", "Order of the images", show=False),
        Binding("r", "sample", "Images in random order; 7r: by seed 7", show=False),
        Binding("p", "patches", "Patches or whole images", show=False),
        Binding("t", "tile_size", "Larger or smaller images", show=False),
        Binding("J", "step_unit(1)", "Unit", key_display="J K", tooltip="Next unit"),
        Binding("K", "step_unit(-1)", "Previous unit", show=False),
        Binding("L", "step_layer(1)", "Layer", key_display="L H", tooltip="Next layer"),
        Binding("H", "step_layer(-1)", "Previous layer", show=False),
        Binding("g", "first_unit", "First unit: gg", show=False),
        Binding("G", "go_to_unit", "Last unit, or unit N after a number: 317G", show=False),
    ]

    class UnitRead(Message):
        """A unit's values have come from the file."""

        def __init__(self, shown: Shown) -> None:
            super().__init__()
            self.shown = shown

    class PageRead(Message):
        """The images of a page have come from the file."""

        def __init__(self, source: TileSource, tiles: dict[int, GridTile]) -> None:
            super().__init__()
            self.source = source
            self.tiles = tiles

    def __init__(self, session: Session, paint: Paint) -> None:
        super().__init__(session, paint)
        self._count = CountPrefix()
        self._wanted: Place | None = None
        self._shown: Shown | None = None
        self._listed_slots = session.slots
        self._order = Order.FALLING
        self._seed = 0
        self._stop = 0
        self._tiles = TileSource(np.zeros(0, dtype=np.int64))
        self._image = 0
        self._shows_patches = False
        self._positions: tuple[LayerInfo, int, Int32 | None] | None = None

    def compose_body(self) -> ComposeResult:
        yield PieceLines(self.paint, id="measures")
        yield UnitChart(self.paint, id="chart")
        yield PieceLines(self.paint, id="range")
        yield ImageGrid(id="images")

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
            run, known = self.session.run, self._shown
            units = (
                known.units if known is not None and known.place.layer == place.layer else run.unit_table(place.layer)
            )
            values = run.values(place.layer, place.unit)
            view = UnitView.build(values, self.session.images, len(self.session.classes), place.m)
            if not get_current_worker().is_cancelled:
                self.post_message(self.UnitRead(Shown(place, units, view)))

    @work(thread=True, exclusive=True, group="page")
    def read_page(self, source: TileSource, ids: tuple[int, ...], values: Float32, place: Place) -> None:
        with self.telling_failures():
            positions = self._read_positions(place) if self._shows_patches else None
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
        known = self._positions
        if known is None or known[:2] != (place.layer, place.unit):
            known = place.layer, place.unit, self.session.run.positions(place.layer, place.unit)
            self._positions = known
        return known[2]

    def on_unit_screen_unit_read(self, message: UnitRead) -> None:
        if message.shown.place != self._wanted:
            return
        before, self._shown = self._shown, message.shown
        view = message.shown.view
        image_id = self._image_id() if before is not None and before.is_at(self._wanted) else None
        focus = self.session.slots.focus
        self._stop = view.first_stop(focus) if image_id is None else int(view.range_of[image_id])
        self._show_unit()
        self._list_images(image_id)

    def run_grew(self) -> None:
        self._open()

    def on_unit_screen_page_read(self, message: PageRead) -> None:
        if message.source is self._tiles:
            self._tiles.put(message.tiles)
            self.query_one(ImageGrid).show(self._tiles, self._image)

    # ---- showing --------------------------------------------------------------------------

    def on_resize(self) -> None:
        height = self.size.height
        self.set_class(height < SHORT, "-short")
        self.query_one(UnitChart).styles.height = min(max(height // 3, 3), 14)
        self._show_unit()
        self._show_page()

    def look_changed(self) -> None:
        if self._wanted is not None and self._wanted.m != self.session.look.ranges:
            self._open()
        self._show_unit()
        slots = self.session.slots
        if self._shown is None:
            return
        if slots is self._listed_slots:
            self._show_chart(self._shown.view)
            return
        if slots.focus != self._listed_slots.focus:
            stops = self._shown.view.stops(slots.focus)
            if stops and self._stop not in stops:
                self._stop = min(stops, key=lambda stop: abs(stop - self._stop))
        self._list_images(self._image_id())

    def _show_unit(self) -> None:
        if self._shown is None:
            return
        place, units = self._shown.place, self._shown.units
        layer = place.layer
        if self._wanted is None or self._shown.is_at(self._wanted):
            words = f"{layer.type} · unit {grouped(place.unit)} of {grouped(layer.n_units)} · {place.m} ranges"
            self.show_title(str(replace(layer.address, unit=place.unit)), words)
        self.query_one("#measures", PieceLines).show([[LegendPiece(f" {unit_words(units, place.unit)}", DIM)]])

    def _show_chart(self, view: UnitView) -> None:
        """The ranges, with a mark where the image lies that one stands on."""
        image_id = self._image_id()
        is_there = image_id is not None and self._stop != NON_FINITE and view.range_of[image_id] == self._stop
        value = float(view.values[image_id]) if is_there else None
        self.query_one(UnitChart).show(view, self._stop, self.session.slots, self.session.look, value)

    def _image_id(self) -> int | None:
        """The image that one stands on."""
        return self._tiles.image_at(self._image) if self._image < len(self._tiles) else None

    def _list_images(self, image_id: int | None = None) -> None:
        """List the images of the chosen range and stand on `image_id`, or on the first one where it is not there."""
        if self._shown is None:
            return
        view, slots = self._shown.view, self.session.slots
        self._tiles = TileSource(view.image_ids(self._stop, self._order, slots.focus, self._seed))
        self._listed_slots = slots
        ids = self._tiles.ids
        self._image = ids.index(image_id) if image_id in ids else 0
        self._show_page()

    def _range_lines(self, view: UnitView) -> list[list[LegendPiece]]:
        """The numbers of the chosen range, its classes, and which of its images one stands on."""
        if self._stop == NON_FINITE:
            return [[LegendPiece(" NaN or infinite", STRONG)], [], [self._image_piece("in the run's order")]]
        if view.n_ranges == 0:
            return [[LegendPiece(" no finite value", STRONG)], [], []]
        facts = view.facts(self._stop)
        words = LegendPiece(f" {range_words(facts, self._stop, view.n_ranges)}", STRONG)
        shares = share_pieces(facts, self.session.slots, self.size.width - 2)
        patches = f" · {self._patch_words()}" if self._shows_patches else ""
        return [[words], [LegendPiece(" ", DIM), *shares], [self._image_piece(self._order_words() + patches)]]

    def _order_words(self) -> str:
        seed = f", seed {self._seed}" if self._order is Order.RANDOM else ""
        focus = self.session.slots.focus
        only = "" if focus is None else f" · only {self.session.slots.names[focus]}"
        return f"by {self._order.value}{seed}{only}"

    def _patch_words(self) -> str:
        assert self._shown is not None
        patches = PatchFinder.of(self._shown.place.layer, self.session.info.spec)
        return f"whole images: {patches.reason}" if patches.reason else f"patches of {patches.size_words}"

    def _image_piece(self, order: str) -> LegendPiece:
        if not len(self._tiles):
            return LegendPiece(f" no image {order}", DIM)
        return LegendPiece(f" image {grouped(self._image + 1)} of {grouped(len(self._tiles))} {order}", DIM)

    def _show_page(self) -> None:
        """Show the page of images that the chosen image is on; what is not known of it is read first."""
        grid, shown = self.query_one(ImageGrid), self._shown
        if shown is None:
            return
        self._show_chart(shown.view)
        self.query_one("#range", PieceLines).show(self._range_lines(shown.view))
        layout = grid.layout_for(len(self._tiles))
        missing = self._tiles.missing(layout.page_start(self._image), layout.per_page)
        if missing:
            self.read_page(self._tiles, missing, shown.view.values, shown.place)
        else:
            grid.show(self._tiles, self._image)

    def on_image_grid_page_size_changed(self) -> None:
        self._show_page()

    def on_image_grid_tile_clicked(self, message: ImageGrid.TileClicked) -> None:
        self._go_to_image(message.index)

    # ---- keys -----------------------------------------------------------------------------

    def on_key(self, event: events.Key) -> None:
        """Collect a count prefix."""
        if self._count.feed(event.key):
            event.stop()
            event.prevent_default()
            self.show_prefix(self._count.text)

    def take_count(self) -> int | None:
        self.show_prefix("")
        return self._count.take()

    def action_step_range(self, step: int) -> None:
        count = (self.take_count() or 1) * step
        stops = self._shown.view.stops(self.session.slots.focus) if self._shown is not None else []
        if not stops:
            return
        if self._stop in stops:
            place = stops.index(self._stop) + count
        else:
            place = sum(stop < self._stop for stop in stops) - (step < 0)
        self._choose(stops[min(max(place, 0), len(stops) - 1)])

    def _choose(self, stop: int) -> None:
        if stop != self._stop:
            self._stop = stop
            self._list_images()

    def action_end_range(self, end: int) -> None:
        self.take_count()
        if self._shown is not None:
            stops = [stop for stop in self._shown.view.stops(self.session.slots.focus) if stop != NON_FINITE]
            if stops:
                self._choose(stops[end])

    def action_zero_range(self) -> None:
        self.take_count()
        if self._shown is not None:
            self._choose(self._shown.view.zero_stop())

    def action_median_range(self) -> None:
        self.take_count()
        if self._shown is not None:
            self._choose(self._shown.view.median_stop())

    def action_step_image(self, step: int) -> None:
        self._go_to_image(self._image + step * (self.take_count() or 1))

    def action_step_page(self, step: int) -> None:
        self._go_to_image(self._image + step * (self.take_count() or 1) * self.query_one(ImageGrid).layout_now.per_page)

    def _go_to_image(self, image: int) -> None:
        image = min(max(image, 0), max(len(self._tiles) - 1, 0))
        if image != self._image:
            self._image = image
            self._show_page()

    def action_open_image(self) -> None:
        self.take_count()
        shown = self._shown
        if shown is None or self._wanted is None or not shown.is_at(self._wanted) or not len(self._tiles):
            return
        screen = ImageScreen(self.session, self.paint, self._tiles.ids, self._image, shown.view, shown.units)
        self.app.push_screen(screen, lambda _: self._came_back(screen.place))

    def _came_back(self, image: int) -> None:
        """The image screen may have gone on to another image, or chosen another unit."""
        if self._wanted is not None and self._wanted.unit != self.session.unit:
            self._open()
        else:
            self._go_to_image(image)

    def action_order(self) -> None:
        self.take_count()
        self._order = self._order.next()
        self._list_images()

    def action_tile_size(self) -> None:
        self.take_count()
        grid = self.query_one(ImageGrid)
        grid.tile_size = grid.tile_size.next()

    def action_patches(self) -> None:
        self.take_count()
        self._shows_patches = not self._shows_patches
        self._tiles = self._tiles.unread()
        self._show_page()

    def action_sample(self) -> None:
        """Shuffle the images of the range; a count is the seed, without one the next seed is taken."""
        count = self.take_count()
        if count is not None:
            self._seed = count
        elif self._order is Order.RANDOM:
            self._seed += 1
        self._order = Order.RANDOM
        self._list_images()

    def action_step_unit(self, step: int) -> None:
        self._go_to_unit(self.session.unit + step * (self.take_count() or 1))

    def action_first_unit(self) -> None:
        if self._count.take_g():
            self.take_count()
            self._go_to_unit(0)
        else:
            self.show_prefix(self._count.text)

    def action_go_to_unit(self) -> None:
        count = self.take_count()
        self._go_to_unit(self.session.layer.n_units - 1 if count is None else count)

    def _go_to_unit(self, unit: int) -> None:
        unit = min(max(unit, 0), self.session.layer.n_units - 1)
        if unit != self.session.unit:
            self.session.unit = unit
            self._open()

    def action_step_layer(self, step: int) -> None:
        layer = self.session.layer_beside(step * (self.take_count() or 1))
        if layer.basis_id != self.session.layer.basis_id:
            self.session.layer, self.session.unit = layer, 0
            self._open()
