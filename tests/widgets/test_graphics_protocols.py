"""What is sent for kitty and sixel pictures, and when."""

from __future__ import annotations

import re
from base64 import standard_b64decode
from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from rich.cells import cell_len
from rich.color import ColorSystem
from rich.style import Style
from textual.filter import Monochrome

from nastui.terminal import Terminal
from nastui.views.grid import Box, GridTile
from nastui.widgets.graphics import Graphics, NoPicture, Picture, PictureCache, PictureKey, Placement
from nastui.widgets.graphics_kitty import DIACRITICS, PLACEHOLDER, KittyPictures, number_style
from nastui.widgets.graphics_part import encode_tile
from nastui.widgets.graphics_sixel import SixelPictures, sixel_codes

CELL = (9, 18)
PHOTOGRAPH = Image.fromarray(np.random.default_rng(5).integers(0, 256, (60, 90, 3), dtype=np.uint8))


def kitty(depth: str = "truecolor", *, in_tmux: bool = False, is_remote: bool = False) -> KittyPictures:
    return KittyPictures(Terminal(depth, "kitty", CELL, in_tmux=in_tmux, is_remote=is_remote))  # type: ignore[arg-type]


def paint(graphics: Graphics, image_id: object, picture: Picture) -> PictureKey:
    key = graphics.key(image_id, picture.columns, picture.lines)
    graphics.rows(key, picture, is_covered=False)
    return key


# kitty


def test_a_picture_is_sent_when_it_is_first_painted_and_never_again() -> None:
    graphics = kitty()
    picture = graphics.encode(PHOTOGRAPH, 16, 8)
    assert graphics.before_frame() == ""
    paint(graphics, 1, picture)
    sent = graphics.before_frame()
    assert sent.count("a=T,U=1") == 1
    assert f"c={picture.columns},r={picture.lines}" in sent
    paint(graphics, 1, picture)
    assert graphics.before_frame() == ""


def test_what_is_sent_is_the_picture_in_pieces_of_the_allowed_size() -> None:
    graphics = kitty()
    paint(graphics, 1, graphics.encode(PHOTOGRAPH, 16, 8))
    pieces = re.findall(r"\x1b_G([^;]*);([^\x1b]*)\x1b\\", graphics.before_frame())
    assert len(pieces) > 1
    assert all(len(data) <= 4096 for _, data in pieces)
    assert [keys.endswith("m=1") for keys, _ in pieces] == [True] * (len(pieces) - 1) + [False]
    with Image.open(BytesIO(standard_b64decode("".join(data for _, data in pieces)))) as image:
        assert np.array_equal(np.asarray(image), np.asarray(PHOTOGRAPH))


def test_through_ssh_a_picture_has_fewer_colours_and_bytes() -> None:
    photograph = PHOTOGRAPH.resize((20, 15)).resize((90, 68))
    here, remote = (kitty(is_remote=far).encode(photograph, 16, 8) for far in (False, True))
    assert len(remote.payload) < 0.85 * len(here.payload)


@pytest.mark.parametrize("depth", ["truecolor", "256", "none"])
def test_when_the_numbers_run_out_the_longest_unseen_picture_is_freed(depth: str) -> None:
    graphics = kitty(depth)
    picture = graphics.encode(Image.new("RGB", (8, 8)), 4, 2)
    room = len(graphics._free)
    assert room > 200
    for image_id in range(room):
        paint(graphics, image_id, picture)
    numbers = re.findall(r"i=(\d+),c", graphics.before_frame())
    assert len(set(numbers)) == room
    paint(graphics, 0, picture)
    generation = graphics.generation
    paint(graphics, "one more", picture)
    sent = graphics.before_frame()
    assert f"a=d,d=I,i={numbers[1]}," in sent, "number 0 was seen last"
    assert f"i={numbers[1]},c" in sent
    assert graphics.generation == generation + 1, "cells painted earlier are not to be trusted"


def test_with_256_colours_the_number_is_the_colour() -> None:
    graphics = kitty("256")
    for number in list(graphics._free):
        color = number_style(number, (0, 0, 0)).color
        assert color is not None
        assert color.downgrade(ColorSystem.EIGHT_BIT).number == number


def test_no_tint_filter_or_style_changes_the_number() -> None:
    style = number_style(0x123456, (1, 2, 3))
    for changed in (
        style + Style(color="red", bold=True),
        style.clear_meta_and_links(),
        Monochrome().apply([("x", style, None)], None)[0].style,  # type: ignore[list-item, arg-type]
    ):
        assert changed is not None
        assert changed.color is not None
        assert changed.color.triplet == (0x12, 0x34, 0x56)


def test_rows_need_diacritics_once_and_everywhere_when_covered() -> None:
    graphics = kitty()
    picture = graphics.encode(PHOTOGRAPH, 6, 3)
    key = graphics.key(1, 6, 3)
    for line, row in enumerate(graphics.rows(key, picture, is_covered=False)):
        assert row[0].text == PLACEHOLDER + DIACRITICS[line] + DIACRITICS[0] + PLACEHOLDER * (picture.columns - 1)
        assert cell_len(row[0].text) == picture.columns
    covered = graphics.rows(key, picture, is_covered=True)[1][0].text
    assert covered.startswith(PLACEHOLDER + DIACRITICS[1] + DIACRITICS[0] + PLACEHOLDER + DIACRITICS[1] + DIACRITICS[1])


def test_the_diacritics_are_kittys() -> None:
    assert len(DIACRITICS) == 297
    assert (ord(DIACRITICS[0]), ord(DIACRITICS[1]), ord(DIACRITICS[296])) == (0x305, 0x30D, 0x1D244)


