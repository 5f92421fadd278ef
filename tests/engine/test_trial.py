"""The memory format is chosen by a trial, once, and everybody after keeps to it."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from nastui.engine import trial
from nastui.engine.computing import Computing, ComputingOptions
from nastui.engine.plan import PixelOptions, ScanOptions, ScanPlan
from nastui.engine.scan import ImageChoice, planned, scan
from nastui.engine.trial import Circumstances, choose_computing
from nastui.engine.trial_cache import TrialCache
from nastui.errors import OutputExists, ScanError, ScanInterrupted, UsageError
from nastui.records import RunInfo
from nastui.store.reader import RunReader
from tests.engine.test_scan import Noise, StopAfter, content, small_net

CPU = torch.device("cpu")
AUTO = ComputingOptions()
N_IMAGES = trial.LEAST_IMAGES


class Slow(nn.Module):
    """Takes its time in one memory format. `wrong` is what it adds to its values in channels last."""

    def __init__(self, slow: str, wrong: float = 0.0) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.slow, self.wrong = slow, wrong

    def forward(self, images: Tensor) -> Tensor:
        last = images.is_contiguous(memory_format=torch.channels_last)
        time.sleep(0.02 if self.slow == ("channels_last" if last else "contiguous") else 0.0)
        with torch.no_grad():
            pooled: Tensor = self.conv(images + self.wrong if last else images).mean((2, 3))
        return pooled


class Viewing(nn.Module):
    """Code of the old kind, for which maps must be contiguous."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)

    def forward(self, images: Tensor) -> Tensor:
        maps: Tensor = self.conv(images)
        return maps.view(len(images), -1)


class InPlace(nn.Module):
    """Normalises the images where they are, so that a second look at the same tensor gives something else."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)

    def forward(self, images: Tensor) -> Tensor:
        pooled: Tensor = self.conv(images.sub_(5.0).div_(0.5)).mean((2, 3))
        return pooled


def a_plan(model: nn.Module, n_images: int = N_IMAGES) -> Any:
    options = ScanOptions("auto", "max", 0, 30, PixelOptions(), None, "test")
    return planned(model, Noise(n_images), options, ImageChoice())


def around(cache: Path) -> Circumstances:
    return Circumstances(CPU, 32, cache)


def chosen(plan: ScanPlan, cache: Path, options: ComputingOptions = AUTO) -> Computing:
    return choose_computing(plan, options, around(cache))


def count_trials(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Grows by one with every trial of both formats."""
    made: list[int] = []
    original = trial._faster

    def counted(*arguments: Any) -> Computing:
        made.append(1)
        return original(*arguments)

    monkeypatch.setattr(trial, "_faster", counted)
    return made


