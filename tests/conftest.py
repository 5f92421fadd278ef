"""Fixtures that more than one folder of tests needs."""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Generator
from pathlib import Path

import pytest

# Processes that test side by side share the cores; torch, which is imported later, would give all of them to each.
if "PYTEST_XDIST_WORKER_COUNT" in os.environ:
    _share = (os.cpu_count() or 1) // int(os.environ["PYTEST_XDIST_WORKER_COUNT"])
    os.environ.setdefault("OMP_NUM_THREADS", str(max(_share, 1)))

# Shells start background jobs with Ctrl-C ignored, and what the tests start would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

_SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real models and images that lies beside the checkout; the test skips where it does not."""
    if not _SHARED.is_dir():
        pytest.skip(f"no real models and images here: {_SHARED} is missing")
    return _SHARED


@pytest.fixture(scope="session", autouse=True)
def _a_cache_of_the_tests_own(tmp_path_factory: pytest.TempPathFactory) -> Generator[None, None, None]:
    """What nastui keeps in the user's cache folder, trials for one, goes elsewhere."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Search less for garbage, and never among what all files import, torch and transformers for two: a million objects
    that were looked through again and again, a fifth of the time of the screens' tests."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.collect()
        gc.freeze()
        gc.set_threshold(20_000, 20, 20)


def pytest_unconfigure() -> None:
    gc.unfreeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail a test that asked for the real data and skipped although the data is there."""
    report = yield
    if report.skipped and "shared_data" in getattr(item, "fixturenames", ()) and _SHARED.is_dir():
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} skipped although {_SHARED} is there:\n{report.longrepr}"
    return report
