"""What a scan costs beyond the bare forward pass with the same loader: all convolutions and linear layers, max.

Prints a ratio a model against the limit and exits with 1 where one is over it. Both sides decode the same JPEGs by the
same threads; the scan's side adds the example forward, the hooks, the file with its previews, and the measures at the
end. Passes alternate and the median of the paired ratios counts, since the machine may have other work; the ratio of
processor times stands beside it, which other work disturbs less.

    python benchmarks/scan_overhead.py [--rounds 3] [MODEL …]        torchvision's names; default: the three below

Not among them: mobilenet_v3_small, whose forward is so small for its 11,000 units that it is over (1.20 of processor
time with 1,024 images).
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np
import torch
from PIL import Image

from nastui.engine.loader import first_decodable, load_batches
from nastui.engine.models import LoadedModel, load_model
from nastui.engine.preprocessing import choose_preprocessing
from nastui.engine.scan import ScanProgress, scan
from nastui.engine.sources import load_source

LIMIT = 1.10
BATCH_SIZE = 32
SIDE = 256

# As many images as keep a bare pass at some 25 seconds on two cores: what a scan costs once (the fields of its layers,
# the measures: 0.7 s) should weigh as little as in a real scan of thousands.
N_IMAGES = {"resnet18": 960, "alexnet": 2560, "squeezenet1_0": 960}
N_IMAGES_OTHERS = 1024


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one pass: seconds on the wall, and of the processor over all threads."""

    wall: float
    processor: float


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", default=list(N_IMAGES))
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, batches of {BATCH_SIZE}")
    ratios = [measure(name, options.rounds) for name in options.models]
    return 1 if max(ratios) > LIMIT else 0


def write_images(root: Path, n_images: int) -> str:
    """JPEGs of soft noise, which cost about as much to decode as photographs, in two classes."""
    random = np.random.default_rng(0)
    for index in range(n_images):
        folder = root / f"class{index % 2}"
        folder.mkdir(parents=True, exist_ok=True)
        coarse = Image.fromarray(random.integers(0, 256, (32, 32, 3), dtype=np.uint8))
        coarse.resize((SIDE, SIDE), Image.Resampling.BICUBIC).save(folder / f"{index:04}.jpg", quality=90)
    return f"imagefolder:{root}"


def measure(name: str, rounds: int) -> float:
    """Median of the paired ratios of one model; prints it with both times."""
    model = load_model(f"torchvision:{name}")
    n_images = N_IMAGES.get(name, N_IMAGES_OTHERS)
    with tempfile.TemporaryDirectory() as folder:
        data, out = write_images(Path(folder) / "images", n_images), Path(folder) / "run.nas.db"
        run_bare(model, data)
        pairs = [(cost(lambda: run_bare(model, data)), cost(lambda: run_scan(model, data, out))) for _ in range(rounds)]
        megabytes = out.stat().st_size / 1e6
    ratio = median(scanned.wall / bare.wall for bare, scanned in pairs)
    processor = median(scanned.processor / bare.processor for bare, scanned in pairs)
    print(
        f"{name:20} {n_images:5} images  bare {median(bare.wall for bare, _ in pairs):6.2f} s  "
        f"scan {median(scanned.wall for _, scanned in pairs):6.2f} s  file {megabytes:5.1f} MB  "
        f"processor time {processor:.3f}  ratio {ratio:.3f}  limit {LIMIT:.2f}  {'ok' if ratio <= LIMIT else 'OVER'}",
        flush=True,
    )
    return ratio


def cost(work: Callable[[], None]) -> Cost:
    wall, processor = time.perf_counter(), time.process_time()
    work()
    return Cost(time.perf_counter() - wall, time.process_time() - processor)


def run_bare(model: LoadedModel, data: str) -> None:
    source = load_source(data)
    indices = range(len(source.labels))
    preprocessing = choose_preprocessing(model, first_decodable(source, indices))
    with torch.inference_mode():
        for batch in load_batches(source, indices, preprocessing, batch_size=BATCH_SIZE):
            model.module(batch.inputs)


def run_scan(model: LoadedModel, data: str, out: Path) -> None:
    def ignore(progress: ScanProgress) -> None:
        pass

    scan(model, data, out=out, batch_size=BATCH_SIZE, force=True, on_progress=ignore)


if __name__ == "__main__":
    sys.exit(main())
