"""The image screen: one image large, what the model made of it, and the units that answer most to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.worker import get_current_worker

from nastui.records import ImageInfo, UnitTable
from nastui.review_records import Review, Subject
from nastui.screens.browse import SHORT
from nastui.screens.copied_lines import image_line
from nastui.screens.group_keys import GroupKeys
from nastui.screens.session import Session, Unreviewed
from nastui.views.classes import display_name
from nastui.views.facts import range_words
from nastui.views.grid import GridTile, TileSize
from nastui.views.image_units import ExtremeUnit, extreme_units
from nastui.views.ink import DIM, STRONG, TEXT
from nastui.views.legend import LegendPiece
from nastui.views.numbers import short_number
from nastui.views.patch import Part, PatchFinder
from nastui.views.plain import printable
from nastui.views.said import heading, said_pieces
from nastui.views.token_place import token_words
from nastui.views.unit_view import NON_FINITE, UnitView
from nastui.widgets.image_grid import ImageGrid
from nastui.widgets.paint import Paint
from nastui.widgets.piece_lines import PieceLines
from nastui.widgets.unit_chart import UnitChart
from nastui.widgets.unit_list import UnitList


class ImageScreen(GroupKeys):
    """One image of the run, seen from one unit; opening another unit of the list goes there. `place`: which of the
    images `ids` it is, `among` which stands beside it. What is reviewed here is the image."""

    reviews_images = True
    title_names_it = True

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("p", "frame", "Frame around the patch", show=False),
        Binding("o", "original", "Original file", key_display="o", tooltip="Original file instead of thumbnail"),
        Binding("J", "step_image(1)", "Image", key_display="J K", tooltip="Next image of the range"),
        Binding("K", "step_image(-1)", "Previous image of the range", show=False),
    ]

    class ImageRead(Message):
        """An image and what the layer gave it have come from the file."""

        def __init__(
            self,
            image: ImageInfo,
            thumbnail: bytes | None,
            units: list[ExtremeUnit],
            part: Part | None,
            said: Sequence[Review],
            token: str,
        ) -> None:
            super().__init__()
            self.part = part
            self.token = token
            self.image = image
            self.thumbnail = thumbnail
            self.units = units
            self.said = said

    class SaidRead(Message):
        """What people say about an image by now has come from the file."""

        def __init__(self, image_id: int, said: Sequence[Review]) -> None:
            super().__init__()
            self.image_id = image_id
            self.said = said

    class OriginalRead(Message):
        """The file that the image was read from."""

        def __init__(self, image_id: int, data: bytes) -> None:
            super().__init__()
            self.image_id = image_id
            self.data = data

    def __init__(
        self,
        session: Session,
        paint: Paint,
        ids: list[int],
        place: int,
        view: UnitView,
        units: UnitTable,
        among: str = "in the range",
    ) -> None:
        super().__init__(session, paint)
        self._among = among
        self._ids = ids
        self.place = place
        self._view = view
        self._units = units
        self._patches = PatchFinder.of(session.layer, session.info.spec)
        self._image: ImageInfo | None = None
        self._said: Sequence[Review] = ()
        self._verdicts: Mapping[int, str] = {}
        self._part: Part | None = None
        self._token = ""
        self._shows_frame = True
        self._tile = GridTile("nothing yet", None, ("", ""))

    def compose_body(self) -> ComposeResult:
        with Horizontal(id="image-body"):
            yield ImageGrid(tile_size=TileSize.LARGE, id="image")
            with Vertical(id="image-facts"):
                yield PieceLines(self.paint, id="image-words")
                yield PieceLines(self.paint, id="image-heading")
                yield UnitList(self.paint, id="image-units")
        yield PieceLines(self.paint, id="range")
        yield UnitChart(self.paint, id="chart")

    @property
    def image_id(self) -> int:
        """The image that one stands on."""
        return self._ids[self.place]

    def on_mount(self) -> None:
        self.query_one(UnitList).focus()
        layer = self.session.layer.address
        heading = f"units of {layer} for which it is most extreme"
        self.query_one("#image-heading", PieceLines).show([[LegendPiece(heading, DIM)]])
        self._open()

    def on_resize(self) -> None:
        self.query_one(UnitChart).styles.height = 3 if self.size.height < SHORT else 8

    def _open(self) -> None:
        self.read_image(self.image_id)
        self.look_for_groups()

    def groups_changed(self) -> None:
        self._show_picture(self._tile)
        if self._image is not None and self._image.id == self.image_id:
            self._show_words(self._image)

    def run_grew(self) -> None:
        self.look_for_groups()

    @work(thread=True, exclusive=True, group="image")
    def read_image(self, image_id: int) -> None:
        with self.telling_failures():
            run = self.session.run
            image = run.images([image_id])[0]
            thumbnail = run.thumbnails([image_id]).get(image_id)
            units = extreme_units(run.image_values(self.session.layer, image_id), self._units)
            layer = self.session.layer
            positions = run.positions(layer, self.session.unit)
            part = self._patches.part_of(image, positions)
            token = "" if positions is None else token_words(layer, int(positions[image_id]))
            said = self._read_said(image_id)
            if not get_current_worker().is_cancelled:
                self.post_message(self.ImageRead(image, thumbnail, units, part, said, token))

    def _read_said(self, image_id: int) -> Sequence[Review]:
        reviews = self.session.reviews
        if reviews is None:
            return ()
        self.read_reviews()
        return reviews.reviews_of(Subject.image(image_id))

    @work(thread=True, exclusive=True, group="said")
    def read_said(self, image_id: int) -> None:
        with self.telling_failures():
            self.post_message(self.SaidRead(image_id, self._read_said(image_id)))

    @work(thread=True, exclusive=True, group="original")
    def read_original(self, image_id: int) -> None:
        with self.telling_failures():
            data = self.session.run.original(image_id)
            if not get_current_worker().is_cancelled:
                self.post_message(self.OriginalRead(image_id, data))

    def on_image_screen_original_read(self, message: OriginalRead) -> None:
        if message.image_id == self.image_id:
            self._show_picture(GridTile(("original", message.image_id), message.data, ("original", "")))

    def action_original(self) -> None:
        self.read_original(self.image_id)

    def action_frame(self) -> None:
        self._shows_frame = not self._shows_frame
        self._show_picture(self._tile)

    def _show_picture(self, tile: GridTile) -> None:
        """Show the thumbnail or the original, with what the unit saw of it, or under the colours of groups."""
        self._tile = tile
        overlay, frame, words = self.overlay, None, ""
        if overlay is not None:
            words = "groups in colours"
        elif self._shows_frame:
            frame = self._part
            words = f"frame: {self._patches.size_words}"
            if frame is None:
                words = f"no frame: {self._patches.reason or 'the value has no place in the image'}"
        shown = replace(tile, frame=frame, overlay=overlay, caption=(tile.caption[0], words))
        self.query_one(ImageGrid).show([shown])

    def on_image_screen_image_read(self, message: ImageRead) -> None:
        image = self._image = message.image
        self._said = message.said
        note = printable(image.error or "no thumbnail")
        self._part, self._token = message.part, message.token
        self._show_picture(GridTile(image.id, message.thumbnail, ("thumbnail", ""), note=note))
        self.query_one(UnitList).show(message.units)
        self._show_words(image)
        self._show_place(image)

    def on_image_screen_said_read(self, message: SaidRead) -> None:
        if self._image is not None and message.image_id == self._image.id:
            self._said = message.said
            self._show_words(self._image)

    def _show_words(self, image: ImageInfo) -> None:
        """What the model made of the image, and what people say of it."""
        session = self.session
        reviewer = None if session.reviews is None else session.reviews.reviewer
        starred = any(review.is_starred for review in self._said if review.reviewer == reviewer)
        words = f"{printable(image.source)} · image {self.place + 1} of {len(self._ids)} {self._among}"
        if session.reviews is not None:
            words += f" · {self.progress_words()}"
        self.show_title(heading(f"#{image.id}", self._verdicts.get(image.id), is_starred=starred), words)
        lines = self.legend(self.size.height // 3) or image_words(image, session.slots.letter(image.class_id))
        width = self.query_one("#image-facts").size.width
        self.query_one("#image-words", PieceLines).show([*lines, said_pieces(self._said, reviewer, width)])

    def _show_place(self, image: ImageInfo) -> None:
        """Where the image lies in the footprint of the unit that one came from."""
        view, session = self._view, self.session
        stop = int(view.range_of[image.id])
        value = float(view.values[image.id])
        address = str(replace(session.layer.address, unit=session.unit))
        at = f" at {self._token}" if self._token else ""
        words = [LegendPiece(f" {address} gives it {short_number(value)}{at}", STRONG)]
        if stop != NON_FINITE:
            words.append(LegendPiece(f"   {range_words(view.facts(stop), stop, view.n_ranges)}", DIM))
        self.query_one("#range", PieceLines).show([words])
        self.query_one(UnitChart).show(view, stop, session.slots, session.look, value)

    # ---- reviewing ------------------------------------------------------------------------

    def subjects(self) -> list[Subject]:
        return [Subject.image(self.image_id)]

    def stand_on(self, number: int) -> bool:
        if number not in self._ids:
            return False
        self._go_to(self._ids.index(number))
        return True

    def reviews_changed(self) -> None:
        self.read_said(self.image_id)

    def read_reviews(self) -> None:
        if self.session.reviews is not None:
            self._verdicts = self.session.reviews.image_verdicts()

    def verdict_of(self, subject: Subject) -> str | None:
        return self._verdicts.get(subject.number)

    def progress(self) -> tuple[int, int]:
        return sum(image_id in self._verdicts for image_id in self._ids), len(self._ids)

    def unreviewed_beside(self, step: int) -> Unreviewed:
        places = range(self.place + step, len(self._ids) if step > 0 else -1, step)
        ids = [self._ids[place] for place in places if self._ids[place] not in self._verdicts]
        return Unreviewed(ids[0]) if ids else Unreviewed(None, "no image without a verdict that way in the range")

    def copied_line(self, subject: Subject) -> str:
        return image_line(self.session, self.session.run.images([subject.number])[0])

    # ---- keys -----------------------------------------------------------------------------

    def take_count(self) -> int | None:
        return self.query_one(UnitList).take_count()

    def look_changed(self) -> None:
        """Show the footprint of the unit with other ranges, or in other colours."""
        view, m = self._view, self.session.look.ranges
        if view.footprints.m != m:
            self._view = UnitView.build(view.values, self.session.images, len(self.session.classes), m)
        if self._image is not None:
            self._show_words(self._image)
            self._show_place(self._image)

    def action_leave(self) -> None:
        self.dismiss()

    def action_step_image(self, step: int) -> None:
        self._go_to(self.place + step * (self.take_count() or 1))

    def _go_to(self, place: int) -> None:
        place = min(max(place, 0), len(self._ids) - 1)
        if place != self.place:
            self.place = place
            self._open()

    def on_row_list_opened(self, message: UnitList.Opened) -> None:
        self.session.unit = self.query_one(UnitList).units[message.row].unit
        self.dismiss()


def image_words(image: ImageInfo, letter: str) -> list[list[LegendPiece]]:
    """Label, prediction and the five highest logits, a line each."""
    size = "" if image.width is None else f"   {image.width}×{image.height} pixels"
    lines = [[LegendPiece(f"{letter} {display_name(image.class_name)}", STRONG), LegendPiece(size, DIM)]]
    if image.error:
        return [*lines, [LegendPiece(printable(image.error), TEXT)]]
    verdict = {True: "✗ wrong", False: "✓ right", None: "cannot be compared"}[image.is_wrong]
    predicted = display_name(image.predicted or "nothing")
    lines.append([LegendPiece(f"predicted {predicted}", TEXT), LegendPiece(f"   {verdict}", STRONG)])
    for name, logit in image.top5:
        lines.append([LegendPiece(f"{short_number(logit):>8}  {display_name(name)}", DIM)])
    return lines
