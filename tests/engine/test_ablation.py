"""Models tested with units of a layer removed: against passes made by hand, stopped and taken up, refused."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from nastui.ablation_records import AblationCurve, Ranking, Removal
from nastui.engine.ablation import AblationProgress, Execution, ablate_layer, ablate_unit
from nastui.engine.ablation_orders import AblationOptions
from nastui.engine.factories import call_factory
from nastui.errors import DataNotFound, ModelNotFound, ScanError, ScanInterrupted, StoreLocked, UsageError
from nastui.records import Address, Bool, Float32
from nastui.store.ablation_writer import AblationWriter
from nastui.store.reader import RunReader
from tests.scanned_files import CLASSES, N_IMAGES, add_basis, principal_axes, scan_files, scan_with_axes

CONV = Address("conv")
FITTED = np.arange(N_IMAGES) % 2 == 0
FEW = AblationOptions(steps=(1, 3), repeats=1)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return scan_with_axes(tmp_path_factory.mktemp("ablation")).parent


@pytest.fixture
def run_file(made: Path, tmp_path: Path) -> Path:
    """The run alone, elsewhere: it knows where its model and images are."""
    return Path(shutil.copy(made / "run.nas.db", tmp_path / "run.nas.db"))


def answers(folder: Path, edit: Callable[[Tensor], Tensor]) -> Bool:
    """Which images are predicted rightly (by their ids) where `edit` changes the map (N, 6, 5, 5), all by hand."""
    _, net = call_factory(f"{folder / 'net.py'}:net", ModelNotFound)
    assert isinstance(net, nn.Module)
    net.load_state_dict(torch.load(folder / "net.pt"))
    sources = sorted((folder / "images").rglob("*.png"))
    pixels = np.stack([np.asarray(Image.open(source)) for source in sources]) / np.float32(255)
    with torch.inference_mode():
        maps = edit(net.get_submodule("conv")(torch.from_numpy(pixels)[:, None]).clone())
        mix, head = net.get_submodule("mix"), net.get_submodule("head")
        logits = head(mix(torch.tanh(mix(maps.clamp(min=0).flatten(2).mean(2)))))
    labels = np.array([CLASSES.index(source.parent.name) for source in sources])
    is_right: Bool = logits.argmax(1).numpy() == labels
    return is_right


def stored(path: Path) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(
            "SELECT basis_id, ranking, seed, removal, fitted_on, tested_on, n_removed, n_done, is_right"
            " FROM ablation JOIN ablation_point ON ablation.id = ablation_id ORDER BY 1, 2, 3, 4, 7"
        ).fetchall()


def conv_values(path: Path) -> tuple[Float32, Float32]:
    """What conv gave, (N, 6), and the axes of its PCA."""
    with RunReader(path) as run:
        return run.activations(run.layer("conv")), run.axes(run.layer("conv", "pca"))


@pytest.mark.parametrize("removal", Removal)
def test_accuracy_is_that_of_passes_made_by_hand(made: Path, run_file: Path, removal: Removal) -> None:
    curves = ablate_layer(run_file, CONV, AblationOptions(removal, repeats=2))
    assert [(curve.basis, curve.ranking, curve.seed) for curve in curves] == [
        (basis, ranking, seed)
        for basis in ("neuron", "pca")
        for ranking, seed in ((Ranking.FALLING, None), (Ranking.RISING, None), (Ranking.RANDOM, 0), (Ranking.RANDOM, 1))
    ]
    values, axes = conv_values(run_file)
    centre = values[FITTED].mean(axis=0) if removal == Removal.MEAN else np.zeros(6, np.float32)
    variances = {"neuron": values[FITTED].var(axis=0), "pca": ((values[FITTED]) @ axes.T).var(axis=0)}
    for curve in curves:
        assert (curve.n_images, curve.n_units, curve.removal) == (24, 6, removal)
        assert [point.n_removed for point in curve.points] == [0, 1, 2, 3, 5, 6]
        orders = {
            Ranking.FALLING: np.argsort(-variances[curve.basis]),
            Ranking.RISING: np.argsort(variances[curve.basis]),
            Ranking.RANDOM: np.random.default_rng(curve.seed).permutation(6),
        }
        for point in curve.points:
            removed = (np.eye(6, dtype=np.float32) if curve.basis == "neuron" else axes)[
                orders[curve.ranking][: point.n_removed]
            ]
            is_right = answers(made, partial(by_hand, removed=removed, centre=centre))
            assert point.top1.value == pytest.approx(is_right[~FITTED].mean())


def by_hand(maps: Tensor, removed: Float32, centre: Float32) -> Tensor:
    """At every position, in float64."""
    x = maps.movedim(1, -1).double().numpy()
    axes = removed.astype(np.float64)
    return torch.from_numpy(x - (x - centre) @ axes.T @ axes).movedim(-1, 1).float()


def test_a_unit_s_cost_is_that_of_passes_made_by_hand(made: Path, run_file: Path) -> None:
    values, axes = conv_values(run_file)
    before = answers(made, lambda maps: maps)
    for address, axis, tested in (
        (Address("conv", 4), np.eye(6, dtype=np.float32)[4:5], np.ones(N_IMAGES, np.bool_)),
        (Address("conv", 0, "pca"), axes[:1], ~FITTED),
    ):
        cost = ablate_unit(run_file, address)
        # A neuron needs no ranking: all images test it, and its mean is over all of them.
        mean = (values if tested.all() else values[FITTED]).mean(axis=0)
        after = answers(made, partial(by_hand, removed=axis, centre=mean))
        assert (cost.unit, cost.removal, cost.n_images) == (address.unit, Removal.MEAN, tested.sum())
        assert cost.before.top1.value == pytest.approx(before[tested].mean())
        assert cost.after.top1.value == pytest.approx(after[tested].mean())
        assert cost.after.top1_change.value == pytest.approx(after[tested].mean() - before[tested].mean())
        labels = np.repeat([0, 1, 2], [24, 15, 9])
        for one in cost.classes:
            of_class = tested & (labels == one.class_id)
            assert one.n_images == of_class.sum()
            assert (one.n_right_before, one.n_right_after) == (before[of_class].sum(), after[of_class].sum())
            assert one.change.lo <= one.change.value <= one.change.hi
        shares = [one.n_right_after / one.n_images for one in cost.classes]
        assert cost.after.balanced.value == pytest.approx(np.mean(shares))


def test_slanted_axes_take_their_span_away(made: Path, run_file: Path) -> None:
    axes = np.array([[2, 1, 0, 0, 0, 0], [0, 1, 1, 0, 0, 0], [2, 2, 1, 0, 0, 0], [0, 0, 1, 1, 3, 0]], np.float32)
    add_basis(run_file, "conv", axes, name="slanted")
    values, _ = conv_values(run_file)
    mean = values[FITTED].mean(axis=0)
    curves = ablate_layer(run_file, Address("conv", basis="slanted"), AblationOptions(rankings=(Ranking.FALLING,)))
    order = np.argsort(-((values[FITTED] - mean) @ axes.T).var(axis=0))
    for point in curves[-1].points:
        # The third axis lies in the span of the first two; an orthonormal basis of the span from its singular vectors.
        chosen = axes[order[: point.n_removed]]
        rank = np.linalg.matrix_rank(chosen) if len(chosen) else 0
        span = np.linalg.svd(chosen, full_matrices=False)[2][:rank]
        is_right = answers(made, partial(by_hand, removed=span, centre=mean))
        assert point.top1.value == pytest.approx(is_right[~FITTED].mean())


class Stopper:
    """Stops after so many forward passes."""

    def __init__(self, passes: int) -> None:
        self.left = passes

    def __call__(self) -> bool:
        self.left -= 1
        return self.left < 0


def test_stopped_anywhere_it_goes_on_to_the_same_results(run_file: Path, tmp_path: Path) -> None:
    whole = Path(shutil.copy(run_file, tmp_path / "whole.nas.db"))
    ablate_layer(whole, CONV, FEW, execution=Execution(batch_size=5))
    n_stops = 0
    for _ in range(100):
        try:
            ablate_layer(run_file, CONV, FEW, execution=Execution(batch_size=5, should_stop=Stopper(7)))
            break
        except ScanInterrupted:
            n_stops += 1
    assert n_stops == 8  # of 65 passes every eighth
    assert stored(run_file) == stored(whole)


def test_killed_it_goes_on_from_the_last_commit(
    run_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nastui.store.ablation_writer.COMMIT_SECONDS", 0)
    copies: list[Path] = []

    def copy(progress: AblationProgress) -> None:
        """What lies there at this moment is what a power cut would leave."""
        if progress.done in (30, 100):
            copies.append(tmp_path / f"{progress.done}.nas.db")
            shutil.copy(run_file, copies[-1])
            shutil.copy(f"{run_file}-wal", f"{copies[-1]}-wal")

    ablate_layer(run_file, CONV, FEW, execution=Execution(batch_size=5, on_progress=copy))
    assert len(copies) == 2
    for path in copies:
        assert 0 < sum(int(str(row[7])) for row in stored(path)) < sum(int(str(row[7])) for row in stored(run_file))
        ablate_layer(path, CONV, FEW, execution=Execution(batch_size=5))
        assert stored(path) == stored(run_file)


def test_a_fault_loses_nothing_that_was_tested(run_file: Path) -> None:
    def fail(progress: AblationProgress) -> None:
        if progress.done == 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ablate_layer(run_file, CONV, FEW, execution=Execution(batch_size=5, on_progress=fail))
    assert sum(int(str(row[7])) for row in stored(run_file)) >= 20
    with RunReader(run_file) as run:
        assert run.ablations(run.layer("conv")) == ()  # nothing that is not complete is shown


def test_what_is_there_needs_no_model(made: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(made, tmp_path / "copy"))
    path = folder / "run.nas.db"
    path.unlink()
    path = scan_files(folder)
    add_basis(path, "conv", principal_axes(path, "conv"))
    first = ablate_layer(path, CONV, FEW)
    (folder / "net.pt").unlink()
    assert ablate_layer(path, CONV, FEW) == first
    with pytest.raises(ScanError, match=r"net\.pt"):
        ablate_layer(path, CONV, AblationOptions(steps=(2,), repeats=1))


def test_more_points_are_added_to_those_there_are(run_file: Path) -> None:
    ablate_layer(run_file, CONV, FEW)
    curves = ablate_layer(run_file, CONV, AblationOptions(steps=(2, 600), repeats=1))
    assert {tuple(point.n_removed for point in curve.points) for curve in curves} == {(0, 1, 2, 3)}


def test_results_on_other_images_are_replaced_by_force_alone(run_file: Path) -> None:
    ablate_layer(run_file, CONV, AblationOptions(steps=(1, 3), repeats=3))
    fewer = AblationOptions(steps=(1, 3), repeats=1, n_images=9)
    with pytest.raises(UsageError, match=r"results already, on 24 images(.|\n)*--force"):
        ablate_layer(run_file, CONV, fewer)
    ablate_unit(run_file, Address("conv", 1))
    ablate_layer(run_file, CONV, fewer, execution=Execution(force=True))
    with RunReader(run_file) as run:
        layer = run.layer("conv")
        assert {(curve.seed, curve.n_images) for curve in run.ablations(layer)} == {(None, 9), (0, 9)}
        assert run.unit_cost(layer, 1) is not None


def test_a_basis_that_is_replaced_takes_its_ablations_along(run_file: Path) -> None:
    ablate_layer(run_file, CONV, FEW)
    ablate_unit(run_file, Address("conv", 1, "pca"))
    add_basis(run_file, "conv", np.eye(6, dtype=np.float32), force=True)
    with RunReader(run_file) as run:
        layer = run.layer("conv", "pca")
        assert {curve.basis for curve in run.ablations(layer)} == {"neuron"}
        assert run.unit_cost(layer, 1) is None


def test_zero_and_mean_stand_side_by_side(run_file: Path) -> None:
    for removal in Removal:
        ablate_layer(run_file, CONV, AblationOptions(removal, steps=(1,), rankings=(Ranking.FALLING,)))
        ablate_unit(run_file, Address("conv", 2), AblationOptions(removal))
    with RunReader(run_file) as run:
        layer = run.layer("conv")
        curves: tuple[AblationCurve, ...] = run.ablations(layer)
        assert {curve.removal for curve in curves} == set(Removal)
        for removal in Removal:
            cost = run.unit_cost(layer, 2, removal)
            assert cost is not None
            assert cost.removal == removal
        assert run.unit_cost(layer, 3) is None


def test_the_rest_of_a_network_called_twice_stays(made: Path, run_file: Path) -> None:
    cost = ablate_unit(run_file, Address("mix#2", 0), AblationOptions(Removal.ZERO))
    _, net = call_factory(f"{made / 'net.py'}:net", ModelNotFound)
    assert isinstance(net, nn.Module)
    net.load_state_dict(torch.load(made / "net.pt"))
    head = net.get_submodule("head")
    assert isinstance(head, nn.Linear)
    with torch.inference_mode():
        head.weight[:, 0] = 0  # comes to the same
        sources = sorted((made / "images").rglob("*.png"))
        pixels = np.stack([np.asarray(Image.open(source)) for source in sources]) / np.float32(255)
        predicted = net(torch.from_numpy(pixels)[:, None]).argmax(1).numpy()
    labels = np.array([CLASSES.index(source.parent.name) for source in sources])
    assert cost.after.top1.value == pytest.approx((predicted == labels).mean())


def test_one_writes_at_a_time(run_file: Path) -> None:
    with AblationWriter(run_file), pytest.raises(StoreLocked):
        ablate_layer(run_file, CONV, FEW)


def test_an_image_that_is_gone_by_now_is_named(made: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(made, tmp_path / "copy"))
    (folder / "run.nas.db").unlink()
    path = scan_files(folder)
    add_basis(path, "conv", principal_axes(path, "conv"))
    victim = sorted((folder / "images" / "cat").iterdir())[3]
    victim.write_bytes(bytes(victim.stat().st_size))
    with pytest.raises(DataNotFound, match=rf"cat/{victim.name} could be read for the scan and cannot now"):
        ablate_unit(path, Address("conv", 0))
