"""Asking the terminal, once, before the interface starts: all questions in one write, one wait for all answers."""

from __future__ import annotations

import fcntl
import os
import re
import select
import struct
import termios
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from time import monotonic

from nastui.errors import TerminalError
from nastui.terminal.choose import in_tmux
from nastui.terminal.record import Replies
from nastui.terminal.replies import (
    OUTER_QUESTIONS,
    QUESTIONS,
    REPLY,
    is_complete,
    is_outer_complete,
    parse_replies,
    through_tmux,
)
from nastui.terminal.tmux import ask_tmux

PATIENCE = 2.5  # seconds: an ssh link through a satellite takes 0.7
_NEAR = 0.3  # seconds more than tmux took, for the terminal that tmux is shown in
_STRAGGLERS = 0.015  # seconds: answers need not come in the order of the questions
_MUTE_TERM = re.compile(r"linux|dumb")  # would print some of the questions
_CLEAR_LINE = "\r\x1b[K"  # wipes what a terminal printed of a question that it did not understand


@dataclass(frozen=True, slots=True)
class Probe:
    """What was answered, and what a person typed meanwhile (with any answer that broke off)."""

    replies: Replies
    typed: str = ""


def probe(environ: Mapping[str, str], *, patience: float = PATIENCE) -> Probe:
    """Ask the terminal of this process what it is. Waits for the last answer, at most `patience` seconds.

    Works without stdin and stdout being terminals. Raises TerminalError where the process has no terminal at all.
    """
    try:
        tty = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY)
    except OSError as error:
        raise TerminalError(
            "There is no terminal here.", hint="Start nastui in a terminal, not from a job without one."
        ) from error
    try:
        if _MUTE_TERM.match(environ.get("TERM", "")):
            return Probe(Replies(window_cell=window_cell(tty)))
        with listening(tty):
            return _ask_all(tty, environ, patience)
    finally:
        os.close(tty)


def _ask_all(tty: int, environ: Mapping[str, str], patience: float) -> Probe:
    text, took = _exchange(tty, "\r" + QUESTIONS + _CLEAR_LINE, is_complete, patience)
    replies = replace(parse_replies(text), window_cell=window_cell(tty), round_trip=took)
    typed = REPLY.sub("", text)
    if in_tmux(replies, environ):
        replies, more = _ask_outside(tty, environ, replies, patience)
        typed += more
    return Probe(replies, typed)


def _ask_outside(tty: int, environ: Mapping[str, str], replies: Replies, patience: float) -> tuple[Replies, str]:
    """Ask the terminal that tmux is shown in, where tmux passes questions on."""
    state = ask_tmux(environ)
    if state is not None:
        replies = replace(replies, tmux_features=state.features)
        if not state.passes:
            return replies, ""
    elif environ.get("TMUX") is None:  # tmux is at the near end of ssh: beside the terminal that it is shown in
        patience = min(patience, 2 * (replies.round_trip or 0) + _NEAR)
    text, _ = _exchange(tty, through_tmux(OUTER_QUESTIONS), is_outer_complete, patience)
    answered = REPLY.search(text) is not None
    return replace(replies, outer=parse_replies(text) if answered else None), REPLY.sub("", text)


def _exchange(tty: int, questions: str, is_over: Callable[[str], bool], patience: float) -> tuple[str, float | None]:
    """Write `questions` and collect what comes until `is_over`, or for `patience` seconds.

    Returns it with the seconds that it took, None where it was not over in time.
    """
    started, data, took = monotonic(), b"", None
    deadline = started + patience
    pending = questions.encode()
    while pending:
        pending = pending[os.write(tty, pending) :]
    while (left := deadline - monotonic()) > 0:
        if not select.select([tty], [], [], left)[0]:
            break
        piece = os.read(tty, 4096)
        data += piece
        if not piece:
            break
        if is_over(data.decode(errors="replace")):
            took = took or monotonic() - started
            deadline = min(deadline, monotonic() + _STRAGGLERS)
    return data.decode(errors="replace"), took


@contextmanager
def listening(tty: int) -> Iterator[None]:
    """The terminal neither echoes nor waits for the end of a line; put back as it was afterwards."""
    before = termios.tcgetattr(tty)
    now = termios.tcgetattr(tty)
    now[0] &= ~termios.ICRNL
    now[3] &= ~(termios.ECHO | termios.ICANON)
    now[6][termios.VMIN], now[6][termios.VTIME] = 1, 0
    termios.tcsetattr(tty, termios.TCSANOW, now)
    try:
        yield
    finally:
        with suppress(termios.error):  # the terminal may be gone by now
            termios.tcsetattr(tty, termios.TCSANOW, before)


def window_cell(tty: int) -> tuple[int, int] | None:
    """Pixels (width, height) of a cell by the size that the window has for the kernel, None where it has none."""
    try:
        rows, columns, width, height = struct.unpack("4H", fcntl.ioctl(tty, termios.TIOCGWINSZ, bytes(8)))
    except OSError:
        return None
    return (width // columns, height // rows) if rows and columns and width and height else None
