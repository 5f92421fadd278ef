from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from nastui.engine import digits_training
from nastui.engine.demo import DATA, MODEL, DemoProgress, DemoResult, make_demo
from nastui.engine.digits_training import N_EPOCHS
from nastui.engine.models import load_model
from nastui.engine.scan import scan
from nastui.engine.weights import file_sha256
from nastui.errors import ScanInterrupted, StoreFull
from nastui.store.content import read_content
from nastui.store.reader import RunReader


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> DemoResult:
    return make_demo(tmp_path_factory.mktemp("demo"))


def stop_after(epochs: int) -> Callable[[], bool]:
    left = iter(range(epochs - 1))
    return lambda: next(left, None) is None


def test_the_network_reads_digits_and_the_run_says_so(demo: DemoResult) -> None:
    assert demo.info.top1 is not None
    assert demo.info.top1 >= 0.97
    assert (demo.info.n_images, demo.info.n_failed, demo.info.n_matched) == (539, 0, 539)
    assert not demo.is_cached
    with RunReader(demo.run) as run:
        assert [layer.path for layer in run.layers()] == ["conv1", "conv2", "conv3", "conv4", "conv5", "head"]


def test_checkpoints_are_kept_from_the_untrained_network_on(demo: DemoResult) -> None:
    assert demo.checkpoints[0].name == "digits_epoch00.pt"
    assert demo.checkpoints[-1].name == f"digits_epoch{N_EPOCHS}.pt"
    for path in demo.checkpoints:
        load_model(MODEL, path)


def test_it_is_the_same_every_time_and_leaves_torch_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(digits_training, "N_EPOCHS", 4)  # what is the same after four epochs is after twenty
    n_threads = torch.get_num_threads()
    made = []
    for seed in (77, 78):
        torch.manual_seed(seed)
        state = torch.get_rng_state()
        made.append(make_demo(tmp_path / str(seed)))
        assert torch.equal(torch.get_rng_state(), state)
    one, again = made
    assert [path.name for path in one.checkpoints] == ["digits_epoch00.pt", "digits_epoch04.pt"]
    assert [file_sha256(path) for path in again.checkpoints] == [file_sha256(path) for path in one.checkpoints]
    assert read_content(again.run) == read_content(one.run)
    assert torch.get_num_threads() == n_threads


def test_a_whole_demo_comes_back_at_once(demo: DemoResult) -> None:
    seen: list[DemoProgress] = []
    again = make_demo(demo.folder, on_progress=seen.append)
    assert again.is_cached
    assert (again.run, again.checkpoints, again.info) == (demo.run, demo.checkpoints, demo.info)
    assert not seen


def test_the_run_can_be_scanned_again_from_what_it_says_of_itself(demo: DemoResult, tmp_path: Path) -> None:
    spec = demo.info.spec
    again = scan(spec.model, spec.data, weights=spec.weights, out=tmp_path / "again.nas.db", on_progress=lambda _: None)
    assert (spec.model, spec.data) == (MODEL, DATA)
    assert again.spec.scan_sha256 == spec.scan_sha256
    assert again.top1 == demo.info.top1


def test_a_demo_stopped_half_way_is_noticed_and_made_anew(tmp_path: Path) -> None:
    seen: list[DemoProgress] = []
    with pytest.raises(ScanInterrupted, match="3 of 20 epochs"):
        make_demo(tmp_path, on_progress=seen.append, should_stop=stop_after(3))
    assert [(p.stage, p.done, p.total) for p in seen] == [("training", epoch, N_EPOCHS) for epoch in range(4)]
    assert seen[-1].accuracy is not None
    with pytest.raises(ScanInterrupted, match="1 of 20 epochs"):
        make_demo(tmp_path, should_stop=stop_after(1))


@pytest.mark.parametrize("damage", ["digits.nas.db", "digits_epoch04.pt", "demo.json"])
def test_a_demo_with_a_missing_or_broken_file_is_made_anew(demo: DemoResult, tmp_path: Path, damage: str) -> None:
    for file in demo.folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    if damage == "demo.json":
        (tmp_path / damage).write_text('{"recipe": 0}')
    else:
        (tmp_path / damage).unlink()
    with pytest.raises(ScanInterrupted):
        make_demo(tmp_path, should_stop=stop_after(1))


def test_fresh_makes_it_anew(demo: DemoResult, tmp_path: Path) -> None:
    for file in demo.folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    with pytest.raises(ScanInterrupted):
        make_demo(tmp_path, fresh=True, should_stop=stop_after(1))


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreFull, match="cannot be written"):
        make_demo(tmp_path / "file" / "demo")
