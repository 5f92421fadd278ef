"""From a cursor key to the last byte of its answer, on a layer of 4,096 units, against a bare Textual ScrollView.

The bare one (`bare_list.py`) shows the same rows, painted beforehand, and scrolls by a row at a time; both run in the
same pseudo-terminal, in turns. The ratio of the 95th percentiles has to be at most 1.5.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

from pseudo_terminal import PseudoTerminal
from synthetic_run import LAYER, write_run

LIMIT = 1.5
ROUNDS = 3
PRESSES = 90  # more than a screen of rows, so that scrolling is in it
BARE = Path(__file__).with_name("bare_list.py")


def milliseconds(command: list[str], ready: bytes) -> list[float]:
    """From each press of `j` to the last byte that comes for it."""
    with PseudoTerminal(command) as terminal:
        terminal.wait_for(ready)
        terminal.settle(1)
        times = []
        for _ in range(PRESSES):
            started = time.perf_counter()
            terminal.press(b"j")
            times.append((terminal.last_byte_within(0.15) - started) * 1000)
        return times


def percentile_95(times: list[float]) -> float:
    return statistics.quantiles(times, n=20)[-1]


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "layer.nas.db"
        write_run(run)
        ours: list[float] = []
        bare: list[float] = []
        for _ in range(ROUNDS):
            bare += milliseconds([sys.executable, str(BARE), str(run), LAYER], b"  5 ")
            ours += milliseconds([sys.executable, "-m", "nastui", str(run), LAYER], b"class 9")
    ratio = percentile_95(ours) / percentile_95(bare)
    print(f"key to last byte, p95: {percentile_95(ours):.1f} ms; bare ScrollView: {percentile_95(bare):.1f} ms")
    print(f"key to last byte, median: {statistics.median(ours):.1f} ms; bare: {statistics.median(bare):.1f} ms")
    print(f"key to last byte: ratio {ratio:.2f}, limit {LIMIT}")
    return int(ratio > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
