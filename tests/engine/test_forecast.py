"""What a trial foretells is what the scan then takes; and the trial leaves nothing behind."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from nastui.engine.doctor import diagnose, prepared
from nastui.engine.forecast import forecast_scan
from nastui.engine.models import adopt_model
from nastui.engine.scan import scan
from nastui.errors import ScanError, ScanInterrupted
from tests.engine.faulty_networks import Network, Tones

ON_CPU: dict[str, Any] = {"device": "cpu", "memory_format": "contiguous"}

# One process imports torch, which takes longer than both, and each is done in a fork of it: what one has taken, the
# other has not. Each ends as any program does, for that takes memory too.
FORETOLD_AND_REAL = """
import json, os, sys
from pathlib import Path
from nastui.engine.doctor import prepared
from nastui.engine.forecast import forecast_scan
from nastui.engine.scan import scan

arguments, out = json.loads(sys.argv[1]), Path(sys.argv[2])

def foretold():
    with prepared(**arguments) as found:
        forecast = forecast_scan(found.plan, found.place, batch_size=32)
    return [forecast.file_bytes, forecast.peak_bytes]

def real():
    scan(**arguments, out=out, on_progress=lambda _: None)
    return [out.stat().st_size]

for work in (foretold, real):
    process = os.fork()
    if process == 0:
        print(json.dumps(work()), flush=True)
        sys.exit()
    _, status, usage = os.wait4(process, 0)
    assert status == 0
print(usage.ru_maxrss * 1024)
"""


@pytest.fixture(autouse=True)
def temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where trials are made; empty after each test."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    assert list(folder.iterdir()) == []


@pytest.mark.skipif(sys.platform != "linux", reason="tells the peak by /proc")
def test_bytes_and_memory_of_a_real_scan_are_foretold(shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "quickdraw"
    arguments = {
        "model": f"{folder}/quickdraw_net.py:quickdraw_cnn",
        "weights": f"{folder}/weights/quickdraw20.pt",
        "data": f"imagefolder:{folder}/drawings20",
        **ON_CPU,
    }
    command = [sys.executable, "-c", FORETOLD_AND_REAL, json.dumps(arguments), str(tmp_path / "run.nas.db")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    (file_bytes, peak_bytes), (real_bytes,), real_peak = map(json.loads, done.stdout.splitlines())
    assert file_bytes == pytest.approx(real_bytes, rel=0.04)
    assert peak_bytes == pytest.approx(real_peak, rel=0.2)


@pytest.mark.parametrize(("reduce", "dtype"), [("max", "float32"), ("mean", "float16"), ("none", "float32")])
def test_bytes_follow_reduction_and_storage(tmp_path: Path, reduce: str, dtype: str) -> None:
    model = adopt_model(Network(), classes=Tones.classes)
    options: dict[str, Any] = {"reduce": reduce, "dtype": dtype, "layers": "conv,head", **ON_CPU}
    with prepared(model, Tones(150), **options) as found:
        forecast = forecast_scan(found.plan, found.place, batch_size=32)
    info = scan(model, Tones(150), out=tmp_path / "run.nas.db", on_progress=lambda _: None, **options)
    assert forecast.file_bytes == pytest.approx(info.path.stat().st_size, rel=0.05)


def test_a_trial_of_few_images_foretells_the_bytes_of_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nastui.engine.forecast._SECONDS", 0.0)
    model = adopt_model(Network(), classes=Tones.classes)
    with prepared(model, Tones(1500), **ON_CPU) as found:
        forecast = forecast_scan(found.plan, found.place, batch_size=16)
    assert forecast.n_tried < 400
    assert forecast.n_images == 1500
    info = scan(model, Tones(1500), out=tmp_path / "run.nas.db", on_progress=lambda _: None, **ON_CPU)
    assert forecast.file_bytes == pytest.approx(info.path.stat().st_size, rel=0.05)


@pytest.mark.parametrize(
    ("error", "expected"),
    [(KeyboardInterrupt(), ScanInterrupted), (RuntimeError("out of memory"), ScanError)],
    ids=["Ctrl-C", "the model fails"],
)
def test_a_trial_that_ends_early_leaves_nothing_behind(error: BaseException, expected: type[ScanError]) -> None:
    class FailsLater(Network):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            if len(images) > 8:
                raise error
            return super().forward(images)

    with pytest.raises(expected, match=r"Stopped\.|out of memory"):
        diagnose(adopt_model(FailsLater()), Tones(40), **ON_CPU)


def test_the_doctor_takes_what_the_scan_takes() -> None:
    of_scan = set(inspect.signature(scan).parameters)
    of_doctor = set(inspect.signature(prepared).parameters) | set(inspect.signature(diagnose).parameters)
    for_python_or_after_the_plan = {"out", "transform", "outputs", "kinds", "force", "distributed", "command"}
    assert of_scan - of_doctor == for_python_or_after_the_plan | {"on_progress", "should_stop"}
