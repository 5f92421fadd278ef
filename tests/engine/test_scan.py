from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

import nastui
from nastui.engine.scan import ScanProgress, scan
from nastui.errors import (
    DataNotFound,
    LayerNotFound,
    OutputExists,
    ScanError,
    ScanInterrupted,
    StoreError,
    UsageError,
)
from nastui.records import ReceptiveField, RunInfo
from nastui.store.reader import RunReader
from tests.engine.faulty_networks import KnowsTones, Tones
from tests.engine.networks import Awkward, ByHand


class Noise:
    """A map-style dataset of random 8×8 colour images, two classes; the same every time."""

    classes = ("cat", "dog")

    def __init__(self, n_images: int = 20) -> None:
        self.images = torch.rand(n_images, 3, 8, 8, generator=torch.Generator().manual_seed(1))
        self.targets = [index % 2 for index in range(n_images)]

    def __len__(self) -> int:
        return len(self.targets)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return self.images[index], self.targets[index]


class Grey:
    """Two 2×2 images whose activations in ByHand can be worked out by hand."""

    classes = ("up", "down")
    targets = (0, 1)

    def __len__(self) -> int:
        return 2

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        images = torch.tensor([[[[1.0, -2.0], [3.0, 0.0]]], [[[-1.0, -5.0], [-3.0, -4.0]]]])
        return images[index], self.targets[index]


def small_net() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6), nn.ReLU(inplace=True), nn.Dropout(0.5), nn.Flatten(), nn.Linear(216, 2)
    )


def folder_of_images(root: Path, n_images: int = 6) -> Path:
    random = np.random.default_rng(0)
    for index in range(n_images):
        folder = root / ("cat", "dog")[index % 2]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(random.integers(0, 256, (8, 8, 3), dtype=np.uint8)).save(folder / f"{index}.png")
    return root


def content(path: Path) -> dict[str, Any]:
    """All that a reader sees of a run's images and activations."""
    with RunReader(path) as run:
        table = run.image_table()
        found: dict[str, Any] = {
            "images": run.images(range(len(table.class_id))),
            "prediction": table.prediction.tolist(),
            "thumbnails": run.thumbnails(range(len(table.class_id))),
        }
        for layer in run.layers():
            units = run.unit_table(layer)
            found[layer.path] = run.activations(layer).tobytes()
            found[f"{layer.path} measures"] = (units.lo.tolist(), units.mean.tolist(), units.zeros.tolist())
            found[f"{layer.path} counts"] = run.footprints(layer, 0, layer.n_units).counts.tolist()
            found[f"{layer.path} positions"] = [
                None if places is None else places.tolist()
                for places in (run.positions(layer, unit) for unit in range(layer.n_units))
            ]
        return found


class StopAfter:
    """Asks to stop once so many batches are done."""

    def __init__(self, batches: int) -> None:
        self.left = batches

    def __call__(self) -> bool:
        self.left -= 1
        return self.left <= 0


def test_a_run_holds_what_can_be_worked_out_by_hand(tmp_path: Path) -> None:
    info = scan(ByHand(), Grey(), out=tmp_path / "run.nas.db", outputs=("up", "down"), on_progress=lambda _: None)
    assert (info.n_images, info.n_failed, info.n_matched, info.top1) == (2, 0, 2, 0.5)
    with nastui.open_run(info.path) as run:
        conv, fc = run.layers()
        assert (conv.path, conv.type, conv.shape, conv.n_units) == ("conv", "Conv2d", (2, 2, 2), 2)
        assert run.activations(conv).tolist() == [[6.0, 2.0], [-2.0, 5.0]]
        assert run.activations(fc).tolist() == [[10.0, 6.0], [13.0, -13.0]]
        places = run.positions(conv, 0)
        assert places is not None
        assert places.tolist() == [2, 0]
        assert run.positions(fc, 0) is None
        assert run.images([1])[0].top5 == (("up", 13.0), ("down", -13.0))
        assert run.images([1])[0].is_wrong


def test_nastui_scan_is_the_same_function() -> None:
    assert nastui.scan is scan


def test_a_module_in_hand_gets_its_modes_and_its_hooks_back(tmp_path: Path) -> None:
    model = small_net().train()
    model[1].eval()  # type: ignore[index]
    before = {name: module.training for name, module in model.named_modules()}
    scan(model, Noise(), out=tmp_path / "run.nas.db", on_progress=lambda _: None)
    assert {name: module.training for name, module in model.named_modules()} == before
    assert not any(module._forward_hooks for module in model.modules())


