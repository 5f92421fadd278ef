"""All class measures of a layer of 4,096 units, against the pass for the basic ones (n, lo, hi, mean, std, …).

With 100 shuffles and 100 samples, the defaults. The basic pass reads every value a few times: the ratio says what
telling the classes apart costs beside looking at the values. Half of the units are sparse, as after a ReLU. The first
case has to take 1 s or less, and the limit is about that as a ratio. Times are the processor's: all runs in one thread,
and what else the machine does matters little.
"""

from __future__ import annotations

import statistics
import sys
import time

import numpy as np

from nastui.stats.class_measures import measure_layer
from nastui.stats.measures import basic_measures

UNITS = 4096
BLOCK = 64
CASES = ((1_000, 10, 5), (5_000, 1_000, 1), (10_000, 10, 1))  # images, classes, rounds
LIMIT = 80


def seconds_of(n_images: int, n_classes: int, rounds: int) -> tuple[float, float]:
    """How long the class measures and the basic ones take."""
    values = np.random.default_rng(0).normal(size=(UNITS, n_images)).astype(np.float32)
    np.maximum(values[::2], 0, out=values[::2])
    class_ids = np.arange(n_images) % n_classes
    class_times, basic_times = [], []
    for _ in range(rounds):
        started = time.process_time()
        measure_layer((values[first : first + BLOCK] for first in range(0, UNITS, BLOCK)), class_ids, n_classes, 30)
        between = time.process_time()
        basic_measures(values)
        class_times.append(between - started)
        basic_times.append(time.process_time() - between)
    return statistics.median(class_times), statistics.median(basic_times)


def main() -> int:
    is_beyond = False
    for n_images, n_classes, rounds in CASES:
        measuring, basic = seconds_of(n_images, n_classes, rounds)
        print(f"{UNITS:,} units, {n_images:,} images, {n_classes:,} classes: {measuring:.2f} s, basic {basic:.3f} s")
        print(f"class measures: ratio {measuring / basic:.1f}, limit {LIMIT}")
        is_beyond |= measuring / basic > LIMIT
    return int(is_beyond)


if __name__ == "__main__":
    sys.exit(main())
