"""`torchrun -m nastui scan …` itself: processes that torch starts, one of which may be lost."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Generator
from pathlib import Path

import pytest

from nastui.engine.scan import scan
from nastui.store.content import read_content
from nastui.store.parts import Parts
from nastui.store.reader import RunReader
from tests.scanned_files import write_files
from tests.store.small_scan import child_environment

N_IMAGES = 64
DATA = f"""
import os, signal, time
from pathlib import Path
import torch

HERE = Path(__file__).parent
CLASSES = ("ant", "bee", "cat")

class Pictures:
    targets = [index % 3 for index in range({N_IMAGES})]

    def __len__(self):
        return {N_IMAGES}

    def __getitem__(self, index):
        if (HERE / "slow").exists():
            time.sleep(0.02)
        if index == 60 and (HERE / "kill").exists():  # an image of the last process
            (HERE / "kill").unlink()
            time.sleep(1)  # the others get somewhere
            os.kill(os.getpid(), signal.SIGKILL)
        if index % 11 == 5:
            raise OSError("this one is broken")
        return torch.rand(1, 7, 7, generator=torch.Generator().manual_seed(index)), index % 3

def pictures():
    return Pictures()
"""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model, images that can be slow or kill who reads them, and the scan of them by one process."""
    folder = tmp_path_factory.mktemp("torchrun")
    write_files(folder)
    (folder / "data.py").write_text(DATA)
    scan(
        f"{folder / 'net.py'}:net",
        f"{folder / 'data.py'}:pictures",
        out=folder / "whole.nas.db",
        weights=folder / "net.pt",
        reduce="sample",
        batch_size=4,
        device="cpu",
        on_progress=lambda _: None,
    )
    return folder


class ForkingTorchrun:
    """A process that starts nastui as torchrun does, over and over."""

    def __init__(self, files: Path) -> None:
        self.files = files
        self._errors = (files / "errors.txt").open("w+")
        self.process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("forking_torchrun.py"))],
            cwd=files,
            env={**child_environment(), "OMP_NUM_THREADS": "1", "NASTUI_PROGRESS": "json"},
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
        )
        assert self._output() == "ready\n"

    def start(self, out: str, count: int, restarts: int = 0) -> None:
        assert self.process.stdin is not None
        wanted = {"count": count, "arguments": scanning(self.files, out), "restarts": restarts}
        self.process.stdin.write(json.dumps(wanted) + "\n")
        self.process.stdin.flush()

    def run(self, out: str, count: int, restarts: int = 0) -> tuple[str, str]:
        self.start(out, count, restarts)
        return self.end()

    def end(self) -> tuple[str, str]:
        """How it ended, and what was written to stderr since the last time."""
        ended = self._output()
        while not ended.startswith("ended "):
            ended = self._output()
        self._errors.seek(0)
        said = self._errors.read()
        self._errors.truncate(0)
        return ended.removeprefix("ended ").strip(), said

    def said(self) -> str:
        """What was written to stderr so far."""
        return (self.files / "errors.txt").read_text()

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()
        self._errors.close()

    def _output(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline()


@pytest.fixture(scope="module")
def forking(files: Path) -> Generator[ForkingTorchrun, None, None]:
    launcher = ForkingTorchrun(files)
    yield launcher
    launcher.close()


def scanning(files: Path, out: str) -> list[str]:
    model = ["scan", "--model", f"{files / 'net.py'}:net", "--weights", "net.pt"]
    data = ["--data", f"{files / 'data.py'}:pictures", "--reduce", "sample"]
    return [*model, *data, "--batch-size", "4", "--device", "cpu", "--workers", "1", "--out", out]


def left(files: Path, out: str) -> list[str]:
    return sorted(path.name for path in files.iterdir() if out in path.name)


def test_torchrun_makes_one_file_of_two_processes(files: Path) -> None:
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "-m", "nastui"]
    environment = {**child_environment(), "OMP_NUM_THREADS": "1"}
    command = [*torchrun, *scanning(files, "two.nas.db")]
    found = subprocess.run(
        command, cwd=files, env=environment, text=True, capture_output=True, check=False, timeout=120
    )
    assert found.returncode == 0, found.stderr
    assert found.stdout == "two.nas.db\n", "one of them says it"
    assert found.stderr.count("6 of 64 images could not be decoded") == 1
    assert found.stderr.count("open it: nastui two.nas.db") == 1
    assert read_content(files / "two.nas.db") == read_content(files / "whole.nas.db")
    assert left(files, "two.nas.db") == ["two.nas.db"]


def test_a_process_that_is_lost_ends_all_and_the_rest_is_kept(files: Path, forking: ForkingTorchrun) -> None:
    for name in ("slow", "kill"):
        (files / name).touch()
    ended, said = forking.run("lost.nas.db", 3)
    assert ended.startswith("failed [")
    assert "-9" in ended
    assert said.count("error: ") == 1
    assert re.search(r"error: Stopped after \d+ of 64 images; the parts beside .*lost\.nas\.db keep them\.\n", said)
    assert "any number of processes" in said
    assert Parts(files / "lost.nas.db", (0, 20, 40, N_IMAGES)).n_done(0) > 0
    (files / "slow").unlink()
    assert forking.run("lost.nas.db", 2)[0] == "fine"
    assert read_content(files / "lost.nas.db") == read_content(files / "whole.nas.db")
    assert left(files, "lost.nas.db") == ["lost.nas.db"]


def test_torchrun_can_start_them_anew_by_itself(files: Path, forking: ForkingTorchrun) -> None:
    (files / "kill").touch()
    assert forking.run("anew.nas.db", 3, restarts=1)[0] == "fine"
    assert not (files / "kill").exists(), "one was lost"
    assert read_content(files / "anew.nas.db") == read_content(files / "whole.nas.db")


def test_a_finished_scan_is_said_once(files: Path, forking: ForkingTorchrun) -> None:
    ended, said = forking.run("whole.nas.db", 3)
    assert ended.startswith("failed ")
    assert said.count("error: ") == said.count("holds this very scan, finished on") == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_all_cleanly(files: Path, forking: ForkingTorchrun, number: signal.Signals) -> None:
    (files / "slow").touch()
    out = f"{number.name}.nas.db"
    forking.start(out, 2)
    while not re.search(r'"what": "Scanning", "done": [^0]', forking.said()):
        time.sleep(0.05)
    begin = time.monotonic()
    os.kill(forking.process.pid, number)
    ended, said = forking.end()
    assert time.monotonic() - begin < 20
    assert (ended, said.count("error: Stopped after ")) == (f"signal {number.name}", 1)
    parts = Parts(files / out, (0, 32, N_IMAGES))
    done = [parts.n_done(number) for number in parts.numbers]
    assert all(0 < count < 32 and count % 4 == 0 for count in done), "whole batches of both"
    with RunReader(parts.path(1)) as part:
        assert part.info().finished is None
