"""What was found out about the terminal, as text for a person."""

from __future__ import annotations

import os
from collections.abc import Mapping

from nastui.errors import TerminalError
from nastui.terminal.choose import decide
from nastui.terminal.probe import probe
from nastui.terminal.record import Replies, Terminal

_VARIABLES = (
    "TERM", "COLORTERM", "TERM_PROGRAM", "NO_COLOR", "NASTUI_COLOR", "NASTUI_IMAGES",
    "TMUX", "STY", "ZELLIJ", "SSH_CONNECTION", "SSH_TTY", "LANG", "LC_ALL",
)  # fmt: skip


def describe_terminal(*, images: str | None = None, color: str | None = None) -> str:
    """Ask the terminal and say what it answered, what nastui makes of it, and why. For `nastui doctor`."""
    try:
        replies = probe(os.environ).replies
    except TerminalError as error:
        return f"terminal: none ({error.message})"
    return describe(replies, decide(replies, os.environ, images=images, color=color), os.environ)


def describe(replies: Replies, terminal: Terminal, environ: Mapping[str, str]) -> str:
    """The same for answers that are there already. Pure."""
    lines = ["environment"]
    lines += [f"  {name}={environ[name]!r}" for name in _VARIABLES if environ.get(name)]
    lines += ["answers of the terminal", *_answers(replies)]
    if replies.outer is not None:
        lines += ["answers of the terminal outside tmux", *_name_and_pictures(replies.outer)]
    lines += ["what follows", *(f"  {reason}" for reason in terminal.reasons)]
    if terminal.is_remote:
        lines.append("  through ssh: no animations, fewer frames, 64 colours in sixel, no tracking of the mouse")
    return "\n".join(_printable(line) for line in lines)


def _answers(replies: Replies) -> list[str]:
    if replies.round_trip is None and not replies.version and replies.attributes is None:
        return ["  none"]
    attributes = ";".join(map(str, replies.attributes or ())) or "no answer"
    round_trip = "no last answer" if replies.round_trip is None else f"{replies.round_trip * 1000:.0f} ms"
    lines = [
        *_name_and_pictures(replies),
        f"  round trip        {round_trip}",
        f"  attributes (DA1)  {attributes}" + (" (4 is sixel)" if 4 in (replies.attributes or ()) else ""),
        f"  24-bit colour     {'kept' if replies.keeps_truecolor else 'not kept, or no answer'}",
        f"  cell              {_pixels(replies.cell)} by CSI 16 t, {_pixels(replies.window_cell)} by the window's size",
        f"  largest sixel     {_pixels(replies.sixel_limit)}",
    ]
    if replies.tmux_features is not None:
        lines.append(f"  tmux's features   {', '.join(sorted(replies.tmux_features)) or 'none'}")
    return lines


def _name_and_pictures(replies: Replies) -> list[str]:
    return [
        f"  name (XTVERSION)  {replies.version or 'no answer'}",
        f"  kitty pictures    {'yes' if replies.kitty else 'no answer'}",
    ]


def _pixels(size: tuple[int, int] | None) -> str:
    return "no answer" if size is None else f"{size[0]}x{size[1]}"


def _printable(line: str) -> str:
    return "".join(char if char.isprintable() else "·" for char in line)
