"""What a forward pass costs in each of the ways that nastui knows to run a model, and what each does to the values.

Prints milliseconds an image and the ratio to the plain pass, of wall time and of processor time. Each way has a process
of its own, since keeping the heap changes how a process's memory is used; passes take turns. There is no limit: the
figures are those of docs/speed.md.

    python benchmarks/forward_ways.py [--rounds 5] [--threads N] [--compile] [MODEL …]     names of torchvision
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from contextlib import nullcontext
from dataclasses import dataclass
from statistics import median

BATCH_SIZE = 32
MODELS = ("resnet18", "vgg16", "alexnet", "mobilenet_v3_small", "squeezenet1_0")


@dataclass(frozen=True, slots=True)
class Way:
    """How the model is run. `keeps_heap`: as every scan does; `has_hooks`: all convolutions and linear layers, max."""

    memory_format: str = "contiguous"
    precision: str = "float32"
    compiled: bool = False
    keeps_heap: bool = True
    has_hooks: bool = False


WAYS = {
    "plain": Way(keeps_heap=False),
    "heap kept": Way(),
    "with hooks": Way(has_hooks=True),
    "channels last": Way("channels_last"),
    "channels last, with hooks": Way("channels_last", has_hooks=True),
    "bfloat16, channels last, with hooks": Way("channels_last", "bfloat16", has_hooks=True),
}
COMPILED = {"compiled, with hooks": Way(compiled=True, has_hooks=True)}


class Side:
    """A process that makes passes in one way whenever it is told to."""

    def __init__(self, model: str, way: str, threads: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__, "--side", model, way],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": str(threads)},
        )
        self.effect = self._line()

    def go(self) -> tuple[float, float]:
        """Seconds of a pass: on the wall, and of the processor."""
        assert self._process.stdin is not None
        print("go", file=self._process.stdin, flush=True)
        wall, processor = map(float, self._line().split())
        return wall, processor

    def end(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", default=MODELS)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--compile", action="store_true", help="torch.compile too, which takes a minute a model")
    parser.add_argument("--side", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.side:
        serve(*options.side)
        return 0
    print(f"{options.threads} threads, batches of {BATCH_SIZE}, {options.rounds} rounds; ms an image, ratio to plain")
    for model in options.models:
        measure(model, options.rounds, options.threads, [*WAYS, *(COMPILED if options.compile else ())])
    return 0


def measure(model: str, rounds: int, threads: int, ways: list[str]) -> None:
    sides = {way: Side(model, way, threads) for way in ways}
    passes = [{way: side.go() for way, side in sides.items()} for _ in range(rounds)]
    for side in sides.values():
        side.end()
    print(model)
    for way, side in sides.items():
        wall, processor = (median(one[way][kind] for one in passes) * 1000 / BATCH_SIZE for kind in (0, 1))
        of_wall, of_processor = (median(one[way][kind] / one["plain"][kind] for one in passes) for kind in (0, 1))
        times = f"wall {wall:6.2f} {of_wall:5.2f}   processor {processor:6.2f} {of_processor:5.2f}"
        print(f"  {way:36} {times}   {side.effect}", flush=True)


def serve(model: str, name: str) -> None:
    """Say what the way does to values; then make a pass for every line of stdin, and say what it cost."""
    import numpy as np
    import torch

    from nastui.engine.capture import ActivationCapture
    from nastui.engine.computing import Computing
    from nastui.engine.heap import kept_heap
    from nastui.engine.layers import select_layers
    from nastui.engine.models import load_model
    from nastui.engine.trace import trace_calls
    from nastui.engine.trial import compare

    way = {**WAYS, **COMPILED}[name]
    module = load_model(f"torchvision:{model}").module
    images = torch.randn(BATCH_SIZE, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    layers = select_layers(trace_calls(module, images[:2]), "auto", "max").layers
    computing = Computing("cpu", way.memory_format, way.precision, way.compiled)  # type: ignore[arg-type]
    ids = np.arange(BATCH_SIZE)
    with ActivationCapture(module, layers, "max") as plain:
        expected = plain.run(images, ids)
    hooked = layers if way.has_hooks else ()
    with (
        kept_heap() if way.keeps_heap else nullcontext(),
        ActivationCapture(module, hooked, "max", computing=computing) as capture,
    ):
        found = capture.run(images, ids)
        effect = compare(expected, found) if way.has_hooks and not computing.is_plain else None
        print("" if effect is None else f"values {effect.largest_difference:.1e}, logits {effect.logits:.1e}")
        sys.stdout.flush()
        for _ in sys.stdin:
            wall, processor = time.perf_counter(), time.process_time()
            capture.run(images, ids)
            print(time.perf_counter() - wall, time.process_time() - processor, flush=True)


if __name__ == "__main__":
    sys.exit(main())
