"""Counting the rows on the screen anew for another m, against the 50 ms that a person may wait for it.

A layer of 4,096 units with 10,000 images; the rows are those of a screen of 60 lines with bars of one line. The limit
is a time because it is a person's; as a ratio: at most 1.0 of it.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

from synthetic_run import LAYER, write_run

from nastui.store.reader import RunReader

LIMIT = 0.050
ROWS = 56
ROUNDS = 9


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "layer.nas.db"
        write_run(path, n_images=10_000)
        with RunReader(path) as run:
            layer = run.layer(LAYER)
            run.footprints(layer, 0, ROWS)
            times = []
            for m in range(20, 20 + ROUNDS):
                started = time.perf_counter()
                run.footprints(layer, 0, ROWS, m)
                times.append(time.perf_counter() - started)
    ratio = statistics.median(times) / LIMIT
    print(f"{ROWS} rows of 10,000 images with another m: {statistics.median(times) * 1000:.1f} ms")
    print(f"other ranges: ratio {ratio:.2f} of {LIMIT * 1000:.0f} ms, limit 1.0")
    return int(ratio > 1)


if __name__ == "__main__":
    sys.exit(main())