def test_batchnorm_is_not_touched_and_dropout_does_not_drop(tmp_path: Path) -> None:
    model = small_net().train()
    state = {name: value.clone() for name, value in model.state_dict().items()}
    first = scan(model, Noise(), out=tmp_path / "first.nas.db", on_progress=lambda _: None)
    second = scan(model, Noise(), out=tmp_path / "second.nas.db", on_progress=lambda _: None)
    assert all(torch.equal(state[name], value) for name, value in model.state_dict().items())
    assert content(first.path) == content(second.path)


def test_batch_size_and_workers_do_not_make_it_another_scan(tmp_path: Path) -> None:
    one = scan(small_net(), Noise(), out=tmp_path / "1.nas.db", batch_size=1, workers=1, on_progress=lambda _: None)
    many = scan(small_net(), Noise(), out=tmp_path / "7.nas.db", batch_size=7, on_progress=lambda _: None)
    assert one.spec.scan_sha256 == many.spec.scan_sha256
    with RunReader(one.path) as first, RunReader(many.path) as second:
        for layer, same in zip(first.layers(), second.layers(), strict=True):
            np.testing.assert_allclose(first.activations(layer), second.activations(same), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 1},
        {"reduce": "mean"},
        {"ranges": 20},
        {"dtype": "float16"},
        {"layers": "0"},
        {"per_class": 3},
        {"classes": ["dog"]},
        {"outputs": ("dog", "cat")},
    ],
    ids=str,
)
def test_what_changes_the_content_makes_it_another_scan(tmp_path: Path, change: dict[str, Any]) -> None:
    out = tmp_path / "run.nas.db"
    scan(small_net(), Noise(), out=out, on_progress=lambda _: None)
    before = out.read_bytes()
    with pytest.raises(OutputExists, match="another scan"):
        scan(small_net(), Noise(), out=out, on_progress=lambda _: None, **change)
    assert out.read_bytes() == before


def test_another_models_weights_make_it_another_scan(tmp_path: Path) -> None:
    out, model = tmp_path / "run.nas.db", small_net()
    scan(model, Noise(), out=out, on_progress=lambda _: None)
    with torch.no_grad():
        model[0].weight[0, 0, 0, 0] += 1  # type: ignore[index]
    with pytest.raises(OutputExists, match="another scan"):
        scan(model, Noise(), out=out, on_progress=lambda _: None)
    scan(model, Noise(), out=out, force=True, on_progress=lambda _: None)


def test_the_same_scan_again_says_that_it_is_finished(tmp_path: Path) -> None:
    out = tmp_path / "run.nas.db"
    scan(small_net(), Noise(), out=out, on_progress=lambda _: None)
    with pytest.raises(OutputExists, match="finished"):
        scan(small_net(), Noise(), out=out, on_progress=lambda _: None)


@pytest.mark.parametrize("force", [False, True])
def test_a_file_of_something_else_is_never_overwritten(tmp_path: Path, force: bool) -> None:
    out = tmp_path / "run.nas.db"
    out.write_text("my thesis")
    with pytest.raises(StoreError):
        scan(small_net(), Noise(), out=out, force=force, on_progress=lambda _: None)
    assert out.read_text() == "my thesis"


@pytest.mark.parametrize("reduce", ["max", "sample", "none"])
@pytest.mark.parametrize("batches", [1, 3])
def test_a_stopped_scan_resumes_to_the_same_content(tmp_path: Path, reduce: str, batches: int) -> None:
    def go(out: Path, should_stop: Callable[[], bool] | None = None) -> RunInfo:
        model = small_net()
        return scan(
            model, Noise(), out=out, reduce=reduce, batch_size=4, should_stop=should_stop, on_progress=lambda _: None
        )

    whole, out = go(tmp_path / "whole.nas.db"), tmp_path / "run.nas.db"
    with pytest.raises(ScanInterrupted, match=f"{batches * 4} of 20 images") as stopped:
        go(out, StopAfter(batches))
    assert "same command" in stopped.value.hint
    with RunReader(out) as half:
        assert (half.info().n_done, half.info().finished) == (batches * 4, None)
    assert go(out).finished is not None
    assert content(out) == content(whole.path)


