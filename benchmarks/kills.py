"""Scans killed by SIGKILL at random moments and gone on with, until each is finished: is anything lost or otherwise?

Every scan is a process of its own, forked from one that has imported torch and done nothing with it. After each kill
all that the file says is done is read and compared with a scan that nobody disturbed, and so is its whole content (see
store/content.py) in the end. A fifth of the images do not decode. The moments are spread evenly over how long the whole
scan takes, so that making the file, rows of tiles, measuring and the end are all hit; rows are small and commits are
many, so that there is more to be caught halfway.

Prints a line a case and ends with 1 where anything is lost or not equal.

    python benchmarks/kills.py [--kills 200] [--seed 0]
"""

from __future__ import annotations

import argparse
import faulthandler
import os
import random
import shutil
import signal
import tempfile
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from torch import Tensor, nn
from torch.distributed import HashStore  # type: ignore[attr-defined]

from nastui.engine import scan as scan_module
from nastui.engine.scan import ScanProgress, scan
from nastui.engine.torchrun import TorchrunRanks
from nastui.errors import NastuiError, OutputExists
from nastui.records import RunInfo
from nastui.store import tiles, writer
from nastui.store.content import read_content
from nastui.store.parts import Parts, find_parts
from nastui.store.reader import RunReader

HANGS_AFTER_S = 120
N_IMAGES = 150
BATCH_SIZE = 6
CASES: dict[str, dict[str, Any]] = {
    "max": {"reduce": "max"},
    "sample": {"reduce": "sample", "seed": 5},
    "float16": {"reduce": "max", "dtype": "float16"},
    "none": {"reduce": "none"},
    "parts": {"reduce": "sample"},  # of three processes, gone on with by one
}


class Pictures:
    """Random 8×8 colour images of two classes; every fifth fails, and all images of two batches do."""

    classes = ("cat", "dog")
    targets = [index % 2 for index in range(N_IMAGES)]  # noqa: RUF012

    def __len__(self) -> int:
        return N_IMAGES

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        if index % 5 == 3 or 60 <= index < 72:
            raise OSError("this one is broken")
        return torch.rand(3, 8, 8, generator=torch.Generator().manual_seed(index)), index % 2


def network() -> nn.Module:
    torch.manual_seed(0)
    layers = [nn.Conv2d(3, 70, 3), nn.ReLU(inplace=True), nn.Conv2d(70, 6, 3), nn.ReLU(), nn.Flatten()]
    return nn.Sequential(*layers, nn.Linear(96, 2))


@dataclass(slots=True)
class Tally:
    """What came of a case. `hit`: where kills met the file; `lost`: images that were done, and were not afterwards."""

    kills: int = 0
    finished: int = 0
    lost: int = 0
    unequal: int = 0
    hit: Counter[str] = field(default_factory=Counter)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    writer.COMMIT_SECONDS, tiles.TILE_IMAGES = 0.002, 16
    random.seed(options.seed)
    tallies = []
    with tempfile.TemporaryDirectory() as folder:
        for number, name in enumerate(CASES):
            share = options.kills * (number + 1) // len(CASES) - options.kills * number // len(CASES)
            tally = kill(name, share, Path(folder))
            tallies.append(tally)
            hit = ", ".join(f"{count} {where}" for where, count in sorted(tally.hit.items()))
            print(
                f"{name:8} {tally.kills} kills ({hit}), {tally.finished} scans finished, "
                f"{tally.lost} images lost, {tally.unequal} unequal",
                flush=True,
            )
    print(f"all      {sum(one.kills for one in tallies)} kills, {sum(one.finished for one in tallies)} scans finished")
    return 1 if any(one.lost or one.unequal or not one.finished for one in tallies) else 0


def kill(name: str, n_kills: int, folder: Path) -> Tally:
    """Kill scans of one case so many times, and let the last one end."""
    whole, template = folder / f"{name}-whole.nas.db", folder / f"{name}-template"
    begin = time.monotonic()
    assert not is_killed(start(lambda: scan_once(name, whole)))
    duration = time.monotonic() - begin
    template.mkdir()
    if name == "parts":
        assert not is_killed(start(lambda: leave_parts(template / "run.nas.db")))
    tally, expected = Tally(), Expected(whole)
    while tally.kills < n_kills:
        place = folder / f"{name}-{tally.finished}"
        shutil.copytree(template, place)
        kill_until_finished(name, place / "run.nas.db", duration, n_kills, tally, expected)
        tally.finished += 1
        tally.unequal += read_content(place / "run.nas.db") != expected.content
        tally.unequal += sorted(path.name for path in place.iterdir()) != ["run.nas.db"]
        shutil.rmtree(place)
    return tally


