"""A scan against captum's activation store at the same job: all conv and linear layers of ResNet-18 on some JPEGs.

`captum` is `AV.generate_dataset_activations`, which writes a file a layer and batch and keeps whole maps: it has no
reduction. `captum, reduced` is put together from its parts so that it keeps what nastui keeps: `LayerActivation`, the
maximum of each map with its position, `AV.save`. Both get their images from nastui's own loader, so that only what
follows is compared. nastui does more in that time: previews, predictions, sums over files, and the measures of all
units at the end. `bare` is the forward alone. Each has a process of its own; memory is what it took at most beyond its
imports. Rounds alternate and medians count. Exits with 1 where nastui takes more of anything than captum.

    python benchmarks/peer.py [--rounds 3] [--images 256]

Not compared: thingsvision 2.7, which needs torchvision 0.15 and NumPy 1 and so does not install beside this torch.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

import torch
from captum._utils.av import AV
from captum.attr import LayerActivation
from scan_memory import memory, reset_peak
from scan_overhead import BATCH_SIZE, write_images
from torch import Tensor

from nastui.engine.loader import first_decodable, load_batches
from nastui.engine.models import LoadedModel, load_model
from nastui.engine.preprocessing import choose_preprocessing
from nastui.engine.scan import scan
from nastui.engine.sources import load_source

NASTUI = "nastui"
MODEL = "torchvision:resnet18"
COLUMNS = {"wall": "s", "processor": "s", "memory": "MB", "disk": "MB"}


class Images:
    """The images as batches of the model's input, as a data loader gives them."""

    def __init__(self, model: LoadedModel, data: str) -> None:
        self._source = load_source(data)
        self._indices = range(len(self._source.labels))
        self._preprocessing = choose_preprocessing(model, first_decodable(self._source, self._indices))

    def __iter__(self) -> Iterator[Tensor]:
        for batch in load_batches(self._source, self._indices, self._preprocessing, batch_size=BATCH_SIZE):
            assert batch.inputs is not None
            yield batch.inputs


def run_bare(model: LoadedModel, data: str, out: Path) -> None:
    with torch.inference_mode():
        for inputs in Images(model, data):
            model.module(inputs)


def run_nastui(model: LoadedModel, data: str, out: Path) -> None:
    scan(model, data, out=out / "run.nas.db", batch_size=BATCH_SIZE, on_progress=lambda progress: None)


def run_captum(model: LoadedModel, data: str, out: Path) -> None:
    with torch.inference_mode():
        AV.generate_dataset_activations(str(out), model.module, "model", layers_of(model), Images(model, data))


def run_captum_reduced(model: LoadedModel, data: str, out: Path) -> None:
    names = layers_of(model)
    activation = LayerActivation(model.module, [model.module.get_submodule(name) for name in names])
    with torch.inference_mode():
        for number, inputs in enumerate(Images(model, data)):
            maps = activation.attribute(inputs)
            AV.save(str(out), "model", "default", names, [reduced(one) for one in maps], str(number))


def reduced(maps: Tensor) -> Tensor | tuple[Tensor, Tensor]:
    if maps.ndim == 2:
        return maps
    values, positions = maps.flatten(2).max(dim=2)
    return values, positions.to(torch.int16)


def layers_of(model: LoadedModel) -> list[str]:
    kinds = (torch.nn.Conv2d, torch.nn.Linear)
    return [name for name, module in model.module.named_modules() if isinstance(module, kinds)]


WAYS: dict[str, Callable[[LoadedModel, str, Path], None]] = {
    "bare": run_bare,
    NASTUI: run_nastui,
    "captum": run_captum,
    "captum, reduced": run_captum_reduced,
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--images", type=int, default=256)
    parser.add_argument("--child", nargs=3, metavar=("WAY", "DATA", "OUT"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        print(json.dumps(measure(*options.child)))
        return 0
    found: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
    with tempfile.TemporaryDirectory() as folder:
        data = write_images(Path(folder) / "images", options.images)
        for _ in range(options.rounds):
            for way in WAYS:
                with tempfile.TemporaryDirectory(dir=folder) as out:
                    command = [sys.executable, __file__, "--child", way, data, out]
                    said = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
                    found[way].append(json.loads(said.splitlines()[-1]))
    medians = {way: {name: median(one[name] for one in all_of) for name in COLUMNS} for way, all_of in found.items()}
    return report(options.images, medians)


def report(n_images: int, medians: dict[str, dict[str, float]]) -> int:
    print(f"{MODEL}, {n_images} images, torch {torch.__version__}, {torch.get_num_threads()} threads")
    for way, costs in medians.items():
        print(f"{way:16}" + "".join(f"  {name} {costs[name]:8.1f} {unit}" for name, unit in COLUMNS.items()))
    ours = medians[NASTUI]
    for way in ("captum", "captum, reduced"):
        ratios = "  ".join(f"{name} {ours[name] / medians[way][name]:.2f}" for name in COLUMNS)
        print(f"nastui / {way:16}  {ratios}")
    worst = max(ours[name] / medians["captum"][name] for name in COLUMNS)
    print(f"ratio {worst:.2f}  limit 1.00  {'ok' if worst <= 1 else 'OVER'}")
    return 1 if worst > 1 else 0


def measure(way: str, data: str, out: str) -> dict[str, float]:
    model = load_model(MODEL)
    model.module.eval()
    before = memory("VmRSS")
    reset_peak()
    wall, processor = time.perf_counter(), processor_time()
    WAYS[way](model, data, Path(out))
    return {
        "wall": time.perf_counter() - wall,
        "processor": processor_time() - processor,
        "memory": memory("VmHWM") - before,
        "disk": sum(file.stat().st_size for file in Path(out).rglob("*") if file.is_file()) / 1e6,
    }


def processor_time() -> float:
    """Of all threads and of processes that have ended."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


if __name__ == "__main__":
    sys.exit(main())
