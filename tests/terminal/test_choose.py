"""From answers, environment and options to colours and pictures, by table."""

from __future__ import annotations

import pytest

from nastui.errors import UsageError
from nastui.terminal import Replies, decide
from nastui.terminal.choose import cell_pixels, has_placeholders
from nastui.terminal.doctor import describe
from nastui.terminal.session import prepare_environment

KITTY = Replies(attributes=(62,), version="kitty(0.41.1)", kitty=True)
OLD_KITTY = Replies(attributes=(62,), version="kitty(0.26.5)", kitty=True)
KONSOLE = Replies(attributes=(62, 1, 4), version="Konsole 25.04.0", kitty=True)
XTERM = Replies(attributes=(63, 1, 2, 4, 6, 9, 15, 16, 22), version="XTerm(398)")
FOOT = Replies(attributes=(62, 4, 22), version="foot(1.16.2)")
MLTERM = Replies(attributes=(63, 1, 2, 3, 4, 7, 29))
PLAIN = Replies(attributes=(62, 22))
TMUX = Replies(attributes=(1, 2, 4), version="tmux 3.5a")
TMUX_RGB = Replies(attributes=(1, 2), version="tmux 3.5a", tmux_features=frozenset({"256", "RGB"}))
TMUX_IN_KITTY = Replies(
    attributes=(1, 2, 4),
    version="tmux 3.5a",
    tmux_features=frozenset({"RGB"}),
    outer=Replies(version="kitty(0.41.1)", kitty=True),
)
TMUX_IN_FOOT = Replies(attributes=(1, 2, 4), version="tmux 3.5a", outer=Replies(version="foot(1.16.2)"))


@pytest.mark.parametrize(
    ("replies", "environ", "images"),
    [
        (KITTY, {"TERM": "xterm-kitty"}, "kitty"),
        (KITTY, {"TERM": "xterm-256color"}, "kitty"),
        (OLD_KITTY, {"TERM": "xterm-kitty"}, "half"),
        (Replies(attributes=(62,), kitty=True), {"TERM": "xterm-ghostty"}, "kitty"),
        (Replies(attributes=(62,), kitty=True), {"TERM": "xterm-256color"}, "half"),
        (KONSOLE, {"TERM": "xterm-256color"}, "sixel"),
        (XTERM, {"TERM": "xterm-256color"}, "sixel"),
        (MLTERM, {"TERM": "xterm-256color"}, "sixel"),
        (FOOT, {"TERM": "foot"}, "sixel"),
        (PLAIN, {"TERM": "xterm-256color"}, "half"),
        (Replies(), {"TERM": "xterm-256color"}, "half"),
        (TMUX, {"TERM": "tmux-256color", "TMUX": "/tmp/x,1,0"}, "half"),
        (TMUX, {"TERM": "tmux-256color"}, "half"),
        (TMUX, {"TERM": "screen-256color"}, "half"),
        (TMUX_IN_FOOT, {"TERM": "tmux-256color"}, "half"),
        (TMUX_IN_KITTY, {"TERM": "tmux-256color"}, "kitty"),
        (KITTY, {"TERM": "xterm-kitty", "NASTUI_IMAGES": "half"}, "half"),
        (KITTY, {"TERM": "xterm-kitty", "NASTUI_IMAGES": ""}, "kitty"),
        (KITTY, {"TERM": "xterm-kitty", "NASTUI_COLOR": "16"}, "half"),
        (PLAIN, {"TERM": "linux", "NASTUI_IMAGES": "sixel"}, "sixel"),
    ],
)
def test_pictures_are_chosen_by_what_the_terminal_can_place(
    replies: Replies, environ: dict[str, str], images: str
) -> None:
    assert decide(replies, environ).images == images


@pytest.mark.parametrize(
    ("replies", "environ", "depth"),
    [
        (PLAIN, {"TERM": "xterm-256color", "COLORTERM": "truecolor"}, "truecolor"),
        (PLAIN, {"TERM": "xterm", "COLORTERM": "24bit"}, "truecolor"),
        (KITTY, {"TERM": "xterm-256color"}, "truecolor"),
        (FOOT, {"TERM": "xterm"}, "truecolor"),
        (Replies(), {"TERM": "alacritty"}, "truecolor"),
        (Replies(), {"TERM": "xterm-direct"}, "truecolor"),
        (Replies(keeps_truecolor=True), {"TERM": "xterm"}, "truecolor"),
        (XTERM, {"TERM": "xterm-256color"}, "256"),
        (Replies(), {"TERM": "xterm"}, "256"),
        (TMUX, {"TERM": "tmux-256color"}, "256"),
        (TMUX_RGB, {"TERM": "tmux-256color"}, "truecolor"),
        (Replies(tmux_features=frozenset({"256"})), {"TERM": "tmux-256color", "COLORTERM": "truecolor"}, "256"),
        (Replies(), {"TERM": "linux"}, "16"),
        (Replies(), {"TERM": "vt220"}, "none"),
        (Replies(), {"TERM": "dumb"}, "none"),
        (KITTY, {"TERM": "xterm-kitty", "NO_COLOR": "1"}, "none"),
        (KITTY, {"TERM": "xterm-kitty", "NO_COLOR": ""}, "truecolor"),
        (KITTY, {"TERM": "xterm-kitty", "NO_COLOR": "1", "NASTUI_COLOR": "256"}, "256"),
    ],
)
def test_colours_are_chosen_by_more_than_term(replies: Replies, environ: dict[str, str], depth: str) -> None:
    assert decide(replies, environ).colour_depth == depth


