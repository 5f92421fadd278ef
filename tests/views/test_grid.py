"""A page of images: how it is divided, and what texts from data become."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from nastui.views.grid import CAPTION_LINES, MAX_TILES, TileSize, grid_layout, plain_text

sizes = st.sampled_from(list(TileSize))


@given(st.integers(1, 400), st.integers(1, 200), st.integers(0, 5000), sizes, st.booleans())
def test_every_tile_lies_inside_the_widget_and_apart_from_the_others(
    width: int, height: int, n_tiles: int, size: TileSize, has_pictures: bool
) -> None:
    layout = grid_layout(width, height, n_tiles, size, has_pictures=has_pictures)
    assert 1 <= layout.per_page <= MAX_TILES
    taken: set[tuple[int, int]] = set()
    for slot in range(layout.per_page):
        box = layout.tile(slot)
        if layout.columns > 1:
            assert box.x + box.width <= width
        if layout.rows > 1:
            assert box.y + box.height <= height
        cells = {(x, y) for x in range(box.x, box.x + box.width) for y in range(box.y, box.y + box.height)}
        assert not cells & taken
        taken |= cells
        assert layout.slot_at(box.x, box.y) == slot


@pytest.mark.parametrize(
    ("width", "height", "per_page"),
    [(80, 24, 8), (110, 36, 18), (150, 60, 48), (40, 12, 2), (10, 4, 1)],
)
def test_a_page_of_many_images_has_as_many_tiles_as_fit(width: int, height: int, per_page: int) -> None:
    assert grid_layout(width, height, 10_000).per_page == per_page


def test_a_larger_tile_size_shows_fewer_and_larger_images() -> None:
    layouts = [grid_layout(150, 60, 10_000, size) for size in TileSize]
    assert sorted(layouts, key=lambda layout: layout.picture_lines) == layouts
    assert sorted(layouts, key=lambda layout: -layout.per_page) == layouts


def test_few_images_grow_into_the_room_and_stay_on_one_page() -> None:
    few, many = grid_layout(150, 60, 4), grid_layout(150, 60, 400)
    assert few.per_page >= 4
    assert few.tile_width > many.tile_width
    assert few.picture_lines > many.picture_lines


def test_one_large_image_alone_takes_all_the_room() -> None:
    layout = grid_layout(150, 60, 1, TileSize.LARGE)
    assert layout.per_page == 1
    assert (layout.tile_height, layout.tile_width) == (60, 118), "a square picture and its caption"


def test_an_image_stands_on_the_page_that_starts_before_it() -> None:
    layout = grid_layout(110, 36, 1000)
    assert layout.page_start(0) == 0
    assert layout.page_start(layout.per_page - 1) == 0
    assert layout.page_start(layout.per_page) == layout.per_page


def test_without_pictures_a_tile_is_its_caption() -> None:
    layout = grid_layout(80, 24, 1000, has_pictures=False)
    assert layout.tile_height == CAPTION_LINES + 1
    assert layout.per_page >= 30


def test_tile_sizes_go_round() -> None:
    assert [size.next() for size in TileSize] == [TileSize.MEDIUM, TileSize.LARGE, TileSize.SMALL]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("cat", "cat       "),
        ("[b]cat[/b]", "[b]cat[/b]"),
        ("a\x1b[31mb", "a·[31mb   "),
        ("line\nbreak", "line·break"),
        ("a\u202eb\u200bc", "a·b·c     "),
        ("hippopotamus", "hippopota…"),
        ("河馬河馬河馬", "河馬河馬 …"),
        ("", "          "),
    ],
)
def test_text_from_data_is_shown_as_text_in_its_width(text: str, shown: str) -> None:
    assert plain_text(text, 10) == shown


@given(st.text(), st.integers(0, 40))
def test_no_text_from_data_leaves_its_cells_or_controls_the_terminal(text: str, width: int) -> None:
    shown = plain_text(text, width)
    assert cell_len(shown) == width
    assert not any(ord(char) < 32 or 127 <= ord(char) < 160 for char in shown)
