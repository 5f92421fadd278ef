"""A pseudo-terminal that answers as a terminal of a chosen kind and distance, and keeps what it was sent."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType

import pyte

ST = "\x1b\\"
CELL = 9, 18

# What each kind of terminal answers; a question that is not named gets no answer.
KINDS: dict[str, dict[str, str]] = {
    "kitty": {
        "attributes": "\x1b[?62;c",
        "name": f"\x1bP>|kitty(0.41.1){ST}",
        "kitty": f"\x1b_Gi=31;OK{ST}",
        "cell": "\x1b[6;18;9t",
        "colour": f"\x1bP1$r0;38:2:1:2:3m{ST}",
        "sync": "\x1b[?2026;2$y",
    },
    "old kitty": {
        "attributes": "\x1b[?62;c",
        "name": f"\x1bP>|kitty(0.26.5){ST}",
        "kitty": f"\x1b_Gi=31;OK{ST}",
        "cell": "\x1b[6;18;9t",
    },
    "sixel": {
        "attributes": "\x1b[?63;1;2;4;6;9;15;16;22c",
        "name": f"\x1bP>|XTerm(398){ST}",
        "cell": "\x1b[6;18;9t",
        "limit": "\x1b[?2;0;1000;1000S",
        "colour": f"\x1bP1$r0;38:5:16m{ST}",
        "sync": "\x1b[?2026;0$y",
    },
    "plain": {"attributes": "\x1b[?62;22c"},
    "mute": {},
}

_QUESTION = re.compile(
    rb"\x1b\[(?:(?P<attributes>0?c)|(?P<name>>0?q)|(?P<cell>16t)|(?P<limit>\?2;4;0S)|(?P<status>5n)|(?P<sync>\?2026\$p))"
    rb"|\x1bP\$q(?P<colour>m)\x1b\\|\x1b_G(?P<kitty>[^;\x1b]*\ba=q[^\x1b]*)\x1b\\"
)
KITTY = re.compile(rb"\x1b_G([^;\x1b]*);?([^\x1b]*)\x1b\\")
SIXEL = re.compile(rb"\x1b\[(\d+);(\d+)H(\x1bP[\d;]*q[^\x1b]*\x1b\\)")
_UNKNOWN_TO_PYTE = re.compile(
    rb"\x1b[P_^X\]][^\x1b\x07]*(?:\x1b\\|\x07)|\x1b\[(?:[<=>][\d;]*[ -/]*[@-~]|\?[\d;]*(?:\$p|[uS])|[\d;]*[ -/]+[@-~])"
)
_PLACEHOLDER = re.compile("\U0010eeee[\u0300-\u036f\u0483-\uffff\U00010000-\U0001ffff]*")


class FakeTerminal:
    """Runs a command on a pseudo-terminal; use it with `with`, which ends the command."""

    def __init__(
        self,
        command: Sequence[str],
        kind: str = "plain",
        *,
        round_trip: float = 0.0,
        size: tuple[int, int] = (100, 30),
        env: Mapping[str, str] | None = None,
        pipes: Sequence[str] = (),
    ) -> None:
        self.written = bytearray()
        self._answers, self._round_trip = KINDS[kind], round_trip
        self._due: list[tuple[float, bytes]] = []
        self._answered = 0
        self.master, slave = pty.openpty()
        self.resize(*size)
        self.attributes_before = termios.tcgetattr(slave)
        streams = {name: subprocess.PIPE if name in pipes else slave for name in ("stdin", "stdout", "stderr")}
        self.process = subprocess.Popen(
            list(command),
            env=_environment(env or {}),
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(slave, termios.TIOCSCTTY, 0),
            **streams,  # type: ignore[call-overload]
        )
        self._slave = slave

    def __enter__(self) -> FakeTerminal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()
        self.hang_up()
        os.close(self._slave)

    def pump(self, seconds: float) -> bytes:
        """Read and answer for `seconds`; returns what was written meanwhile."""
        before, end = len(self.written), time.monotonic() + seconds
        while (now := time.monotonic()) < end:
            while self._due and self._due[0][0] <= now:
                os.write(self.master, self._due.pop(0)[1])
            until = min(end, self._due[0][0]) if self._due else end
            if select.select([self.master], [], [], max(0.0, until - now))[0]:
                try:
                    self.written += os.read(self.master, 65536)
                except OSError:
                    break
                self._answer()
        return bytes(self.written[before:])

    def wait_for(self, is_there: Callable[[], bool], seconds: float = 15.0) -> None:
        """Read and answer until `is_there`; raises AssertionError with the screen when it never is."""
        end = time.monotonic() + seconds
        while not is_there():
            assert time.monotonic() < end, f"not after {seconds} s; the screen shows\n{self.screen()}"
            assert self.process.poll() is None or self.pump(0.1), f"it ended; the screen shows\n{self.screen()}"
            self.pump(0.03)

    def wait_for_text(self, text: str, seconds: float = 15.0) -> None:
        """Read and answer until `text`, in one style, has been written."""
        self.wait_for(lambda: text.encode() in self.written, seconds)

    def settle(self, quiet: float = 0.3) -> bytes:
        """Read until nothing is written for `quiet` seconds; returns what was."""
        before = len(self.written)
        while self.pump(quiet):
            pass
        return bytes(self.written[before:])

    def press(self, keys: str, quiet: float = 0.3) -> bytes:
        """Type `keys`; returns what was written until it was quiet."""
        os.write(self.master, keys.encode())
        return self.settle(quiet)

    def end(self, seconds: float = 5.0) -> int:
        """The exit status of the command, which has to end by itself."""
        deadline = time.monotonic() + seconds
        while self.process.poll() is None and time.monotonic() < deadline:
            self.pump(0.05)
        assert self.process.poll() is not None, f"still running; the screen shows\n{self.screen()}"
        self.pump(0.05)
        return int(self.process.returncode)

    def hang_up(self) -> None:
        """Close the terminal's side, as a lost connection does."""
        if self.master >= 0:
            os.close(self.master)
            self.master = -1

    def resize(self, columns: int, rows: int) -> None:
        """Change the terminal's size, which tells the command."""
        self._size = columns, rows
        pixels = columns * CELL[0], rows * CELL[1]
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("4H", rows, columns, *pixels))

    def screen(self, since: int = 0) -> str:
        """The text on the screen, written from byte `since` on; kitty's placeholders are shown as ▒."""
        screen = pyte.Screen(*self._size)
        pyte.Stream(screen).feed(for_pyte(bytes(self.written[since:])))
        return "\n".join(line.rstrip() for line in screen.display)

    def attributes(self) -> list[object]:
        """The modes that the kernel keeps for the terminal."""
        return list(termios.tcgetattr(self._slave))

    def _answer(self) -> None:
        for match in _QUESTION.finditer(self.written, self._answered):
            self._answered = match.end()
            answer = self._answers.get(match.lastgroup or "")
            if answer:
                self._due.append((time.monotonic() + self._round_trip, answer.encode()))


