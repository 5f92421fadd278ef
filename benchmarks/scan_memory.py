"""The most memory that a scan takes beyond the model: 5,000 and 50,000 images × 4,096 units, 1,000 classes.

Everything but model and images is the real thing: batches of 32 go through the writer's thread into a run's file,
faster than any model gives them, and at the end all measures are taken. Each size has a process of its own; what it
held when all was imported is left out. Exits with 1 where one is over the limit.

    python benchmarks/scan_memory.py [--images 5000 50000] [--units 4096] [--classes 1000] [--positions]
                                     [--dtype float16]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from synthetic_run import spec_of

from nastui.engine.writing import BackgroundWriter
from nastui.records import Batch, ClassInfo, ImageResult, LayerSpec, ManifestImage
from nastui.store.writer import RunWriter

LIMIT_MB = 200
BATCH_SIZE = 32
LAYER = "features.0"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, nargs="+", default=[5_000, 50_000])
    parser.add_argument("--units", type=int, default=4_096)
    parser.add_argument("--classes", type=int, default=1_000)
    parser.add_argument("--dtype", choices=["float32", "float16"], default="float32")
    parser.add_argument("--positions", action="store_true", help="Of a convolution: where in its map each value was.")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        print(json.dumps(scan(options)))
        return 0
    worst = 0.0
    for n_images in options.images:
        command = [sys.executable, __file__, "--child", *sys.argv[1:], "--images", str(n_images)]
        found = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        worst = max(worst, found["measured"])
        print(
            f"{n_images:9,} images × {options.units:,} units  writing {found['written']:5.0f} MB  "
            f"with measuring {found['measured']:5.0f} MB  of {LIMIT_MB}  ({found['seconds']:.0f} s)",
            flush=True,
        )
    print(f"ratio {worst / LIMIT_MB:.2f}  limit 1.00  {'ok' if worst <= LIMIT_MB else 'OVER'}")
    return 1 if worst > LIMIT_MB else 0


def scan(options: argparse.Namespace) -> dict[str, float]:
    """MB beyond the imports at most while all was written, and until the end of the measures; seconds."""
    (n_images,) = options.images
    draw = np.random.default_rng(0)
    classes = [ClassInfo(k, f"class {k}", k, n_images // options.classes) for k in range(options.classes)]
    side = 13 if options.positions else 1
    layer = LayerSpec(
        LAYER, "Conv2d", (options.units, side, side), options.units, options.positions, value_type=options.dtype
    )
    begin, before = time.perf_counter(), memory("VmRSS")
    reset_peak()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.nas.db"
        images = [ManifestImage(i % options.classes, f"class/image-{i:08}.jpg") for i in range(n_images)]
        with BackgroundWriter(
            lambda: RunWriter.create(path, spec_of(0), classes, [c.name for c in classes], images, [layer])
        ) as writer:
            for first in range(0, n_images, BATCH_SIZE):
                count = min(BATCH_SIZE, n_images - first)
                shape = (count, options.units)
                values = {LAYER: draw.standard_normal(shape, dtype=np.float32)}
                places = {LAYER: draw.integers(0, side * side, shape, dtype=np.int32)} if options.positions else {}
                writer.append(Batch(first, (result(draw),) * count, values, places))
            writer.checkpoint()
            written = memory("VmHWM") - before
            writer.finish(None)
    return {"written": written, "measured": memory("VmHWM") - before, "seconds": time.perf_counter() - begin}


def result(draw: np.random.Generator) -> ImageResult:
    return ImageResult(draw.bytes(3_800), 500, 375, "0" * 64, tuple((k, 5.0 - k) for k in range(5)))


def memory(name: str) -> float:
    """MB of this process: VmRSS now, VmHWM at most since `reset_peak`."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(name))
    return int(line.split()[1]) / 1024


def reset_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


if __name__ == "__main__":
    sys.exit(main())