def test_a_stop_inside_a_batch_takes_only_what_is_missing(tmp_path: Path) -> None:
    out = tmp_path / "run.nas.db"
    with pytest.raises(ScanInterrupted):
        scan(small_net(), Noise(), out=out, batch_size=5, should_stop=StopAfter(1), on_progress=lambda _: None)
    seen: list[ScanProgress] = []
    scan(small_net(), Noise(), out=out, batch_size=8, on_progress=seen.append)
    assert [p.done for p in seen if p.stage == "scanning"] == [5, 8, 16, 20]
    whole = scan(small_net(), Noise(), out=tmp_path / "whole.nas.db", on_progress=lambda _: None)
    with RunReader(out) as run, RunReader(whole.path) as other:
        for layer, same in zip(run.layers(), other.layers(), strict=True):
            np.testing.assert_allclose(run.activations(layer), other.activations(same), rtol=1e-5, atol=1e-6)


def test_stopping_while_units_are_measured_resumes_too(tmp_path: Path) -> None:
    out, stop = tmp_path / "run.nas.db", threading.Event()

    def stop_at_measuring(progress: ScanProgress) -> None:
        if progress.stage == "measuring":
            stop.set()

    with pytest.raises(ScanInterrupted, match="20 of 20"):
        scan(small_net(), Noise(), out=out, on_progress=stop_at_measuring, should_stop=stop.is_set)
    whole = scan(small_net(), Noise(), out=tmp_path / "whole.nas.db", on_progress=lambda _: None)
    scan(small_net(), Noise(), out=out, on_progress=lambda _: None)
    assert content(out) == content(whole.path)


def test_killed_without_warning_resumes_to_the_same_content(tmp_path: Path) -> None:
    script = (
        "import os, signal, sys; from pathlib import Path; from test_scan import Noise, scan, small_net\n"
        "def kill(progress):\n"
        "    if progress.done >= 1600: os.kill(os.getpid(), signal.SIGKILL)\n"
        "scan(small_net(), Noise(2000), out=sys.argv[1], batch_size=100, on_progress=kill)\n"
    )
    out = tmp_path / "run.nas.db"
    here = Path(__file__).parent
    environment = {**os.environ, "PYTHONPATH": str(here.parents[1])}
    killed = subprocess.run([sys.executable, "-c", script, str(out)], cwd=here, env=environment, check=False)
    assert killed.returncode == -signal.SIGKILL
    seen: list[ScanProgress] = []
    scan(small_net(), Noise(2000), out=out, batch_size=100, on_progress=seen.append)
    assert seen[0].done >= 1024  # a full row of tiles is in the file, whatever happens
    whole = scan(small_net(), Noise(2000), out=tmp_path / "a.nas.db", batch_size=100, on_progress=lambda _: None)
    assert content(out) == content(whole.path)


def test_ctrl_c_keeps_what_is_done(tmp_path: Path) -> None:
    out = tmp_path / "run.nas.db"

    def interrupt(progress: ScanProgress) -> None:
        if progress.done == 8:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(ScanInterrupted):
        scan(small_net(), Noise(), out=out, batch_size=4, on_progress=interrupt)
    with RunReader(out) as half:
        assert half.info().n_done == 8


def test_an_image_that_does_not_decode_is_recorded_and_the_scan_goes_on(tmp_path: Path) -> None:
    data = folder_of_images(tmp_path / "data")
    (data / "cat" / "broken.png").write_bytes(b"no picture")
    seen: list[ScanProgress] = []
    info = scan(small_net(), f"imagefolder:{data}", out=tmp_path / "run.nas.db", batch_size=2, on_progress=seen.append)
    assert (info.n_images, info.n_done, info.n_failed) == (7, 7, 1)
    assert any("1 of 7 images could not be decoded" in warning for warning in seen[-1].warnings)
    with RunReader(info.path) as run:
        failed = int(np.flatnonzero(~run.image_table().is_ok)[0])
        image = run.images([failed])[0]
        assert image.source == "cat/broken.png"
        assert image.error is not None
        values = run.activations(run.layers()[0])
        assert np.isnan(values[failed]).all()
        assert np.isfinite(np.delete(values, failed, axis=0)).all()


def test_originals_are_found_whatever_folder_the_viewer_starts_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder_of_images(tmp_path / "pets")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    first = (tmp_path / "pets/cat/0.png").read_bytes()
    for number, data in enumerate(("imagefolder:~/pets", "imagefolder:pets", "imagefolder:./pets/../pets")):
        out = tmp_path / f"{number}.nas.db"
        info = scan(small_net(), data, out=out, outputs=Noise.classes, on_progress=lambda _: None)
        assert (info.spec.data, info.spec.data_root) == (data, str(tmp_path / "pets"))
        with monkeypatch.context() as elsewhere, RunReader(out) as run:
            elsewhere.chdir("/")
            assert run.original(0) == first