def test_an_option_wins_over_its_variable_and_both_over_what_was_found() -> None:
    environ = {"TERM": "xterm-kitty", "NASTUI_IMAGES": "sixel", "NASTUI_COLOR": "16"}
    terminal = decide(KITTY, environ, images="none", color="256")
    assert (terminal.images, terminal.colour_depth) == ("none", "256")
    assert "--images" in terminal.reasons[1]
    assert "NASTUI_COLOR" in decide(KITTY, environ).reasons[0]
    assert decide(KITTY, environ, images="auto", color="auto").images == "kitty"


@pytest.mark.parametrize(("environ", "color"), [({"NASTUI_COLOR": "lots"}, None), ({}, "lots")])
def test_a_value_that_makes_no_sense_is_named_with_the_choices(environ: dict[str, str], color: str | None) -> None:
    with pytest.raises(UsageError, match=r"'lots'") as caught:
        decide(PLAIN, environ, color=color)
    assert "truecolor, 256, 16 or none" in caught.value.hint


@pytest.mark.parametrize(
    ("cell", "window", "pixels"),
    [
        ((9, 18), (9, 18), (9, 18)),
        ((9, 18), (8, 20), (9, 18)),  # Windows' ssh makes up the window's pixels
        (None, (7, 15), (7, 15)),
        ((0, 0), (7, 15), (7, 15)),  # tmux that does not know
        (None, (700, 15), (10, 20)),
        (None, None, (10, 20)),
    ],
)
def test_the_size_of_a_cell_is_taken_where_it_is_credible(
    cell: tuple[int, int] | None, window: tuple[int, int] | None, pixels: tuple[int, int]
) -> None:
    assert cell_pixels(Replies(cell=cell, window_cell=window))[0] == pixels


def test_xterm_that_does_not_say_takes_sixels_of_a_thousand_pixels() -> None:
    assert decide(XTERM, {"TERM": "xterm"}).sixel_limit == (1000, 1000)
    assert decide(FOOT, {"TERM": "foot"}).sixel_limit is None


@pytest.mark.parametrize(
    ("version", "has"),
    [
        ("kitty(0.28.0)", True),
        ("kitty(0.27.1)", False),
        ("kitty(1.0.0)", True),
        ("ghostty 1.1.0", True),
        ("WezTerm 2024", False),
    ],
)
def test_placeholders_are_known_by_name_and_version(version: str, has: bool) -> None:
    assert has_placeholders(version, "") is has


def test_doctor_says_what_was_found_and_why_and_prints_no_control_codes() -> None:
    environ = {"TERM": "xterm-kitty", "COLORTERM": "true\x1b[31mcolor", "SSH_CONNECTION": "1 2 3 4"}
    replies = Replies(attributes=(62, 4), version="kitty(0.41.1)\x07", kitty=True, round_trip=0.123, cell=(9, 18))
    text = describe(replies, decide(replies, environ), environ)
    for part in (
        "123 ms",
        "kitty(0.41.1)",
        "62;4 (4 is sixel)",
        "images kitty: ",
        "colours truecolor: ",
        "9x18",
        "ssh",
    ):
        assert part in text
    assert "\x1b" not in text
    assert "\x07" not in text


def test_doctor_says_what_answered_outside_tmux() -> None:
    environ = {"TERM": "tmux-256color"}
    text = describe(TMUX_IN_KITTY, decide(TMUX_IN_KITTY, environ), environ)
    assert "outside tmux" in text
    assert "tmux's features   RGB" in text


def test_textual_is_told_the_colours_and_spared_the_animations_through_ssh() -> None:
    environ = {"TERM": "xterm-kitty", "NO_COLOR": "", "SSH_TTY": "/dev/pts/1", "TEXTUAL_FPS": "7"}
    prepare_environment(decide(KITTY, environ), environ)
    assert environ["TEXTUAL_COLOR_SYSTEM"] == "truecolor"
    assert "NO_COLOR" not in environ
    assert environ["TEXTUAL_ANIMATIONS"] == "none"
    assert environ["TEXTUAL_FPS"] == "7", "what a person set stays"


def test_textual_is_told_not_to_use_colours() -> None:
    environ = {"TERM": "xterm-256color"}
    prepare_environment(decide(PLAIN, environ, color="none"), environ)
    assert environ["NO_COLOR"] == "1"