def _environment(changes: Mapping[str, str]) -> dict[str, str]:
    """The environment of the tests without what describes their own terminal; an empty value unsets."""
    dropped = ("COLORTERM", "TERM_PROGRAM", "TMUX", "TMUX_PANE", "STY", "NO_COLOR", "COLUMNS", "LINES")
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in dropped and not name.startswith(("KITTY_", "SSH_", "NASTUI_", "TEXTUAL_"))
    }
    kept |= {"TERM": "xterm-256color", "LANG": "C.UTF-8"} | dict(changes)
    return {name: value for name, value in kept.items() if value}


def for_pyte(data: bytes) -> str:
    """What a program wrote without what pyte does not know; kitty's placeholders become ▒."""
    return _PLACEHOLDER.sub("▒", _UNKNOWN_TO_PYTE.sub(b"", data).decode(errors="replace"))


def sent_pictures(data: bytes) -> list[tuple[str, int]]:
    """The kitty pictures sent in `data`, in order: number and bytes."""
    pictures: list[tuple[str, int]] = []
    for keys, payload in KITTY.findall(data):
        fields = dict(part.split("=", 1) for part in keys.decode().split(","))
        if fields.get("a") == "T":
            pictures.append((fields["i"], 0))
        if "a" not in fields or fields["a"] == "T":
            number, size = pictures[-1]
            pictures[-1] = number, size + len(payload)
    return pictures


def drawn_sixels(data: bytes) -> list[tuple[int, int, int]]:
    """The sixel pictures drawn in `data`, in order: line, column (from 1) and bytes."""
    return [(int(line), int(column), len(codes)) for line, column, codes in SIXEL.findall(data)]


def python(script: str, *arguments: str) -> list[str]:
    """The command that runs a script of this folder with the tests' own interpreter."""
    return [sys.executable, str(Path(__file__).with_name(script)), *arguments]
