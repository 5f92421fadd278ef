"""A page of images, each in its own fixed cells with a caption; it turns pages and never scrolls."""

from __future__ import annotations

from collections.abc import Sequence
from time import monotonic
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events, work
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget
from textual.worker import get_current_worker

from nastui.terminal import Terminal
from nastui.views.grid import CAPTION_LINES, Box, GridLayout, GridTile, TileSize, grid_layout, plain_text
from nastui.widgets.graphics import (
    Graphics,
    NoPicture,
    Picture,
    PictureKey,
    Placement,
    Row,
    encode_thumbnail,
)
from nastui.widgets.graphics_app import GraphicsApp
from nastui.widgets.graphics_half import HalfBlocks

_POST_EVERY = 0.08  # seconds between two repaints while pictures of a page are being made ready
CURSOR = "▶"
WRONG = "✗"


class ImageGrid(Widget):
    """Shows the page of `tiles` that holds the cursor. Keys are the screen's business."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"image-grid--cursor", "image-grid--note", "image-grid--wrong"}
    DEFAULT_CSS = """
    ImageGrid {
        width: 1fr; height: 1fr;
        & > .image-grid--cursor { text-style: bold reverse; }
        & > .image-grid--note { color: $text-muted; text-style: italic; }
        & > .image-grid--wrong { color: $text-error; text-style: bold; }
    }
    """

    class PageSizeChanged(Message):
        """Another number of tiles fits on a page now."""

        def __init__(self, grid: ImageGrid, per_page: int) -> None:
            super().__init__()
            self.grid = grid
            self.per_page = per_page

        @property
        def control(self) -> ImageGrid:
            return self.grid

    class TileClicked(Message):
        """A tile was clicked; `index` is its place in the tiles shown."""

        def __init__(self, grid: ImageGrid, index: int) -> None:
            super().__init__()
            self.grid = grid
            self.index = index

        @property
        def control(self) -> ImageGrid:
            return self.grid

    class _PicturesReady(Message):
        def __init__(self, pictures: dict[PictureKey, Picture | NoPicture]) -> None:
            super().__init__()
            self.pictures = pictures

    def __init__(
        self,
        *,
        tile_size: TileSize = TileSize.MEDIUM,
        name: str | None = None,
        id: str | None = None,  # noqa: A002  Textual's own name for it
        classes: str | None = None,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._tiles: Sequence[GridTile] = ()
        self._cursor = 0
        self._tile_size = tile_size
        self._layout = grid_layout(1, 1, 0)
        self._start = 0
        self._page: tuple[GridTile, ...] = ()
        self._was_covered = False
        self._own_graphics: Graphics | None = None

    # What a screen uses

    def show(self, tiles: Sequence[GridTile], cursor: int = 0) -> None:
        """Show the page of `tiles` that holds tile number `cursor`. Only that page's items are read."""
        self._tiles = tiles
        self._cursor = max(0, min(cursor, len(tiles) - 1))
        self._arrange()

    def move_to(self, cursor: int) -> None:
        """Put the cursor on tile number `cursor`, turning the page if it stands on another."""
        cursor = max(0, min(cursor, len(self._tiles) - 1))
        old, self._cursor = self._cursor, cursor
        if self._layout.page_start(cursor) != self._start:
            self._arrange()
        elif cursor != old:
            self._refresh_captions(old, cursor)

    @property
    def cursor(self) -> int:
        return self._cursor

    @property
    def layout_now(self) -> GridLayout:
        """How the page is divided at present: `columns`, `rows`, `per_page`."""
        return self._layout

    def layout_for(self, n_tiles: int) -> GridLayout:
        """How a page is divided when `n_tiles` are shown."""
        width, height = self.content_size
        has_pictures = self._graphics.has_pictures
        return grid_layout(max(width, 1), max(height, 1), n_tiles, self._tile_size, has_pictures=has_pictures)

    @property
    def tile_size(self) -> TileSize:
        return self._tile_size

    @tile_size.setter
    def tile_size(self, size: TileSize) -> None:
        self._tile_size = size
        self._arrange()

    # The page

    @property
    def _graphics(self) -> Graphics:
        if isinstance(self.app, GraphicsApp):
            return self.app.graphics
        if self._own_graphics is None:
            self._own_graphics = HalfBlocks(Terminal())
        return self._own_graphics

    def _arrange(self) -> None:
        """Divide the widget anew, read the page's tiles, repaint, and have missing pictures made ready."""
        width, height = self.content_size
        if not width or not height:
            return
        per_page = self._layout.per_page
        size = self._tile_size
        self._layout = grid_layout(width, height, len(self._tiles), size, has_pictures=self._graphics.has_pictures)
        self._start = self._layout.page_start(self._cursor) if self._tiles else 0
        end = min(len(self._tiles), self._start + self._layout.per_page)
        self._page = tuple(self._tiles[index] for index in range(self._start, end))
        self.refresh()
        self._make_ready(self._missing())
        if self._layout.per_page != per_page:
            self.post_message(self.PageSizeChanged(self, self._layout.per_page))

    def _key(self, tile: GridTile) -> PictureKey:
        return self._graphics.key(tile.id, self._layout.tile_width, self._layout.picture_lines)

    def _missing(self) -> list[tuple[PictureKey, bytes]]:
        if self._layout.picture_lines < 1 or not self._graphics.has_pictures:
            return []
        wanted = ((self._key(tile), tile.thumbnail) for tile in self._page)
        cache = self._graphics.cache
        return [(key, data) for key, data in wanted if data is not None and cache.get(key) is None]

    @work(thread=True, exclusive=True, group="pictures")
    def _make_ready(self, missing: list[tuple[PictureKey, bytes]]) -> None:
        """Encode pictures off the event loop and hand them over a few at a time."""
        worker, graphics = get_current_worker(), self._graphics
        ready: dict[PictureKey, Picture | NoPicture] = {}
        posted = monotonic()
        for key, data in missing:
            if worker.is_cancelled:
                return
            ready[key] = encode_thumbnail(graphics, data, key.columns, key.lines)
            row_is_whole = len(ready) % self._layout.columns == 0
            if row_is_whole and monotonic() - posted > _POST_EVERY:
                self.post_message(self._PicturesReady(ready))
                ready, posted = {}, monotonic()
        if ready:
            self.post_message(self._PicturesReady(ready))

    def on_image_grid__pictures_ready(self, message: _PicturesReady) -> None:
        message.stop()
        for key, picture in message.pictures.items():
            self._graphics.cache.put(key, picture)
        slots = [slot for slot, tile in enumerate(self._page) if self._key(tile) in message.pictures]
        self.refresh(*self._lines_of(slots, pictures=True))

    def _lines_of(self, slots: Sequence[int], *, pictures: bool) -> list[Region]:
        """The widget's lines that hold the pictures, or the captions, of `slots`."""
        regions = set()
        for slot in slots:
            tile = self._layout.tile(slot)
            y, height = (tile.y, tile.height - CAPTION_LINES) if pictures else (tile.y, tile.height)
            if not pictures:
                y, height = tile.y + max(0, tile.height - CAPTION_LINES), min(CAPTION_LINES, tile.height)
            regions.add(Region(0, y, self.size.width if pictures else tile.x + tile.width + 1, height))
        return list(regions)

    def _refresh_captions(self, *indices: int) -> None:
        self.refresh(*self._lines_of([index - self._start for index in indices], pictures=False))

    def on_mount(self) -> None:
        if isinstance(self.app, GraphicsApp):
            self.app.picture_sources.add(self)

    def on_unmount(self) -> None:
        if isinstance(self.app, GraphicsApp):
            self.app.picture_sources.discard(self)

    def on_resize(self) -> None:
        self._arrange()

    def on_click(self, event: events.Click) -> None:
        slot = self._layout.slot_at(event.x, event.y)
        if slot is not None and slot < len(self._page):
            self.post_message(self.TileClicked(self, self._start + slot))

    # Painting

    @property
    def _is_covered(self) -> bool:
        return self.screen is not self.app.screen

    def render_lines(self, crop: Region) -> list[Strip]:
        if self._is_covered != self._was_covered:
            self._was_covered = not self._was_covered
            self._styles_cache.clear()
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        layout = self._layout
        row, line = divmod(y, layout.tile_height)
        base = self.rich_style
        segments: list[Segment] = []
        x = 0
        if row < layout.rows:
            for slot in range(row * layout.columns, min(len(self._page), (row + 1) * layout.columns)):
                box = layout.tile(slot)
                gap, cells = self._tile_line(slot, line, box.width)
                segments.append(Segment(" " * (box.x - x - len(gap)) + gap, base))
                segments += cells
                x = box.x + box.width
        segments.append(Segment(" " * max(0, self.size.width - x), base))
        return Strip([segment for segment in segments if segment.text])

    def _tile_line(self, slot: int, line: int, width: int) -> tuple[str, list[Segment]]:
        """Line `line` of the tile in `slot`: the mark before it, and its cells."""
        tile = self._page[slot]
        caption_line = line - max(0, self._layout.picture_lines)
        if caption_line < 0:
            return "", self._picture_line(tile, line, width)
        is_cursor = self._start + slot == self._cursor
        return (CURSOR if is_cursor and caption_line == 0 else ""), self._caption(tile, caption_line, width, is_cursor)

    def _picture_line(self, tile: GridTile, line: int, width: int) -> list[Segment]:
        base = self.rich_style
        key = self._key(tile)
        picture = self._graphics.cache.get(key) if tile.thumbnail is not None else NoPicture(tile.note)
        if picture is None:
            return [Segment(" " * width, base)]
        if isinstance(picture, NoPicture):
            note = picture.reason if line == self._layout.picture_lines // 2 else ""
            return [Segment(plain_text(note, width), base + self.get_component_rich_style("image-grid--note"))]
        rows = self._graphics.rows(key, picture, is_covered=self._is_covered)
        at = line - (self._layout.picture_lines - picture.lines)
        if not rows or not 0 <= at < len(rows):
            return [Segment(" " * width, base)]
        return _centred(rows[at], picture.columns, width, base)

    def _caption(self, tile: GridTile, line: int, width: int, is_cursor: bool) -> list[Segment]:
        base = self.rich_style + self.get_component_rich_style("image-grid--cursor") if is_cursor else self.rich_style
        if line >= CAPTION_LINES:
            return [Segment(" " * width, base)]
        segments: list[Segment] = []
        if line == 0 and (tile.letter or tile.colour):
            mark = self.rich_style + Style(color=tile.colour) if tile.colour else base
            segments.append(Segment((tile.letter or "█")[:1], mark))
            segments.append(Segment(" ", base))
        if line == 1 and tile.is_wrong:
            segments.append(Segment(WRONG, base + self.get_component_rich_style("image-grid--wrong")))
            segments.append(Segment(" ", base))
        used = sum(len(segment.text) for segment in segments)
        segments.append(Segment(plain_text(tile.caption[line], max(0, width - used)), base))
        return list(Strip(segments).crop(0, width))

    def placements(self) -> list[Placement]:
        """The pictures wanted on the screen now."""
        return []

    def _screen_box(self, box: Box) -> Box:
        region = self.content_region
        return Box(region.x + box.x, region.y + box.y, box.width, box.height)


def _centred(row: Row, columns: int, width: int, base: Style) -> list[Segment]:
    left = (width - columns) // 2
    cells = [segment if segment.style is not None else Segment(segment.text, base) for segment in row]
    return [Segment(" " * left, base), *cells, Segment(" " * (width - columns - left), base)]
