"""A program run in a pseudo-terminal that counts what it writes: for first paint, bytes a key, and bytes at rest."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Sequence
from types import TracebackType

# What a plain terminal of 9 x 18 pixel cells answers; a program that asks for more gets silence.
ANSWERS = {b"\x1b[c": b"\x1b[?62;22c", b"\x1b[16t": b"\x1b[6;18;9t"}


class PseudoTerminal:
    """`command` with a terminal of `columns` x `rows` around it. Everything it wrote so far is in `.output`."""

    def __init__(self, command: Sequence[str], *, columns: int = 120, rows: int = 50) -> None:
        self.output = bytearray()
        self._answered = 0
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, columns * 9, rows * 18))
        environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
        environment.pop("NO_COLOR", None)
        self.started = time.perf_counter()
        self._process = subprocess.Popen(
            list(command),
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=environment,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # so that /dev/tty is this terminal
        )
        os.close(slave)

    def __enter__(self) -> PseudoTerminal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        os.close(self._master)

    def press(self, keys: bytes) -> None:
        """Type `keys`, as the terminal would send them."""
        os.write(self._master, keys)

    def wait_for(self, text: bytes, *, timeout: float = 30) -> float:
        """Seconds from the program's start until it has written `text`. Raises TimeoutError with its last words."""
        deadline = time.perf_counter() + timeout
        while text not in self.output:
            if not self._read(deadline):
                raise TimeoutError(
                    f"{text!r} did not come within {timeout} s; the last was {bytes(self.output[-600:])!r}"
                )
        return time.perf_counter() - self.started

    def count(self, seconds: float) -> int:
        """The bytes that it writes during the next `seconds`."""
        before = len(self.output)
        deadline = time.perf_counter() + seconds
        while self._read(deadline):
            pass
        return len(self.output) - before

    def settle(self, quiet: float = 0.3, *, timeout: float = 20) -> int:
        """Wait until nothing has come for `quiet` seconds; the bytes that came until then."""
        before = len(self.output)
        deadline = time.perf_counter() + timeout
        while time.perf_counter() < deadline and self._read(time.perf_counter() + quiet):
            pass
        return len(self.output) - before

    def last_byte_within(self, quiet: float) -> float:
        """Wait until nothing has come for `quiet` seconds; when the last byte came, by time.perf_counter."""
        last = time.perf_counter()
        while self._read(time.perf_counter() + quiet):
            last = time.perf_counter()
        return last

    def _read(self, deadline: float) -> bool:
        """Take what has come, or wait for it until `deadline`; False where there was nothing or the program ended."""
        ready, _, _ = select.select([self._master], [], [], max(0.0, deadline - time.perf_counter()))
        if not ready:
            return False
        try:
            self.output += os.read(self._master, 65_536)
        except OSError:  # Linux says EIO where others say end of file
            return False
        self._answer()
        return True

    def _answer(self) -> None:
        for question, answer in ANSWERS.items():
            if self.output.find(question, max(0, self._answered - len(question) + 1)) >= 0:
                os.write(self._master, answer)
        self._answered = len(self.output)
