"""The small scan as a process of its own, to be killed: scans into argv[1], from wherever the file got to.

After argv[2] steps it says "now", and it never takes more than LEEWAY further ones: it is killed before them, however
slow the one who kills it is.
"""

from __future__ import annotations

import itertools
import random
import signal
import sys
import time
from pathlib import Path

from nastui.store import writer as writer_module
from nastui.store.writer import RunWriter
from tests.store.small_scan import SPEC, append, create

N_IMAGES = 2200
MOST_IMAGES = 64  # in a step
LEEWAY = 8
PAUSE_S = 0.002


def main() -> None:
    path, until_now = Path(sys.argv[1]), int(sys.argv[2])
    writer_module.COMMIT_SECONDS = 0.005
    sizes = random.Random(time.monotonic())
    steps = itertools.count()

    def step(pause_s: float = PAUSE_S) -> None:
        number = next(steps)
        if number == until_now:
            print("now", flush=True)
        if number == until_now + LEEWAY:
            signal.pause()
        time.sleep(pause_s)

    step()
    with RunWriter.resume(path, SPEC) if path.exists() else create(path, N_IMAGES) as writer:
        while writer.n_done < N_IMAGES:
            append(writer, sizes.randint(1, MOST_IMAGES), N_IMAGES)
            step()
        writer.finish(lambda done, total: step(10 * PAUSE_S))


if __name__ == "__main__":
    main()
