"""Moving what was committed from SQLite's write-ahead log into the file, beside the one who writes."""

from __future__ import annotations

import sqlite3
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Literal

from nastui.store.connection import connect
from nastui.store.schema import PAGE_SIZE

_STEP_BYTES = 16 << 20  # committed before a move is worth the two waits for the disk that it takes
_MOST_BYTES = 64 << 20  # committed during a move, or found in the log by it, before the writer waits
_PATIENCE_MS = 1000  # with readers, whose transactions are far shorter
_USUAL_PAGES = 1000  # after which SQLite moves them by itself


class Checkpointer:
    """Runs SQLite's checkpoints in a thread of its own: who writes waits neither for the copies nor for the disk.

    When they run is all that changes: as ever the log is on the disk before the file is touched, and others read and
    write meanwhile. A log can only begin anew when all of it has been moved. Where commits come so fast that it never
    is, who writes waits once it has grown too long.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        """Take over from `connection`, which writes to the run at `path`, until `close`."""
        self._path = path
        self._writing = connection
        self._writing.execute("PRAGMA wal_autocheckpoint = 0")
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="nastui-checkpoint")
        self._is_closed = False
        self._moving: Future[int] | None = None
        self._n_bytes = 0

    def committed(self, n_bytes: int) -> None:
        """Say that the connection has committed so much more."""
        self._n_bytes += n_bytes
        if self._n_bytes < _STEP_BYTES:
            return
        most = max(_MOST_BYTES, 2 * n_bytes)
        if self._moving is not None and not self._moving.done() and self._n_bytes < most:
            return
        is_too_long = self._moving is not None and self._moving.result() > most
        self._n_bytes = 0
        self._moving = self._thread.submit(self._move, "RESTART" if is_too_long else "PASSIVE")
        if is_too_long:
            self._moving.result()
            self._moving = None

    def close(self) -> None:
        """Give the work back to the connection, when the thread is done. A second call does nothing."""
        if self._is_closed:
            return
        self._is_closed = True
        self._thread.shutdown()
        self._writing.execute(f"PRAGMA wal_autocheckpoint = {_USUAL_PAGES}")

    def _move(self, mode: Literal["PASSIVE", "RESTART"]) -> int:
        """Move what no reader still needs where it is, or wait a moment for readers and move all of it; returns the
        bytes of the log."""
        try:
            with closing(connect(self._path, "mode=rw")) as connection:
                connection.execute(f"PRAGMA busy_timeout = {_PATIENCE_MS}")
                _, n_pages, _ = connection.execute(f"PRAGMA wal_checkpoint({mode})").fetchone()
        except sqlite3.Error:
            return 0  # it stays in the log, and the commit that finds no room for itself says so
        return int(n_pages) * PAGE_SIZE