def kill_until_finished(name: str, out: Path, duration: float, n_kills: int, tally: Tally, expected: Expected) -> None:
    done = expected.done(out)[0]
    while True:
        process = start(lambda: scan_once(name, out))
        if tally.kills < n_kills:
            time.sleep(random.uniform(0, duration))
            os.kill(process, signal.SIGKILL)
        if not is_killed(process):
            return
        tally.kills += 1
        now, where, is_right = expected.done(out)
        tally.hit[where] += 1
        tally.lost += max(done - now, 0)
        tally.unequal += not is_right
        done = now


class Expected:
    """What a scan that nobody disturbed has, and how far another one is in that."""

    def __init__(self, whole: Path) -> None:
        self.content = read_content(whole)
        with RunReader(whole) as run:
            self._info = run.info()
            self._values = {layer.path: run.activations(layer) for layer in run.layers()}
            self._images = run.images(range(N_IMAGES))
            self._thumbnails = run.thumbnails(range(N_IMAGES))

    def done(self, out: Path) -> tuple[int, str, bool]:
        """How many images the files beside `out` hold, where the scan is, and if they hold what they say."""
        parts = find_parts(out, self._info.spec) or Parts(out, (0,))
        files = [(parts.path(n), parts.images(n)) for n in parts.numbers if parts.path(n).exists()]
        done, is_right = parts.bounds[0], True
        for path, images in files:
            info, is_part_right = self._look(path, images)
            done, is_right = done + info.n_done, is_right and is_part_right
        if not out.exists():
            return done, "before the file" if not files else "parts", is_right
        info, is_whole_right = self._look(out, range(N_IMAGES))
        if info.finished is not None:
            where = "finished"
        elif info.n_done == N_IMAGES:
            where = "measuring"
        else:
            where = "merging" if files else "no image yet" if info.n_done == 0 else "scanning"
        return max(done, info.n_done), where, is_right and is_whole_right

    def _look(self, path: Path, images: range) -> tuple[RunInfo, bool]:
        with RunReader(path) as run:
            info = run.info()
            known = images[: info.n_done]
            is_right = info.n_images == len(images)
            for layer in run.layers():
                found = run.activations(layer)
                wanted = self._values[layer.path][known.start : known.stop]
                is_right &= np.array_equal(found[: info.n_done], wanted, equal_nan=True)
                is_right &= bool(np.isnan(found[info.n_done :]).all())
            wanted_images = [(one.source, one.top5, one.error) for one in self._images[known.start : known.stop]]
            is_right &= [(one.source, one.top5, one.error) for one in run.images(range(info.n_done))] == wanted_images
            thumbnails = {image + images.start: data for image, data in run.thumbnails(range(info.n_images)).items()}
            is_right &= thumbnails == {i: data for i, data in self._thumbnails.items() if i in known}
        return info, is_right


def scan_once(name: str, out: Path) -> None:
    with suppress(OutputExists):  # killed when all was done
        scan(
            network(), Pictures(), out=out, batch_size=BATCH_SIZE, workers=2, on_progress=lambda _: None, **CASES[name]
        )


def leave_parts(out: Path) -> None:
    """What three processes leave that were asked to stop, when the first one had done two batches."""
    store, joined, stop = HashStore(), threading.local(), threading.Event()

    def watch(progress: ScanProgress) -> None:
        if progress.done >= 2 * BATCH_SIZE:
            stop.set()

    def go(number: int) -> None:
        joined.ranks = TorchrunRanks(store, number, 3)
        options = {"on_progress": watch, "should_stop": stop.is_set, "distributed": True, **CASES["parts"]}
        with suppress(NastuiError):  # it is asked to stop
            scan(network(), Pictures(), out=out, batch_size=BATCH_SIZE, **options)

    with patch.object(scan_module, "join_ranks", lambda: joined.ranks), ThreadPoolExecutor(3) as threads:
        list(threads.map(go, range(3)))


def start(act: Callable[[], None]) -> int:
    """Do it in a forked process; returns its number."""
    process = os.fork()
    if process:
        return process
    status = 1
    try:
        faulthandler.dump_traceback_later(HANGS_AFTER_S, exit=True)
        act()
        status = 0
    except BaseException:  # the edge of the process
        traceback.print_exc()
    finally:
        os._exit(status)


def is_killed(process: int) -> bool:
    """Whether the process was killed; it has come to its end otherwise. Raises RuntimeError where it has failed."""
    status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    if status > 0:
        raise RuntimeError(f"a scan ended with status {status}")
    return status != 0


if __name__ == "__main__":
    raise SystemExit(main())
