"""The real thing, killed fifty times: nothing is lost, and what comes out is what would have come out anyway."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.store.small_scan import child_environment

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "kills.py"
CASES = ("max", "sample", "float16", "none", "parts")


def test_fifty_kills_at_random_moments_leave_no_trace() -> None:
    found = subprocess.run(
        [sys.executable, str(SCRIPT), "--kills", "50", "--seed", str(os.getpid())],
        env={**child_environment(), "OMP_NUM_THREADS": "1"},
        text=True,
        capture_output=True,
        check=False,
        timeout=600,
    )
    assert found.returncode == 0, found.stdout + found.stderr
    for case in CASES:
        line = next(line for line in found.stdout.splitlines() if line.startswith(f"{case} "))
        assert re.search(r" 10 kills \(.+\), [1-9]\d* scans finished, 0 images lost, 0 unequal$", line), line
    assert "50 kills" in found.stdout
    assert "scanning" in found.stdout, "some hit rows of tiles"
    assert "measuring" in found.stdout, "and some the end"