def test_in_tmux_every_code_is_wrapped() -> None:
    graphics = kitty(in_tmux=True)
    paint(graphics, 1, graphics.encode(PHOTOGRAPH, 16, 8))
    sent = graphics.before_frame()
    assert sent.count("\x1bPtmux;\x1b\x1b_G") == sent.count("_G") > 1


def test_a_terminal_that_lost_everything_gets_the_picture_again() -> None:
    graphics = kitty()
    picture = graphics.encode(PHOTOGRAPH, 16, 8)
    paint(graphics, 1, picture)
    first = graphics.before_frame()
    graphics.forget()
    paint(graphics, 1, picture)
    assert graphics.before_frame() == first


# sixel


def sixel(limit: tuple[int, int] | None = None) -> SixelPictures:
    return SixelPictures(Terminal("256", "sixel", CELL, limit))


def wanted(graphics: Graphics, image_id: int, x: int, y: int = 2) -> Placement:
    key = graphics.key(image_id, 16, 8)
    picture = graphics.cache.get(key)
    if not isinstance(picture, Picture):
        picture = graphics.encode(PHOTOGRAPH, 16, 8)
        graphics.cache.put(key, picture)
    return Placement(key, picture, Box(x, y, picture.columns, picture.lines))


def cells(box: Box) -> str:
    return f"<wipe {box.x}>"


def test_a_sixel_selects_each_colour_that_it_defines_and_leaves_the_rest_alone() -> None:
    codes = sixel_codes(PHOTOGRAPH, 64)
    assert codes.startswith("\x1bP0;1;0q")
    definitions = re.findall(r"#(\d+);2;\d+;\d+;\d+(#\d+)?", codes)
    assert 2 < len(definitions) <= 64
    assert all(selected == f"#{number}" for number, selected in definitions)


def test_a_sixel_fills_whole_cells_within_the_terminals_limit() -> None:
    graphics = sixel((100, 100))
    picture = graphics.encode(PHOTOGRAPH.resize((1000, 500)), 60, 30)
    match = re.search(r'"1;1;(\d+);(\d+)', picture.payload)
    assert match is not None
    assert (int(match[1]), int(match[2])) == (picture.columns * CELL[0], picture.lines * CELL[1])
    assert picture.columns * CELL[0] <= 100
    assert picture.lines * CELL[1] <= 100


def test_a_sixel_is_drawn_once_and_again_where_something_was_written_over_it() -> None:
    graphics = sixel()
    placements = [wanted(graphics, 1, 0), wanted(graphics, 2, 20)]
    first = graphics.after_frame([Box(0, 0, 80, 24)], placements, cells)
    assert first.count("\x1bP") == 2
    assert first.startswith("\x1b7")
    assert first.endswith("\x1b8")
    assert graphics.after_frame([Box(0, 20, 80, 1)], placements, cells) == ""
    again = graphics.after_frame([Box(22, 3, 1, 1)], placements, cells)
    assert again.count("\x1bP") == 1
    assert "\x1b[3;21H" in again


def test_a_sixel_that_is_wanted_no_more_is_wiped_unless_a_frame_did_so() -> None:
    graphics = sixel()
    one, two = wanted(graphics, 1, 0), wanted(graphics, 2, 0)
    graphics.after_frame([], [one], cells)
    changed = graphics.after_frame([], [two], cells)
    assert changed.index("<wipe 0>") < changed.index("\x1bP")
    assert graphics.after_frame([Box(0, 0, 80, 24)], [], cells) == ""
    graphics.after_frame([], [one], cells)
    assert "<wipe 0>" in graphics.after_frame([Box(0, 0, 3, 24)], [], cells), "half of it is still there"


def test_under_another_screen_block_characters_stand_in() -> None:
    graphics = sixel()
    picture = graphics.encode(PHOTOGRAPH, 16, 8)
    key = graphics.key(1, 16, 8)
    assert graphics.rows(key, picture, is_covered=False) == ()
    rows = graphics.rows(key, picture, is_covered=True)
    assert len(rows) == picture.lines
    assert all(sum(len(segment.text) for segment in row) == picture.columns for row in rows)


# both


@pytest.mark.parametrize(
    ("data", "reason"),
    [(b"", "not an image"), (b"nonsense", "not an image"), (b"\x89PNG\r\n\x1a\n\x00\x00", "not an image")],
)
def test_what_does_not_decode_gives_its_reason(data: bytes, reason: str) -> None:
    picture = encode_tile(kitty(), GridTile(0, data, ("", "")), 16, 8)
    assert isinstance(picture, NoPicture)
    assert reason in picture.reason


def test_a_picture_that_breaks_off_gives_its_reason() -> None:
    file = BytesIO()
    PHOTOGRAPH.save(file, "PNG")
    picture = encode_tile(kitty(), GridTile(0, file.getvalue()[: file.tell() // 2], ("", "")), 16, 8)
    assert isinstance(picture, NoPicture)
    assert "truncated" in picture.reason


def test_the_cache_drops_what_was_not_shown_for_longest() -> None:
    cache = PictureCache(capacity=250)
    keys = [PictureKey(number, 1, 1, CELL, (0, 0, 0)) for number in range(3)]
    for key in keys[:2]:
        cache.put(key, NoPicture("no"))
    cache.get(keys[0])
    cache.put(keys[2], NoPicture("no"))
    assert [cache.get(key) is None for key in keys] == [False, True, False]
