"""Opening a run's file: to read, to write, and saying what is wrong with it."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from nastui.errors import NotARun, SchemaTooNew
from nastui.store.faults import damaged, translated, unwritable
from nastui.store.schema import APPLICATION_ID, application_of, migrate, newest_version, version_of
from nastui.store.transactions import transaction

# Committed before moving them from the WAL into the file is worth the two waits for the disk that it takes: 16 MB of
# a large run's, 4 MB of a small one's.
MOVED_PAGES = 256
_PATIENCE_S = 5.0  # for a lock of SQLite's: every transaction here is far shorter


def open_to_read(path: Path) -> sqlite3.Connection:
    """A connection that cannot write; an older schema is brought up to date first. Raises NotARun and SchemaTooNew.

    Any thread may use it, one at a time.
    """
    _check_path(path)
    with translated(path):
        connection = _connect_to_read(path)
        try:
            version = check_is_run(connection, path)
        except BaseException:
            connection.close()
            raise
        if version < newest_version():
            connection.close()
            open_to_write(path).close()
            connection = _connect_to_read(path)
        return connection


def open_to_write(path: Path) -> sqlite3.Connection:
    """A connection to an existing run, in autocommit mode; an older schema is brought up to date.

    Any thread may use it, one at a time. Raises NotARun, SchemaTooNew and StoreFull.
    """
    _check_path(path)
    with translated(path):
        connection = connect(path, "mode=rw")
        try:
            if check_is_run(connection, path) < newest_version():
                migrate(connection)
            prepare_to_write(connection)
        except BaseException:
            connection.close()
            raise
        return connection


@contextmanager
def writing_once(path: Path) -> Iterator[sqlite3.Connection]:
    """One transaction in an existing run, all of which is in the file itself afterwards, as far as `merge_wal` goes.

    Raises what `open_to_write` raises, and StoreLocked.
    """
    with closing(open_to_write(path)) as connection, translated(path):
        with transaction(connection):
            yield connection
        merge_wal(connection)


def prepare_to_write(connection: sqlite3.Connection) -> None:
    """The settings of a connection that writes."""
    connection.execute("PRAGMA journal_mode = WAL")  # kept in the file, so this does something only the first time
    connection.execute("PRAGMA synchronous = NORMAL")  # with WAL: never torn, and each commit without an fsync
    connection.execute(f"PRAGMA wal_autocheckpoint = {MOVED_PAGES}")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA temp_store = MEMORY")  # what undoes one statement, not files in /var/tmp


def check_is_run(connection: sqlite3.Connection, path: Path) -> int:
    """The version of the run's schema. Raises NotARun and SchemaTooNew."""
    if application_of(connection) != APPLICATION_ID:
        raise NotARun(f"{path} is not a nastui run: it is an SQLite file of another program.", hint=_ASK_FOR_A_RUN)
    version = version_of(connection)
    if version > newest_version():
        raise SchemaTooNew(
            f"{path} has schema {version}; this nastui knows up to {newest_version()}.",
            hint="Update nastui: pip install --upgrade nastui",
        )
    if version == 0 or connection.execute("SELECT count(*) FROM run").fetchone()[0] != 1:
        raise damaged(path, "it does not say which run it is")
    return version


def identity_of(path: Path) -> tuple[int, int]:
    """What tells the file that lies at `path` now from any other. Raises NotARun where there is none."""
    try:
        status = path.stat()
    except OSError as exc:
        raise NotARun(f"{path} cannot be read: {exc.strerror}.", hint=_ASK_FOR_A_RUN) from exc
    return status.st_dev, status.st_ino


def wal_of(path: Path) -> Path:
    """Where SQLite keeps what was committed but not yet moved into the file at `path`."""
    return path.with_name(f"{path.name}-wal")


def shm_of(path: Path) -> Path:
    """Where SQLite keeps the WAL's index while a run is open."""
    return path.with_name(f"{path.name}-shm")


def leave_one_file(path: Path) -> None:
    """Leave the run as one file, where nobody else has it open: the last connection that may write moves the WAL into
    it and removes that and the `-shm`, and the last reader cannot.
    """
    if wal_of(path).exists():
        with suppress(sqlite3.Error), closing(connect(path, "mode=rw")) as connection:
            version_of(connection)


def merge_wal(connection: sqlite3.Connection) -> None:
    """Move what was committed into the file itself, so that a copy of that alone is whole, though readers stay.

    Where other programs are busy with the file it is left to them.
    """
    connection.execute("PRAGMA busy_timeout = 0")
    with suppress(sqlite3.Error):
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def connect(path: Path, mode: str) -> sqlite3.Connection:
    """A bare connection in autocommit mode; `mode` is the URI's query."""
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?{mode}",
        uri=True,
        isolation_level=None,
        timeout=_PATIENCE_S,
        check_same_thread=False,
    )


def _connect_to_read(path: Path) -> sqlite3.Connection:
    connection = connect(path, "mode=ro")
    try:
        application_of(connection)
    except sqlite3.OperationalError as exc:
        # WAL needs a `-shm` file beside the run. Where none can be made nothing can write either: read the file alone.
        connection.close()
        if exc.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY):
            raise
        if _size(wal_of(path)):
            raise unwritable(path, f"{wal_of(path).name} holds a part of it that has to be merged first") from exc
        connection = connect(path, "mode=ro&immutable=1")
    return connection


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _check_path(path: Path) -> None:
    try:
        is_file, is_empty = path.is_file(), path.stat().st_size == 0
    except (FileNotFoundError, NotADirectoryError) as exc:
        from nastui.store.missing import no_run_there  # which opens runs itself

        raise no_run_there(path, _ASK_FOR_A_RUN) from exc
    except OSError as exc:
        raise NotARun(f"{path} cannot be read: {exc.strerror}.", hint=_ASK_FOR_A_RUN) from exc
    if not is_file:
        raise NotARun(f"{path} is not a nastui run: it is a folder or a device.", hint=_ASK_FOR_A_RUN)
    if is_empty:
        raise NotARun(f"{path} is not a nastui run: it is empty.", hint=_ASK_FOR_A_RUN)
    if not os.access(path, os.R_OK):
        raise NotARun(f"{path} cannot be read: it is not yours to read.", hint="Change its permissions, or copy it.")


_ASK_FOR_A_RUN = "Name a file that `nastui scan` or `nastui demo` made, e.g. alexnet.nas.db."
