"""From what the terminal answered, the environment and the options to one Terminal record. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import cast

from nastui.errors import UsageError
from nastui.palette import ColourDepth
from nastui.terminal.record import (
    COLOUR_CHOICES,
    DEFAULT_CELL,
    IMAGE_CHOICES,
    Images,
    Replies,
    Terminal,
)

# Names as XTVERSION gives them, of terminals known to show 24-bit colours unrounded.
_TRUECOLOR_VERSION = re.compile(r"kitty|ghostty|foot|wezterm|iterm2|contour|konsole|vte|rio|mintty|alacritty", re.I)
_TRUECOLOR_TERM = re.compile(r"(xterm-)?(kitty|ghostty)|foot|alacritty|wezterm|contour|rio|iterm|.*-direct")
_SIXTEEN_TERM = re.compile(r"linux|ansi|cons25|pcansi|rxvt$|xterm-16color")
_NO_COLOUR_TERM = re.compile(r"dumb$|vt[1-5]\d\d|.*-m(ono)?$")
_PLACEHOLDER_VERSION = re.compile(r"(?P<kitty>kitty\((\d+)\.(\d+))|ghostty|rio\b", re.I)
_PLACEHOLDER_TERM = re.compile(r"xterm-(kitty|ghostty)$")
_XTERM_LIMIT = 1000, 1000  # maxGraphicSize as xterm sets it


def decide(
    replies: Replies, environ: Mapping[str, str], *, images: str | None = None, color: str | None = None
) -> Terminal:
    """Choose colours and pictures. `images` and `color` are the options as given, None for "not given".

    An option wins over NASTUI_IMAGES and NASTUI_COLOR, these over what was found out.
    Raises UsageError for a value that is none of the choices.
    """
    asked_images, images_by = _asked(images, environ, "--images", "NASTUI_IMAGES", IMAGE_CHOICES)
    asked_colour, colour_by = _asked(color, environ, "--color", "NASTUI_COLOR", COLOUR_CHOICES)
    depth, colour_reason = _colours(replies, environ, asked_colour, colour_by)
    driver, image_reason = _images(replies, environ, asked_images, images_by, depth)
    cell, cell_reason = cell_pixels(replies)
    limit = replies.sixel_limit or (_XTERM_LIMIT if replies.version.startswith("XTerm(") else None)
    return Terminal(
        colour_depth=depth,
        images=driver,
        cell_pixels=cell,
        sixel_limit=limit,
        round_trip=replies.round_trip,
        is_remote=is_remote(environ),
        in_tmux=in_tmux(replies, environ),
        name=replies.version or environ.get("TERM", ""),
        reasons=(f"colours {depth}: {colour_reason}", f"images {driver}: {image_reason}", cell_reason),
    )


def is_remote(environ: Mapping[str, str]) -> bool:
    """Whether the terminal is at the other end of an ssh connection."""
    return any(environ.get(name) for name in ("SSH_CONNECTION", "SSH_TTY", "SSH_CLIENT"))


def in_tmux(replies: Replies, environ: Mapping[str, str]) -> bool:
    """Whether tmux stands in between, here or at the near end of an ssh connection (then $TMUX is not set)."""
    return bool(environ.get("TMUX")) or replies.version.startswith("tmux") or environ.get("TERM", "").startswith("tmux")


def cell_pixels(replies: Replies) -> tuple[tuple[int, int], str]:
    """Pixels (width, height) of a cell, and how they are known.

    Where the two ways disagree the terminal's own answer wins: Windows' ssh gives every window 640x480 pixels.
    """
    for cell, how in ((replies.cell, "by the terminal's answer"), (replies.window_cell, "by the window's size")):
        if cell is not None and 4 <= cell[0] <= 64 and 8 <= cell[1] <= 128:
            return cell, f"cell {cell[0]}x{cell[1]} pixels: {how}"
    return DEFAULT_CELL, f"cell {DEFAULT_CELL[0]}x{DEFAULT_CELL[1]} pixels: assumed, the terminal does not say"


def _asked(
    option: str | None, environ: Mapping[str, str], name: str, variable: str, choices: tuple[str, ...]
) -> tuple[str, str]:
    """The value that was asked for and by what; ("auto", "") where nothing was."""
    value, source = (option, name) if option is not None else (environ.get(variable, ""), variable)
    if value in ("", "auto"):
        return "auto", ""
    if value not in choices:
        raise UsageError(f"{source} is '{value}'.", hint=f"It can be {', '.join(choices[:-1])} or {choices[-1]}.")
    return value, source


def _colours(replies: Replies, environ: Mapping[str, str], asked: str, source: str) -> tuple[ColourDepth, str]:
    term = environ.get("TERM", "")
    if asked != "auto":
        return cast(ColourDepth, asked), f"asked for by {source}"
    if environ.get("NO_COLOR"):
        return "none", "NO_COLOR is set"
    if _NO_COLOUR_TERM.match(term):
        return "none", f"TERM={term} has no colours"
    if _SIXTEEN_TERM.match(term):
        return "16", f"TERM={term} has 16"
    if replies.tmux_features is not None:
        if "RGB" in replies.tmux_features:
            return "truecolor", "tmux says that the terminal outside has RGB"
        return "256", "tmux does not say that the terminal outside has RGB"
    if environ.get("COLORTERM") in ("truecolor", "24bit"):
        return "truecolor", f"COLORTERM={environ['COLORTERM']}"
    if _TRUECOLOR_VERSION.match(replies.version):
        return "truecolor", f"the terminal is {replies.version}"
    if _TRUECOLOR_TERM.match(term):
        return "truecolor", f"TERM={term}"
    if replies.keeps_truecolor:
        return "truecolor", "the terminal gave back a 24-bit colour unrounded"
    return "256", "nothing says that there are more"


def _images(
    replies: Replies, environ: Mapping[str, str], asked: str, source: str, depth: ColourDepth
) -> tuple[Images, str]:
    if asked == "kitty" and depth == "16":
        return "half", f"{source} asks for kitty, but 16 colours cannot carry the pictures' numbers"
    if asked != "auto":
        return cast(Images, asked), f"asked for by {source}"
    if in_tmux(replies, environ):
        return _images_in_tmux(replies, environ, depth)
    if replies.kitty and depth != "16":
        if has_placeholders(replies.version, environ.get("TERM", "")):
            return "kitty", f"{replies.version or environ.get('TERM', '')} takes kitty pictures and has placeholders"
        sixel_reason = f"{replies.version or 'it'} takes kitty pictures but has no placeholders"
    else:
        sixel_reason = "no kitty pictures"
    if replies.attributes is not None and 4 in replies.attributes:
        return "sixel", f"the terminal says it has sixel ({sixel_reason})"
    if replies.attributes is None:
        return "half", "the terminal did not answer"
    return "half", f"{sixel_reason}, no sixel"


def _images_in_tmux(replies: Replies, environ: Mapping[str, str], depth: ColourDepth) -> tuple[Images, str]:
    """Sixel is never chosen here: tmux claims it whatever terminal it is in, and keeps 20 pictures at most."""
    outer = replies.outer
    if outer is None:
        return "half", "in tmux, which passes no pictures on (tmux set -g allow-passthrough on lets it)"
    if not outer.kitty or not has_placeholders(outer.version, ""):
        return "half", f"in tmux, and the terminal outside ({outer.version or 'unnamed'}) has no kitty placeholders"
    if depth == "16":
        return "half", "16 colours cannot carry the numbers of kitty pictures"
    return "kitty", f"in tmux, which passes pictures on to {outer.version}"


def has_placeholders(version: str, term: str) -> bool:
    """Whether the terminal places kitty pictures by placeholder characters: kitty from 0.28, Ghostty, Rio.

    Konsole, WezTerm and Warp take the pictures but would show boxes. Source: kitty's changelog, yazi's drivers table.
    """
    if match := _PLACEHOLDER_VERSION.match(version):
        return not match["kitty"] or (int(match[2]), int(match[3])) >= (0, 28)
    return not version and _PLACEHOLDER_TERM.match(term) is not None
