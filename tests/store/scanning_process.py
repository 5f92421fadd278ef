"""The small scan as a process of its own, to be killed: scans into argv[1], from wherever the file got to."""

from __future__ import annotations

import random
import sys
import time
from pathlib import Path

from small_scan import SPEC, append, create

from nastui.store import writer as writer_module
from nastui.store.writer import RunWriter

N_IMAGES = 2200
PAUSE_S = 0.002


def main() -> None:
    path = Path(sys.argv[1])
    writer_module.COMMIT_SECONDS = 0.03
    sizes = random.Random(time.monotonic())
    print("ready", flush=True)
    with RunWriter.resume(path, SPEC.scan_sha256) if path.exists() else create(path, N_IMAGES) as writer:
        while writer.n_done < N_IMAGES:
            append(writer, sizes.randint(1, 64), N_IMAGES)
            time.sleep(PAUSE_S)
        writer.finish(lambda done, total: time.sleep(10 * PAUSE_S))


if __name__ == "__main__":
    main()
