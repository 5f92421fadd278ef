"""The write-ahead log of a scan: moved beside the writer, never longer than it must be, safe at any moment."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from nastui.store import checkpointing
from nastui.store.checkpointing import Checkpointer
from nastui.store.connection import connect, open_to_write, wal_of
from tests.store.small_scan import append, contents, create, make_run

_ROW = 1 << 18  # bytes of a commit here, 16 pages


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return make_run(tmp_path / "run.nas.db", 12)


@pytest.fixture
def connection(path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[sqlite3.Connection]:
    """What a scan writes with; limits are in proportion to the small commits here."""
    monkeypatch.setattr(checkpointing, "MOVED_PAGES", 16)
    monkeypatch.setattr(checkpointing, "MOST_PAGES", 8 * 16)
    with closing(open_to_write(path)) as opened:
        opened.execute("CREATE TABLE filler (data BLOB)")
        yield opened


def commit(connection: sqlite3.Connection) -> None:
    connection.execute("INSERT INTO filler VALUES (randomblob(?))", (_ROW,))


def test_the_log_stays_short_however_fast_commits_come(path: Path, connection: sqlite3.Connection) -> None:
    with closing(Checkpointer(path, connection)) as checkpointer:
        for _ in range(200):
            commit(connection)
            checkpointer.committed(_ROW)
    assert wal_of(path).stat().st_size < 11 * _ROW


def test_the_log_stays_short_while_others_read_shortly(path: Path, connection: sqlite3.Connection) -> None:
    is_over = threading.Event()

    def read() -> None:
        with closing(connect(path, "mode=ro")) as reading:
            while not is_over.is_set():
                reading.execute("SELECT count(*), max(data) FROM filler").fetchall()

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    try:
        with closing(Checkpointer(path, connection)) as checkpointer:
            for _ in range(200):
                commit(connection)
                checkpointer.committed(_ROW)
    finally:
        is_over.set()
        for reader in readers:
            reader.join()
    assert wal_of(path).stat().st_size < 50 * _ROW


def test_a_reader_that_stays_holds_the_log_back_and_gives_the_space_back(
    path: Path, connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpointing, "_PATIENCE_MS", 1)
    with closing(Checkpointer(path, connection)) as checkpointer:
        with closing(connect(path, "mode=ro")) as reading:
            reading.execute("BEGIN")
            reading.execute("SELECT count(*) FROM filler").fetchall()
            for _ in range(40):
                commit(connection)
                checkpointer.committed(_ROW)
            assert wal_of(path).stat().st_size > 40 * _ROW
            assert reading.execute("SELECT count(*) FROM filler").fetchone() == (0,)
        for _ in range(20):
            commit(connection)
            checkpointer.committed(_ROW)
        assert wal_of(path).stat().st_size < 11 * _ROW
    assert connection.execute("SELECT count(*) FROM filler").fetchone() == (60,)


def test_what_was_committed_is_moved_while_the_writer_rests(path: Path, connection: sqlite3.Connection) -> None:
    before = path.stat().st_size
    with closing(Checkpointer(path, connection)) as checkpointer:
        commit(connection)
        checkpointer.committed(_ROW)
    assert path.stat().st_size >= before + _ROW


def test_small_commits_wait_until_it_is_worth_it(path: Path, connection: sqlite3.Connection) -> None:
    with closing(Checkpointer(path, connection)) as checkpointer:
        commit(connection)
        before = path.stat().st_size
        checkpointer.committed(_ROW // 2)
    assert path.stat().st_size == before


def test_afterwards_the_connection_moves_them_itself_again(path: Path, connection: sqlite3.Connection) -> None:
    checkpointer = Checkpointer(path, connection)
    assert connection.execute("PRAGMA wal_autocheckpoint").fetchone() == (0,)
    checkpointer.close()
    checkpointer.close()
    assert connection.execute("PRAGMA wal_autocheckpoint").fetchone() == (16,)


def test_a_log_that_cannot_be_moved_keeps_what_was_committed(
    path: Path, connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, mode: str) -> sqlite3.Connection:
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(checkpointing, "connect", refuse)
    with closing(Checkpointer(path, connection)) as checkpointer:
        for _ in range(3):
            commit(connection)
            checkpointer.committed(_ROW)
    with closing(connect(path, "mode=ro")) as reading:
        assert reading.execute("SELECT count(*) FROM filler").fetchone() == (3,)


def test_a_scan_leaves_no_thread_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpointing, "MOVED_PAGES", 0)
    before = threading.active_count()
    with create(tmp_path / "moved.nas.db", 60) as writer:
        while writer.n_done < 60:
            append(writer, 7, 60)
            writer.checkpoint()
        writer.finish()
    assert threading.active_count() == before
    assert contents(tmp_path / "moved.nas.db") == contents(make_run(tmp_path / "whole.nas.db", 60))
