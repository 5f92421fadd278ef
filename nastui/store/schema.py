"""The tables of a run's file, and the steps that bring an older file up to date.

Every step is one SQL script. A file's `PRAGMA user_version` is the number of steps that were applied to it; a released
step never changes, a new one is added at the end. The comments are kept by SQLite: `.schema` shows them. The view
`units` is made anew after the last step.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from nastui.store.schema_1 import SCHEMA_1
from nastui.store.schema_2 import SCHEMA_2
from nastui.store.schema_3 import SCHEMA_3
from nastui.store.schema_4 import SCHEMA_4
from nastui.store.transactions import transaction
from nastui.store.units_view import units_select

APPLICATION_ID = 0x4E615374  # "NaSt", in the file's header: what tells a run from other SQLite files

MIGRATIONS: list[str] = [SCHEMA_1, SCHEMA_2, SCHEMA_3, SCHEMA_4]


def newest_version() -> int:
    """The schema that this nastui writes."""
    return len(MIGRATIONS)


def version_of(connection: sqlite3.Connection) -> int:
    """The schema that the file has; 0 for a file without any."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def application_of(connection: sqlite3.Connection) -> int:
    """The file's application id; APPLICATION_ID for a run."""
    return int(connection.execute("PRAGMA application_id").fetchone()[0])


def migrate(connection: sqlite3.Connection) -> None:
    """Apply the steps that the file lacks, all of them or none. The connection is in autocommit mode."""
    connection.execute("PRAGMA foreign_keys = OFF")  # a step may drop a table that others refer to, and make it anew
    with transaction(connection):
        connection.execute("DROP VIEW IF EXISTS units")
        for script in MIGRATIONS[version_of(connection) :]:
            for statement in _statements(script):
                connection.execute(statement)
        connection.execute(f"CREATE VIEW units AS {units_select()}")
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {newest_version()}")


def _statements(script: str) -> Iterator[str]:
    """The statements of a script one by one: `executescript` would commit what stands before it."""
    lines: list[str] = []
    for line in script.splitlines(keepends=True):
        lines.append(line)
        if sqlite3.complete_statement("".join(lines)):
            yield "".join(lines).strip()
            lines = []
