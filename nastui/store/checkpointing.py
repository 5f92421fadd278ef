"""Moving what was committed from SQLite's write-ahead log into the file, beside the one who writes."""

from __future__ import annotations

import sqlite3
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from nastui.store.connection import MOVED_PAGES, connect

MOST_PAGES = 512  # of the log before the writer waits: 32 MB of a large run's, 8 MB of a small one's
_PATIENCE_MS = 1000  # with readers, whose transactions are far shorter


@dataclass(frozen=True, slots=True)
class _Moved:
    """What a move found: the bytes of the log, and whether a commit begins it anew that is the next one."""

    log_bytes: int
    begins_anew: bool


class Checkpointer:
    """Runs SQLite's checkpoints in a thread of its own: who writes waits neither for the copies nor for the disk.

    When they run is all that changes: as ever the log is on the disk before the file is touched, and others read and
    write meanwhile. A log can only begin anew when all of it has been moved. Where commits come so fast that it never
    is, who writes waits once it has 512 pages, or one commit that is larger. A reader that keeps one state of
    the file for long holds the log back: it grows, and gives the space back when the reader has moved on.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        """Take over from `connection`, which writes to the run at `path`, until `close`."""
        self._path = path
        self._writing = connection
        self._writing.execute("PRAGMA wal_autocheckpoint = 0")
        self._page_size = int(connection.execute("PRAGMA page_size").fetchone()[0])
        self._most_bytes = MOST_PAGES * self._page_size
        self._writing.execute(f"PRAGMA journal_size_limit = {self._most_bytes}")
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="nastui-checkpoint")
        self._is_closed = False
        self._moving: Future[_Moved] | None = None
        self._n_unmoved = 0  # bytes committed since the last move began
        self._n_long = 0  # bytes of the log, as far as it is known

    def committed(self, n_bytes: int) -> None:
        """Say that the connection has committed so much more."""
        self._n_unmoved += n_bytes
        self._n_long += n_bytes
        if self._moving is not None and self._moving.done():
            self._look()
        is_too_long = self._n_long > max(self._most_bytes, n_bytes)
        is_enough = self._n_unmoved >= MOVED_PAGES * self._page_size
        if not is_enough or (self._moving is not None and not is_too_long):
            return
        if self._moving is not None:
            self._look()
        self._n_unmoved = 0
        self._moving = self._thread.submit(self._move, "RESTART" if is_too_long else "PASSIVE")
        if is_too_long:
            self._look()

    def close(self) -> None:
        """Give the work back to the connection, when the thread is done. A second call does nothing."""
        if self._is_closed:
            return
        self._is_closed = True
        self._thread.shutdown()
        self._writing.execute(f"PRAGMA wal_autocheckpoint = {MOVED_PAGES}")

    def _look(self) -> None:
        """Wait for the move, and see how long the log is."""
        assert self._moving is not None
        moved = self._moving.result()
        self._moving = None
        begins_anew = moved.begins_anew and not self._n_unmoved
        self._n_long = 0 if begins_anew else moved.log_bytes + self._n_unmoved

    def _move(self, mode: Literal["PASSIVE", "RESTART"]) -> _Moved:
        """Move what no reader still needs where it is, or wait a moment for readers and move all of it."""
        try:
            with closing(connect(self._path, "mode=rw")) as connection:
                connection.execute(f"PRAGMA busy_timeout = {_PATIENCE_MS}")
                is_busy, n_pages, n_moved = connection.execute(f"PRAGMA wal_checkpoint({mode})").fetchone()
        except sqlite3.Error:
            return _Moved(0, begins_anew=False)  # it stays in the log, and the commit that finds no room says so
        log_bytes = int(n_pages) * self._page_size
        if mode == "RESTART":
            return _Moved(log_bytes, begins_anew=not is_busy)
        # Readers at the moments of commits let a log grow whose moves are all complete.
        return _Moved(log_bytes, begins_anew=n_moved == n_pages and log_bytes <= self._most_bytes)
