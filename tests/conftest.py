"""Fixtures that more than one folder of tests needs."""

from __future__ import annotations

from pathlib import Path

import pytest

_SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real models and images that lies beside the checkout; the test skips where it does not."""
    if not _SHARED.is_dir():
        pytest.skip(f"no real models and images here: {_SHARED} is missing")
    return _SHARED
