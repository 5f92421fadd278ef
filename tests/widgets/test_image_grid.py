"""The grid of images, as text on a screen of fixed size."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from textual.app import ComposeResult
from textual.pilot import Pilot

from nastui.terminal import Terminal
from nastui.views.grid import GridTile, TileSize
from nastui.widgets.graphics_app import GraphicsApp
from nastui.widgets.image_grid import ImageGrid
from tests.opened_app import work_done

BLOCKS = set("▀▌▘▝▖▗▚")


def picture(seed: int) -> bytes:
    file = BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (60, 80, 3), dtype=np.uint8)).save(file, "PNG")
    return file.getvalue()


def tiles(count: int) -> list[GridTile]:
    return [GridTile(n, picture(n), (f"label {n}", f"{n / 10:.1f}")) for n in range(count)]


class GridApp(GraphicsApp[None]):
    def __init__(self, terminal: Terminal | None = None) -> None:
        super().__init__(terminal or Terminal())
        self.posted: list[object] = []

    def compose(self) -> ComposeResult:
        yield ImageGrid()

    @property
    def grid(self) -> ImageGrid:
        return self.query_one(ImageGrid)

    def on_image_grid_page_size_changed(self, message: ImageGrid.PageSizeChanged) -> None:
        self.posted.append(message.per_page)

    def on_image_grid_tile_clicked(self, message: ImageGrid.TileClicked) -> None:
        self.posted.append(("clicked", message.index))

    def text(self) -> list[str]:
        return [strip.text.rstrip() for strip in self.screen._compositor.render_strips()]


async def settled(pilot: Pilot[None]) -> list[str]:
    app = pilot.app
    assert isinstance(app, GridApp)
    await pilot.pause()
    await work_done(app)
    await pilot.pause(0.05)
    return app.text()


async def test_the_page_that_holds_the_cursor_is_shown_with_captions_and_pictures() -> None:
    app = GridApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.grid.show(tiles(20), 9)
        text = "\n".join(await settled(pilot))
        assert app.grid.layout_now.per_page == 8
        assert "▶label 9" in text
        assert text.count("label") == 8
        assert "label 8 " in text
        assert "label 15" in text
        assert BLOCKS & set(text)


async def test_the_cursor_moves_on_the_page_and_turns_it_at_its_end() -> None:
    app = GridApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.grid.show(tiles(20), 0)
        assert "▶label 0" in "\n".join(await settled(pilot))
        app.grid.move_to(7)
        text = "\n".join(await settled(pilot))
        assert "▶label 7" in text
        assert text.count("▶") == 1
        app.grid.move_to(8)
        text = "\n".join(await settled(pilot))
        assert "▶label 8" in text
        assert "label 7" not in text
        app.grid.move_to(10_000)
        text = "\n".join(await settled(pilot))
        assert "▶label 19" in text
        assert "label 15" not in text


async def test_only_the_page_is_read_from_a_long_sequence() -> None:
    class Lazy(list[GridTile]):
        read: set[int]

        def __len__(self) -> int:
            return 1_000_000

        def __getitem__(self, index: object) -> GridTile:  # type: ignore[override]
            assert isinstance(index, int)
            self.read.add(index)
            return GridTile(index, None, (f"label {index}", ""))

    app, lazy = GridApp(), Lazy()
    lazy.read = set()
    async with app.run_test(size=(80, 24)) as pilot:
        app.grid.show(lazy, 500_001)
        await settled(pilot)
    assert lazy.read == set(range(500_000, 500_008))


async def test_an_image_that_cannot_be_shown_says_why_in_its_place() -> None:
    app = GridApp()
    async with app.run_test(size=(80, 24)) as pilot:
        broken = GridTile("broken", b"nonsense", ("broken", ""))
        missing = GridTile("missing", None, ("missing", ""), note="file [b]truncated[/b]")
        app.grid.show([broken, missing, *tiles(6)])
        text = " ".join("\n".join(await settled(pilot)).split())
        assert "not an image" in text
        assert "[b]truncated[/b]" in text
        assert BLOCKS & set(text)


async def test_marks_are_shown_and_texts_from_data_are_no_markup_or_codes() -> None:
    app = GridApp()
    async with app.run_test(size=(80, 24)) as pilot:
        evil = GridTile(1, None, ("[red]\x1b[31mevil", "a\nb"), letter="C", colour="#ff0000", is_wrong=True)
        app.grid.show([evil, *tiles(7)])
        text = "\n".join(await settled(pilot))
        assert "C [red]·[31mevil" in text
        assert "✗ a·b" in text


@pytest.mark.parametrize("images", ["kitty", "sixel", "half", "none"])
@pytest.mark.parametrize("size", [(40, 12), (10, 3), (3, 2), (1, 1), (200, 60)])
async def test_every_line_is_as_wide_as_the_widget_at_any_size(images: str, size: tuple[int, int]) -> None:
    app = GridApp(Terminal("256", images))  # type: ignore[arg-type]
    async with app.run_test(size=size) as pilot:
        app.grid.show(tiles(3))
        await settled(pilot)
        assert {app.grid.render_line(y).cell_length for y in range(app.grid.size.height)} == {app.grid.size.width}
        for y in range(app.grid.size.height):
            assert all(segment.style is not None for segment in app.grid.render_line(y)), "NO_COLOR crashes on these"


async def test_a_larger_size_shows_fewer_images_and_says_so() -> None:
    app = GridApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.grid.show(tiles(40))
        await settled(pilot)
        before = app.grid.layout_now.per_page
        app.grid.tile_size = TileSize.LARGE
        await settled(pilot)
        assert app.grid.layout_now.per_page < before
        assert app.posted[-1] == app.grid.layout_now.per_page


async def test_a_click_says_which_image_was_meant() -> None:
    app = GridApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.grid.show(tiles(20), 9)
        await settled(pilot)
        box = app.grid.layout_now.tile(2)
        await pilot.click(ImageGrid, offset=(box.x + 1, box.y + 1))
        await pilot.pause()
    assert ("clicked", 10) in app.posted


async def test_an_empty_grid_is_blank() -> None:
    app = GridApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.grid.show([])
        assert set("".join(await settled(pilot))) <= {" "}


async def test_pictures_are_placed_only_where_nothing_covers_them() -> None:
    from textual.screen import Screen

    app = GridApp(Terminal("256", "sixel", (9, 18)))
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        app.grid.show(tiles(20))
        await settled(pilot)
        placed = app.grid.placements()
        assert len(placed) == 8
        assert all(not a.box.overlaps(b.box) for a in placed for b in placed if a is not b)
        app.notify("a message that lies over some of them", timeout=100)
        await settled(pilot)
        assert 0 < len(app.grid.placements()) < 8
        grid = app.grid
        await app.push_screen(Screen())
        await settled(pilot)
        assert grid.placements() == []
