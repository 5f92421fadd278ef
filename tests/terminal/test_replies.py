"""Reading a terminal's answers, and telling them from keys."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nastui.terminal.replies import ReplyFilter, parse_replies, through_tmux

ANSWERS = (
    "\x1bP>|kitty(0.41.1)\x1b\\",
    "\x1b_Gi=31;OK\x1b\\",
    "\x1b[6;18;9t",
    "\x1b[?2;0;1000;800S",
    "\x1bP1$r0;38:2:1:2:3m\x1b\\",
    "\x1b[?62;4;22c",
    "\x1b[0n",
    "\x1b]11;rgb:0000/0000/0000\x1b\\",
    "\x1b[>1;4000;30c",
    "\x1b[?0u",
)
KEYS = (
    "a",
    "q",
    "\x1b[A",
    "\x1b[1;5C",
    "\x1bOP",
    "\x1b[15~",
    "\x1b[200~pasted c\x1b[201~",
    "\x1b[<0;3;4M",
    "\x1b[I",
    "é",
    "\r",
)


def test_all_answers_are_read_from_one_piece() -> None:
    replies = parse_replies("typed" + "".join(ANSWERS))
    assert replies.attributes == (62, 4, 22)
    assert replies.version == "kitty(0.41.1)"
    assert replies.kitty
    assert replies.cell == (9, 18)
    assert replies.sixel_limit == (1000, 800)
    assert replies.keeps_truecolor


@pytest.mark.parametrize(
    ("answer", "keeps"),
    [
        ("\x1bP1$r0;38;2;1;2;3m\x1b\\", True),
        ("\x1bP1$r0;38:2::1:2:3m\x1b\\", True),
        ("\x1bP1$r38:2:1:2:3m\x1b\\", True),
        ("\x1bP1$r0;38:5:16m\x1b\\", False),
        ("\x1bP1$r0m\x1b\\", False),
        ("\x1bP0$r\x1b\\", False),
    ],
)
def test_a_colour_that_comes_back_rounded_is_told_from_one_that_does_not(answer: str, keeps: bool) -> None:
    assert parse_replies(answer).keeps_truecolor is keeps


def test_an_error_about_pictures_is_no_yes() -> None:
    assert not parse_replies("\x1b_Gi=31;ENOTSUPPORTED:no\x1b\\").kitty


def test_a_question_for_the_terminal_outside_is_wrapped_for_tmux() -> None:
    assert through_tmux("\x1b[5n") == "\x1bPtmux;\x1b\x1b[5n\x1b\\"


@given(st.lists(st.sampled_from(ANSWERS + KEYS), max_size=12), st.data())
def test_however_input_is_cut_answers_vanish_and_keys_stay(parts: list[str], data: st.DataObject) -> None:
    text = "".join(parts)
    cuts = sorted(data.draw(st.sets(st.integers(0, len(text)), max_size=6)))
    replies, keys, now = ReplyFilter(), "", 0.0
    for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True):
        keys += replies.feed(text[start:end], now)
        now += 0.01
    keys += replies.feed("", now) + replies.expire(now + 1)
    assert keys == "".join(part for part in parts if part in KEYS)


@pytest.mark.parametrize("key", ["\x1b", "\x1b[", "\x1bP", "\x1b_", "\x1b]"])
def test_escape_and_alt_keys_come_through_after_a_moment(key: str) -> None:
    replies = ReplyFilter()
    assert replies.feed(key, 10.0) == ""
    assert replies.expire(10.05) == ""
    assert replies.expire(10.2) == key
    assert replies.expire(10.3) == ""


def test_an_answer_that_breaks_off_is_dropped() -> None:
    replies = ReplyFilter()
    assert replies.feed("\x1b[?62;4", 0.0) == ""
    assert replies.expire(5.0) == ""
    assert replies.feed("j", 5.1) == "j"


def test_an_answer_in_two_pieces_a_second_apart_is_no_key() -> None:
    replies = ReplyFilter()
    assert replies.feed("\x1bP>|kit", 0.0) + replies.expire(1.0) + replies.feed("ty(0.41.1)\x1b\\x", 1.1) == "x"
