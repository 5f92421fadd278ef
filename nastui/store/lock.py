"""The lock that lets one process at a time write activations, measures, bases and the like into a file."""

from __future__ import annotations

import fcntl
import os
import shlex
import socket
import sys
from contextlib import suppress
from pathlib import Path

from nastui.errors import StoreLocked
from nastui.store.faults import unwritable

_MOST_BYTES = 300


class WriterLock:
    """Held by the one process that writes a run's activations; gone when that process is, however it ends.

    It is a lock of the kernel's on the file `.NAME.lock` beside the run, in which stands who holds it. The run itself
    must not be opened past SQLite: closing any handle of a file drops all of SQLite's own locks on it. Reviewers need
    no such lock.
    """

    def __init__(self, path: Path) -> None:
        """Take the lock for the run at `path`. Raises StoreLocked at once where another process holds it."""
        self._path = _beside(path)
        while True:
            handle = self._open(path)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as exc:
                holder = os.pread(handle, _MOST_BYTES, 0).decode(errors="replace")
                os.close(handle)
                raise StoreLocked(
                    f"{path} is being written by {holder or 'another process'}.",
                    hint="Wait until it has ended, or stop it.",
                ) from exc
            if self._is_current(handle):
                self._handle: int | None = handle
                with suppress(OSError):  # on a full disk it holds without a name
                    os.truncate(handle, 0)  # a killed holder has left its own
                    os.pwrite(handle, _who_we_are(), 0)
                return
            os.close(handle)  # the holder before us removed the file between our opening and locking it

    def release(self) -> None:
        """Let the next one in, and remove the lock's file. A second call does nothing."""
        if self._handle is not None:
            self._path.unlink(missing_ok=True)
            os.close(self._handle)
            self._handle = None

    def __enter__(self) -> WriterLock:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def _open(self, path: Path) -> int:
        try:
            return os.open(self._path, os.O_CREAT | os.O_RDWR, 0o666)
        except OSError as exc:
            raise unwritable(path, (exc.strerror or str(exc)).lower()) from exc

    def _is_current(self, handle: int) -> bool:
        try:
            return os.path.samestat(os.fstat(handle), self._path.stat())
        except FileNotFoundError:
            return False


def is_locked(path: Path) -> bool:
    """Whether a process holds the lock for the run at `path`, as far as this one can see."""
    try:
        handle = os.open(_beside(path), os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(handle)
    return False


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name}.lock")


def _who_we_are() -> bytes:
    """`process 4242 on node7: nastui measure run.nas.db`"""
    program, *arguments = sys.argv or [""]
    name = "nastui" if Path(program).name == "__main__.py" else Path(program).name or "Python"
    words = f"process {os.getpid()} on {socket.gethostname()}: {shlex.join([name, *arguments])}"
    return words.encode(errors="backslashreplace")[:_MOST_BYTES]
