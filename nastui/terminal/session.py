"""The time from before the interface starts until after it has ended: the terminal is asked first and left sane."""

from __future__ import annotations

import os
import signal
import sys
import termios
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager, suppress
from dataclasses import replace

from nastui.errors import TerminalError
from nastui.terminal.choose import decide
from nastui.terminal.probe import listening, probe
from nastui.terminal.record import Terminal

_STREAMS = ("stdin", "stdout", "stderr")
_TEXTUAL_COLOURS = {"truecolor": "truecolor", "256": "256", "16": "standard", "none": "256"}

# Out of every mode that the interface sets: mouse, focus, paste, size reports, kitty's keyboard, other screen.
_SANE = (
    "\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?1015l\x1b[?1016l\x1b[?1004l\x1b[?2004l\x1b[?2026l\x1b[?2048l"
    "\x1b[<u\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l"
)


OTHER_SCREEN = "\x1b[?1049h"
_NO_CURSOR = "\x1b[?25l"


class Screen:
    """Whether the terminal is in the interface's modes; the driver says so."""

    def __init__(self) -> None:
        self.is_in_use = False

    def show(self, page: str) -> None:
        """Go to the terminal's other screen and write `page` there, in one piece; the driver goes on from that."""
        for number in (signal.SIGHUP, signal.SIGTERM):
            signal.signal(number, _end)  # until the driver takes them over
        self.is_in_use = True
        pending = memoryview((OTHER_SCREEN + _NO_CURSOR + page).encode())
        with suppress(OSError):  # the terminal is gone: the driver will find out
            while pending:
                pending = pending[os.write(2, pending) :]

    def leave(self) -> None:
        """Take the terminal out of all modes, where the driver could not."""
        if self.is_in_use:
            self.is_in_use = False
            with suppress(OSError):
                os.write(2, _SANE.encode())


SCREEN = Screen()


def _end(number: int, _: object) -> None:
    sys.exit(128 + number)


@contextmanager
def open_terminal(*, images: str | None = None, color: str | None = None) -> Iterator[Terminal]:
    """Ask the terminal, prepare the environment for Textual, and leave the terminal as it was found.

    To be entered before Textual is imported. Raises TerminalError where there is no terminal that can show the
    interface, UsageError where an option or a variable has a value that makes no sense.
    """
    require_terminal(os.environ)
    with listening(0):  # until the very end: answers that come late are never echoed
        found = probe(os.environ)
        terminal = replace(decide(found.replies, os.environ, images=images, color=color), typed=found.typed)
        prepare_environment(terminal, os.environ)
        try:
            yield terminal
        finally:
            SCREEN.leave()
            with suppress(termios.error):
                termios.tcflush(0, termios.TCIFLUSH)


def require_terminal(environ: Mapping[str, str]) -> None:
    """Raise TerminalError unless stdin, stdout and stderr are a terminal that can show the interface."""
    missing = [name for descriptor, name in enumerate(_STREAMS) if not _is_terminal(descriptor)]
    if missing:
        verb = "is not a terminal" if len(missing) == 1 else "are not terminals"
        raise TerminalError(
            f"The interface needs a terminal, and {' and '.join(missing)} {verb}.",
            hint="Run it without a pipe or redirection. For scripts: nastui layers, units or show with --json.",
        )
    term = environ.get("TERM", "")
    if term in ("", "dumb", "unknown"):
        raise TerminalError(
            f"The terminal cannot show the interface: TERM is {term or 'not set'}.",
            hint="Set TERM to what your terminal is (TERM=xterm-256color fits most), or use another terminal.",
        )


def _is_terminal(descriptor: int) -> bool:
    try:
        return os.isatty(descriptor)
    except OSError:
        return False


def prepare_environment(terminal: Terminal, environ: MutableMapping[str, str]) -> None:
    """Tell Textual, which reads the environment when it is imported, what was found out.

    What a person has set for Textual stays. Through ssh there are no animations and fewer frames.
    """
    has_few = terminal.colour_depth == "none" and environ.get("TERM", "").startswith(("linux", "vt"))
    environ["TEXTUAL_COLOR_SYSTEM"] = "standard" if has_few else _TEXTUAL_COLOURS[terminal.colour_depth]
    if terminal.colour_depth == "none":
        environ["NO_COLOR"] = "1"
    else:
        environ.pop("NO_COLOR", None)
    if terminal.is_remote:
        environ.setdefault("TEXTUAL_ANIMATIONS", "none")
        environ.setdefault("TEXTUAL_FPS", "20")
