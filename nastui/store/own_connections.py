"""Connections to one file, each thread with its own."""

from __future__ import annotations

import sqlite3
import threading
import weakref
from collections.abc import Callable
from pathlib import Path

from nastui.errors import NotARun
from nastui.store.connection import identity_of, leave_one_file


class OwnConnections:
    """Opens connections to the file at `path` as threads ask for them. A file that is replaced meanwhile is not mixed
    up with the new one: threads that have none yet get NotARun. What nobody closes is closed with the object."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._own = threading.local()
        self._all: list[sqlite3.Connection] = []
        self._opening = threading.Lock()
        self._identity: tuple[int, int] | None = None
        weakref.finalize(self, _close, self._all, path)

    def get(self, opened: Callable[[Path], sqlite3.Connection]) -> sqlite3.Connection:
        """This thread's connection that `opened` has made, or makes now."""
        if not hasattr(self._own, "connections"):
            self._own.connections = {}
        mine: dict[object, sqlite3.Connection] = self._own.connections
        if opened not in mine:
            connection = opened(self._path)
            with self._opening:
                self._all.append(connection)
                self._check_identity()
            mine[opened] = connection
        return mine[opened]

    def close(self) -> None:
        """Close them all; no thread may be using one. A second call does nothing."""
        with self._opening:
            _close(self._all, self._path)

    def _check_identity(self) -> None:
        """Raise NotARun where the path leads to another file by now, and let go of that one."""
        identity = identity_of(self._path)
        self._identity = self._identity or identity
        if identity != self._identity:
            self._all.pop().close()
            raise NotARun(f"{self._path} was replaced while it was open.", hint="Open it again to see the new run.")


def _close(connections: list[sqlite3.Connection], path: Path) -> None:
    has_any = bool(connections)
    while connections:
        connections.pop().close()
    if has_any:
        leave_one_file(path)