@pytest.mark.parametrize("slow", ["contiguous", "channels_last"])
def test_the_faster_format_is_chosen_and_found_again_without_a_trial(
    tmp_path: Path, slow: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = count_trials(monkeypatch)
    with a_plan(Slow(slow)) as (plan, _):
        first = chosen(plan, tmp_path)
        assert first.memory_format == ("channels_last" if slow == "contiguous" else "contiguous")
        assert (first.effect is None) == (first.memory_format == "contiguous")
        assert chosen(plan, tmp_path) == first
    assert made == [1]


def test_other_circumstances_need_another_trial(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = count_trials(monkeypatch)
    torch.manual_seed(0)
    with a_plan(Slow("contiguous")) as (plan, _):
        chosen(plan, tmp_path)
        choose_computing(plan, AUTO, Circumstances(CPU, 16, tmp_path))
        chosen(plan, tmp_path, ComputingOptions(precision="bfloat16"))
        monkeypatch.setattr(torch, "__version__", "9.9")
        chosen(plan, tmp_path)
    with a_plan(Slow("contiguous")) as (plan, _):  # other weights
        chosen(plan, tmp_path)
    assert len(made) == 5


@pytest.mark.parametrize("text", ['{"memory_format": "tiled"}', '{"precision": "float8"}', '{"effect": 1}', "[]"])
def test_what_another_nastui_has_kept_is_found_out_anew(
    tmp_path: Path, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = count_trials(monkeypatch)
    with a_plan(Slow("channels_last")) as (plan, _):
        TrialCache(tmp_path).put(around(tmp_path).key(plan, AUTO), text)
        assert chosen(plan, tmp_path) == Computing()
    assert made == [1]


def test_values_beyond_rounding_stay_contiguous(tmp_path: Path) -> None:
    with a_plan(Slow("contiguous", wrong=0.01)) as (plan, _):
        assert chosen(plan, tmp_path) == Computing()


def test_a_model_that_changes_its_input_in_place_is_tried_on_the_same_images_each_time(tmp_path: Path) -> None:
    with a_plan(InPlace()) as (plan, _):
        effect = chosen(plan, tmp_path, ComputingOptions("channels_last")).effect
    assert effect is not None
    assert effect.largest_difference < 1e-4


def test_code_that_needs_contiguous_maps_gets_them(tmp_path: Path) -> None:
    with a_plan(Viewing()) as (plan, _):
        assert chosen(plan, tmp_path) == Computing()
        with pytest.raises(ScanError, match="does not run in channels last") as raised:
            chosen(plan, tmp_path, ComputingOptions("channels_last"))
    assert "--memory-format contiguous" in raised.value.hint


class Stopped(nn.Module):
    """Ctrl-C comes while it runs in channels last."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)

    def forward(self, images: Tensor) -> Tensor:
        if images.is_contiguous(memory_format=torch.channels_last):
            raise ScanInterrupted("Stopped.")
        pooled: Tensor = self.conv(images).mean((2, 3))
        return pooled


def test_ctrl_c_during_a_trial_ends_it_and_is_not_taken_for_its_outcome(tmp_path: Path) -> None:
    with a_plan(Stopped()) as (plan, _):
        with pytest.raises(ScanInterrupted):
            chosen(plan, tmp_path)
        assert TrialCache(tmp_path).get(around(tmp_path).key(plan, AUTO)) is None


def test_short_scans_and_models_without_convolutions_are_not_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = count_trials(monkeypatch)
    with a_plan(Slow("contiguous"), N_IMAGES - 1) as (plan, _):
        assert chosen(plan, tmp_path) == Computing()
    with a_plan(nn.Sequential(nn.Flatten(), nn.Linear(192, 2))) as (plan, _):
        assert chosen(plan, tmp_path) == Computing()
    assert made == []


def test_what_is_asked_for_comes_with_its_effect(tmp_path: Path) -> None:
    with a_plan(small_net(), 40) as (plan, _):
        found = chosen(plan, tmp_path, ComputingOptions("channels_last", "bfloat16"))
    assert (found.memory_format, found.precision) == ("channels_last", "bfloat16")
    assert found.effect is not None
    assert found.effect.images == 32
    assert 1e-4 < found.effect.largest_difference < 0.1


@pytest.mark.parametrize("left", ["no JSON", '["a list"]', '{"KEY": 7}', '{"KEY": "no JSON"}', '{"KEY": "[1]"}'])
def test_a_damaged_cache_only_means_a_new_trial(tmp_path: Path, left: str) -> None:
    with a_plan(Slow("contiguous")) as (plan, _):
        key = around(tmp_path).key(plan, AUTO)
        (tmp_path / "trials.json").write_text(left.replace("KEY", key))
        assert chosen(plan, tmp_path).memory_format == "channels_last"
    assert key in json.loads((tmp_path / "trials.json").read_text())


def test_a_cache_that_cannot_be_written_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with a_plan(Slow("contiguous")) as (plan, _):
        assert chosen(plan, tmp_path / "file").memory_format == "channels_last"


def test_the_cache_forgets_what_is_oldest(tmp_path: Path) -> None:
    cache = TrialCache(tmp_path)
    for number in range(503):
        cache.put(str(number), "text")
    cache.put("3", "newer")
    assert cache.get("2") is None
    assert (cache.get("3"), cache.get("502")) == ("newer", "text")
    assert [path.name for path in tmp_path.iterdir()] == ["trials.json"]


def go(out: Path, should_stop: Any = None, **options: Any) -> RunInfo:
    return scan(small_net(), Noise(N_IMAGES), out=out, should_stop=should_stop, on_progress=lambda _: None, **options)


def decide(monkeypatch: pytest.MonkeyPatch, memory_format: Any) -> None:
    """Let every trial that is made from now on end so, without the user's cache."""

    def faster(_trial: Any, plain: Computing) -> Computing:
        return Computing(plain.device, memory_format, plain.precision)

    monkeypatch.setattr(trial, "_faster", faster)
    monkeypatch.setattr(trial, "_known", lambda *_: None)


@pytest.mark.parametrize("begun_with", ["contiguous", "channels_last"])
def test_a_stopped_scan_goes_on_in_its_own_format_to_the_last_bit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, begun_with: str
) -> None:
    decide(monkeypatch, begun_with)
    whole, out = go(tmp_path / "whole.nas.db"), tmp_path / "run.nas.db"
    with pytest.raises(ScanInterrupted):
        go(out, StopAfter(3))
    decide(monkeypatch, "channels_last" if begun_with == "contiguous" else "contiguous")
    assert json.loads(go(out).spec.computing)["memory_format"] == begun_with
    assert content(out) == content(whole.path)


@pytest.mark.parametrize("change", [{"memory_format": "channels_last"}, {"precision": "bfloat16"}], ids=str)
@pytest.mark.parametrize("is_finished", [False, True])
def test_a_run_of_another_format_or_precision_is_not_gone_on_with(
    tmp_path: Path, change: dict[str, Any], is_finished: bool
) -> None:
    out = tmp_path / "run.nas.db"
    if is_finished:
        go(out, memory_format="contiguous")
    else:
        with pytest.raises(ScanInterrupted):
            go(out, StopAfter(3), memory_format="contiguous")
    before = out.read_bytes()
    with pytest.raises(OutputExists, match=r"begun with contiguous, float32\.\nAsk for the same"):
        go(out, **change)
    assert out.read_bytes() == before
    assert go(out, force=True, **change).finished is not None


def test_a_scan_says_and_keeps_what_bfloat16_does_to_its_values(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match=r"bfloat16 changes values by up to .*% of their layer's span"):
        info = scan(small_net(), Noise(), out=tmp_path / "run.nas.db", outputs=("cat", "dog"), precision="bfloat16")
    plain = scan(small_net(), Noise(), out=tmp_path / "plain.nas.db", outputs=("cat", "dog"))
    assert json.loads(plain.spec.computing) == {
        "device": "cpu",
        "memory_format": "contiguous",
        "precision": "float32",
        "compiled": False,
    }
    stated = json.loads(info.spec.computing)["effect"]["largest_difference"]
    with RunReader(info.path) as run, RunReader(plain.path) as other:
        pairs = [(run.activations(a), other.activations(b)) for a, b in zip(run.layers(), other.layers(), strict=True)]
    found = max(float(np.abs(rounded - exact).max() / np.ptp(exact)) for rounded, exact in pairs)
    assert stated == pytest.approx(found, rel=1e-4)  # all 20 images were among the first


def test_a_torchscript_file_is_not_compiled(tmp_path: Path) -> None:
    file = tmp_path / "net.pt"
    torch.jit.save(torch.jit.script(nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten())), str(file))
    with pytest.raises(UsageError, match="--compile gains nothing for a TorchScript file"):
        scan(f"torchscript:{file}", Noise(4), out=tmp_path / "run.nas.db", compiled=True)