def test_a_scan_goes_on_after_its_images_were_moved(tmp_path: Path) -> None:
    data, out = folder_of_images(tmp_path / "pets"), tmp_path / "run.nas.db"
    with pytest.raises(ScanInterrupted):
        scan(small_net(), f"imagefolder:{data}", out=out, batch_size=2, should_stop=StopAfter(1), on_progress=print)
    data.rename(tmp_path / "moved")
    info = scan(small_net(), f"imagefolder:{tmp_path / 'moved'}", out=out, on_progress=lambda _: None)
    assert (info.finished is not None, info.spec.data_root) == (True, str(tmp_path / "moved"))


def test_no_image_at_all_decodes(tmp_path: Path) -> None:
    (tmp_path / "data" / "cat").mkdir(parents=True)
    (tmp_path / "data" / "cat" / "broken.png").write_bytes(b"no picture")
    out = tmp_path / "run.nas.db"
    with pytest.raises(DataNotFound, match=r"broken\.png"):
        scan(small_net(), f"imagefolder:{tmp_path / 'data'}", out=out)
    assert not out.exists()


@pytest.mark.filterwarnings("ignore")
def test_odd_things_are_said(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="never calls it: spare") as said:
        scan(Awkward(), Noise(), out=tmp_path / "run.nas.db")
    assert any("no accuracy is claimed" in str(warning.message) for warning in said)


def test_a_layer_that_does_not_vary_is_said(tmp_path: Path) -> None:
    data = Noise()
    data.images[:] = data.images[0]
    with pytest.warns(UserWarning, match="every image got the same values"):
        scan(small_net(), data, out=tmp_path / "run.nas.db", outputs=("cat", "dog"))


def test_nothing_is_said_where_nothing_is_odd(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scan(KnowsTones(mean=0, std=1), Tones(20), out=tmp_path / "run.nas.db", outputs=Tones.classes)


def test_progress_counts_every_image_and_every_unit(tmp_path: Path) -> None:
    seen: list[ScanProgress] = []
    scan(small_net(), Noise(), out=tmp_path / "run.nas.db", batch_size=8, on_progress=seen.append)
    assert [p.done for p in seen if p.stage == "scanning"] == [0, 8, 16, 20]
    assert [p.done for p in seen if p.stage == "measuring"][-1] == 6 + 2
    assert seen[-1].stage == "finished"
    assert seen[-1].bytes_written == (tmp_path / "run.nas.db").stat().st_size


def test_wrong_options_come_before_any_file_is_made(tmp_path: Path) -> None:
    out = tmp_path / "run.nas.db"
    with pytest.raises(UsageError, match="batch_size is 0"):
        scan(small_net(), Noise(), out=out, batch_size=0)
    with pytest.raises(UsageError, match=r"ranges is 40000\.\nGive 200 or fewer"):
        scan(small_net(), Noise(), out=out, ranges=40_000)
    with pytest.raises(UsageError, match="'median'"):
        scan(small_net(), Noise(), out=out, reduce="median")
    with pytest.raises(LayerNotFound, match=r"'conv\*'"):
        scan(small_net(), Noise(), out=out, layers="conv*")
    with pytest.raises(UsageError, match="'tpu' is no device"):
        scan(small_net(), Noise(), out=out, device="tpu")
    with pytest.raises(ScanError, match="does not take images of shape 1×2×2"):
        scan(small_net(), Grey(), out=out)
    assert not out.exists()


def test_a_folder_that_does_not_exist_is_said(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="nowhere"):
        scan(small_net(), Noise(), out=tmp_path / "nowhere" / "run.nas.db", on_progress=lambda _: None)


def test_the_run_knows_what_each_layer_sees_of_the_image(tmp_path: Path) -> None:
    info = scan(small_net(), Noise(), out=tmp_path / "noise.nas.db", outputs=Noise.classes)
    assert (info.spec.input_height, info.spec.input_width) == (8, 8)
    with RunReader(info.path) as run:
        assert [layer.field for layer in run.layers()] == [ReceptiveField(3, 3, 1, 1, 0, 0), None]
