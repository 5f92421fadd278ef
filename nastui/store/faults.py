"""SQLite's errors, said in nastui's words."""

from __future__ import annotations

import shlex
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nastui.errors import NotARun, StoreError, StoreFull, StoreLocked

_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT}
_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL}
_UNWRITABLE = {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH}


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn what SQLite and zlib raise about the file at `path` into a StoreError; other errors pass through.

    Errors that only a fault of nastui can cause (a wrong statement, a broken constraint) stay what they are.
    """
    try:
        yield
    except sqlite3.DatabaseError as exc:
        error = _error(path, exc)
        if error is None:
            raise
        raise error from exc
    except zlib.error as exc:
        raise damaged(path, str(exc)) from exc


def damaged(path: Path, what: str) -> NotARun:
    """The error for a file that has lost a part of itself."""
    return NotARun(f"{path} is damaged: {what}.", hint="Take an undamaged copy of it, or scan again into another file.")


def unwritable(path: Path, why: str) -> StoreFull:
    """The error for a file or folder that does not let itself be written."""
    folder = path.parent
    if folder.exists() and not folder.is_dir():
        return StoreFull(f"{path} cannot be written: {folder} is a file, not a folder.", hint="Choose another place.")
    if not folder.exists():
        return StoreFull(
            f"{path} cannot be written: the folder {folder} does not exist.",
            hint=f"Make it: mkdir -p {shlex.quote(str(folder))}",
        )
    return StoreFull(f"{path} cannot be written: {why}.", hint="Make its folder writable, or choose another one.")


def check_folder(path: Path) -> None:
    """Raise StoreFull where there is no folder for the file `path`."""
    if not path.parent.is_dir():
        raise unwritable(path, "there is no such folder")


def _error(path: Path, exc: sqlite3.DatabaseError) -> StoreError | None:
    extended = getattr(exc, "sqlite_errorcode", None)
    code = None if extended is None else extended & 0xFF  # the low byte is the kind, the rest says more
    if code == sqlite3.SQLITE_NOTADB:
        return NotARun(f"{path} is not a nastui run: it is not an SQLite file.", hint=_HOW_TO_GET_A_RUN)
    if code in _DAMAGED or _lacks_a_part(exc):
        return damaged(path, str(exc))
    if code in _BUSY:
        return StoreLocked(f"{path} is being written by another program.", hint="Try again when that has ended.")
    if code == sqlite3.SQLITE_FULL:
        return StoreFull(
            f"{path} cannot grow: the disk is full.",
            hint="Free some space and run the same command again: it goes on where the file ends.",
        )
    if code in _UNWRITABLE:
        return unwritable(path, str(exc))
    if code == sqlite3.SQLITE_IOERR:
        return StoreFull(
            f"{path} cannot be read or written: {exc} ({exc.sqlite_errorname}).",
            hint="Look whether the disk is full, gone or failing.",
        )
    return None


def _lacks_a_part(exc: sqlite3.DatabaseError) -> bool:
    return isinstance(exc, sqlite3.OperationalError) and str(exc).startswith(("no such table", "no such column"))


_HOW_TO_GET_A_RUN = "`nastui scan` and `nastui demo` make runs; their files end in .nas.db."
