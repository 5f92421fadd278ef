"""What a scan costs beside the bare forward pass with the same loader: all convolutions and linear layers, max.

Two ratios a model, each against its limit: of a scan in the memory format that the bare pass has (contiguous), and of a
scan as it comes, which chooses the format itself. Exits with 1 where one is over. All sides decode the same JPEGs by
the same threads; a scan adds the example forward, the hooks, the file with its previews, and the measures at the end.
Each side has a process of its own, since a scan changes how the heap of its process is used. Passes take turns and the
median of the paired ratios counts, since the machine may have other work; the ratio of processor times stands beside
it, which other work disturbs less. What the trial costs that chooses the format, once a model and machine, is printed.

    python benchmarks/scan_overhead.py [--rounds 3] [--threads N] [--images N] [MODEL …]     names of torchvision
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np
from PIL import Image

BATCH_SIZE = 32
SIDE = 256

# As many images as keep a bare pass at some 25 seconds on two cores: what a scan costs once (the fields of its layers,
# the measures: 0.7 s) should weigh as little as in a real scan of thousands. At least 512, or no format is tried.
N_IMAGES = {"resnet18": 960, "vgg16": 512, "alexnet": 2560, "mobilenet_v3_small": 2560}
N_IMAGES_OTHERS = 1024

CONTIGUOUS_LIMIT = 1.05
LIMITS = {"resnet18": 0.85, "vgg16": 0.85}
LIMIT_OTHERS = 1.05


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one pass: seconds on the wall, and of the processor over all threads."""

    wall: float
    processor: float


class Side:
    """A process that makes one kind of pass whenever it is told to: "bare", "contiguous" or "auto"."""

    def __init__(self, kind: str, model: str, data: str, folder: Path, threads: int) -> None:
        environment = {**os.environ, "XDG_CACHE_HOME": str(folder / "cache"), "OMP_NUM_THREADS": str(threads)}
        self._process = subprocess.Popen(
            [sys.executable, __file__, "--side", kind, model, data, str(folder / f"{kind}.nas.db")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )

    def go(self) -> Cost:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print("go", file=self._process.stdin, flush=True)
        wall, processor = map(float, self._process.stdout.readline().split())
        return Cost(wall, processor)

    def end(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", default=list(N_IMAGES))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--images", type=int, help="so many, to save time; what a scan costs once weighs more then")
    parser.add_argument("--side", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.side:
        serve(*options.side)
        return 0
    print(f"{options.threads} threads, batches of {BATCH_SIZE}, {options.rounds} rounds")
    is_within = [measure(name, options.rounds, options.threads, options.images) for name in options.models]
    return 0 if all(is_within) else 1


def write_images(root: Path, n_images: int) -> str:
    """JPEGs of soft noise, which cost about as much to decode as photographs, in two classes."""
    random = np.random.default_rng(0)
    for index in range(n_images):
        folder = root / f"class{index % 2}"
        folder.mkdir(parents=True, exist_ok=True)
        coarse = Image.fromarray(random.integers(0, 256, (32, 32, 3), dtype=np.uint8))
        coarse.resize((SIDE, SIDE), Image.Resampling.BICUBIC).save(folder / f"{index:04}.jpg", quality=90)
    return f"imagefolder:{root}"


def measure(name: str, rounds: int, threads: int, n_images: int | None) -> bool:
    """Print both ratios of one model with what they are made of; returns whether they are within their limits."""
    n_images = n_images or N_IMAGES.get(name, N_IMAGES_OTHERS)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        data = write_images(folder / "images", n_images)
        kinds = ("bare", "contiguous", "auto")
        sides = {kind: Side(kind, name, data, folder, threads) for kind in kinds}
        first = {kind: sides[kind].go() for kind in kinds}  # to warm up
        passes = [{kind: sides[kind].go() for kind in kinds} for _ in range(rounds)]
        for side in sides.values():
            side.end()
        megabytes = (folder / "auto.nas.db").stat().st_size / 1e6
    bare = median(one["bare"].wall for one in passes)
    trial = first["auto"].processor - median(one["auto"].processor for one in passes)
    print(
        f"{name}: {n_images} images, bare {bare:.2f} s, file {megabytes:.1f} MB, trial {trial:.1f} s of processor time"
    )
    within = []
    for kind, limit in (("contiguous", CONTIGUOUS_LIMIT), ("auto", LIMITS.get(name, LIMIT_OTHERS))):
        ratio = median(one[kind].wall / one["bare"].wall for one in passes)
        processor = median(one[kind].processor / one["bare"].processor for one in passes)
        within.append(ratio <= limit)
        print(
            f"  {kind:10}  scan {median(one[kind].wall for one in passes):6.2f} s  processor time {processor:.3f}  "
            f"ratio {ratio:.3f}  limit {limit:.2f}  {'ok' if within[-1] else 'OVER'}",
            flush=True,
        )
    return all(within)


def serve(kind: str, name: str, data: str, out: str) -> None:
    """Make a pass for every line of stdin, and say what it cost."""
    from nastui.engine.models import load_model

    model = load_model(f"torchvision:{name}")
    for _ in sys.stdin:
        wall, processor = time.perf_counter(), time.process_time()
        if kind == "bare":
            run_bare(model, data)
        else:
            run_scan(model, data, Path(out), kind)
        print(time.perf_counter() - wall, time.process_time() - processor, flush=True)


def run_bare(model: object, data: str) -> None:
    import torch

    from nastui.engine.loader import first_decodable, load_batches
    from nastui.engine.models import LoadedModel
    from nastui.engine.preprocessing import choose_preprocessing
    from nastui.engine.sources import load_source

    assert isinstance(model, LoadedModel)
    source = load_source(data)
    indices = range(len(source.labels))
    preprocessing = choose_preprocessing(model, first_decodable(source, indices))
    with torch.inference_mode():
        for batch in load_batches(source, indices, preprocessing, batch_size=BATCH_SIZE):
            model.module(batch.inputs)


def run_scan(model: object, data: str, out: Path, memory_format: str) -> None:
    from nastui.engine.models import LoadedModel
    from nastui.engine.scan import ScanProgress, scan

    def ignore(progress: ScanProgress) -> None:
        pass

    assert isinstance(model, LoadedModel)
    scan(model, data, out=out, batch_size=BATCH_SIZE, memory_format=memory_format, force=True, on_progress=ignore)


if __name__ == "__main__":
    sys.exit(main())
