"""Fixtures that several tests of the engine need."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scanned_files import write_files


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A small network, its weights and its images in a folder that can be moved; see `write_files`."""
    folder = tmp_path / "work"
    folder.mkdir()
    write_files(folder)
    return folder
