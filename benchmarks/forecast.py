"""How well nastui doctor foretells what a scan takes: bytes of the file, peak memory, seconds.

For each model a forecast and the scan itself, in processes of their own and in turn; prints forecast ÷ scan for each of
the three and exits with 1 where one is beyond the limit, either way; a second more or less is no miss. Of the rounds
the quickest forecast and the quickest scan are compared, since other work on the machine only ever adds time. It
has to be idle all the same: at a load of 8 on two cores the times say nothing.

    python benchmarks/forecast.py DATA [--rounds 3] [MODEL …]     DATA: the folder with the weights and images
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LIMIT = 1.2
A_SECOND = 1.0
QUANTITIES = ("bytes", "memory", "seconds")


@dataclass(frozen=True, slots=True)
class Case:
    """A model and its images below DATA; the demo's digits need no files."""

    model: str
    data: str
    weights: str | None = None
    options: str = ""


CASES = {
    "resnet20": Case(
        "cifar10/cifar_nets.py:resnet20",
        "imagefolder:cifar10/test_jpg",
        "cifar10/weights/resnet20.pt",
        '{"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}',
    ),
    "squeezenet": Case(
        "torchvision:squeezenet1_0", "imagefolder:imagenet/images", "imagenet/weights/squeezenet1_0_fp16.pt"
    ),
    "quickdraw20": Case(
        "quickdraw/quickdraw_net.py:quickdraw_cnn",
        "imagefolder:quickdraw/drawings20",
        "quickdraw/weights/quickdraw20.pt",
    ),
    "tiny_vgg": Case(
        "tinyimagenet10/tiny_vgg.py:tiny_vgg",
        "imagefolder:tinyimagenet10/train",
        "tinyimagenet10/weights/tiny_vgg.pt",
    ),
    "digits": Case("nastui.engine.digits_net:digits_net", "digits:"),
}

FORECAST = """
import json, sys, time
from nastui.engine.forecast import forecast_scan
from nastui.engine.doctor import prepared

with prepared(**json.loads(sys.argv[1])) as planned:
    found = forecast_scan(planned.plan, planned.place, batch_size=32, planning_seconds=planned.seconds)
print(json.dumps({"bytes": found.file_bytes, "memory": found.peak_bytes, "seconds": found.seconds}))
"""
SCAN = """
import json, sys, time
from pathlib import Path
from nastui.engine.scan import scan

began = time.perf_counter()
scan(**json.loads(sys.argv[1]), on_progress=lambda _: None, force=True)
seconds = time.perf_counter() - began
size = Path(json.loads(sys.argv[1])["out"]).stat().st_size
print(json.dumps({"bytes": size, "seconds": seconds}))
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("models", nargs="*", default=list(CASES))
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    is_over = [measure(name, options.folder, options.rounds) for name in options.models]
    return 1 if any(is_over) else 0


def measure(name: str, folder: Path, rounds: int) -> bool:
    """Prints one model's ratios; returns whether one is beyond the limit."""
    case = CASES[name]
    arguments: dict[str, Any] = {"model": _below(folder, case.model), "data": _below(folder, case.data)}
    if case.weights is not None:
        arguments["weights"] = str(folder / case.weights)
    arguments |= json.loads(case.options or "{}")
    with tempfile.TemporaryDirectory() as place:
        out = {"out": str(Path(place) / "run.nas.db")}
        pairs = [(_run(FORECAST, arguments), _run(SCAN, arguments | out)) for _ in range(rounds)]
    forecasts, scans = zip(*pairs, strict=True)
    ratios = {key: min(one[key] for one in forecasts) / min(one[key] for one in scans) for key in QUANTITIES}
    last = min(scans, key=lambda one: one["seconds"])
    is_short = abs(min(one["seconds"] for one in forecasts) - last["seconds"]) < A_SECOND
    counted = [ratio for key, ratio in ratios.items() if key != "seconds" or not is_short]
    is_over = any(not 1 / LIMIT <= ratio <= LIMIT for ratio in counted)
    print(
        f"{name:12} {last['bytes'] / 1e6:6.1f} MB file  {last['memory'] / 1e6:6.0f} MB memory  "
        f"{last['seconds']:6.1f} s  "
        + "  ".join(f"{key} {ratio:.3f}" for key, ratio in ratios.items())
        + f"  limit {LIMIT:.2f} either way  {'OVER' if is_over else 'ok'}",
        flush=True,
    )
    return is_over


def _below(folder: Path, spec: str) -> str:
    kind, colon, place = spec.partition(":")
    if kind == "imagefolder":
        return f"{kind}:{folder / place}"
    return f"{folder / kind}{colon}{place}" if kind.endswith(".py") else spec


def _run(program: str, arguments: dict[str, Any]) -> dict[str, float]:
    """What the program says last; of a scan also the most memory until its process has ended, which takes some too."""
    command = [sys.executable, "-c", program, json.dumps(arguments)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        lines = process.stdout.read().splitlines()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    found: dict[str, float] = {"memory": usage.ru_maxrss * 1024} | json.loads(lines[-1])
    return found


if __name__ == "__main__":
    sys.exit(main())
