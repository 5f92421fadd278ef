"""Text and times as a run's file keeps them."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> str:
    """This moment, ISO 8601 in UTC: 2026-05-09T07:36:57Z."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def storable(text: str) -> str:
    r"""The text without what SQLite cannot keep: a byte of a file name that is not UTF-8 becomes \udcXX."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")
