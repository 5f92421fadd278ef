"""Images shown to a run's model afterwards: an image of the run itself must get what it got."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from nastui.bases.fitting import fit_basis
from nastui.bases.recipe import Recipe
from nastui.engine.plan import PixelOptions
from nastui.engine.probing import Probing, find_images, probe_images
from nastui.engine.rebuild import Anew
from nastui.engine.scan import scan
from nastui.errors import DataNotFound, ScanError, ScanInterrupted, UsageError, WeightsError
from nastui.records import NEURON, Address, LayerInfo
from nastui.store.reader import RunReader
from tests.scanned_files import scan_files


def images_of(path: Path, ids: list[int]) -> list[Path]:
    with RunReader(path) as run:
        root = Path(run.info().spec.data_root or "")
        return [root / image.source for image in run.images(ids)]


def check_own(path: Path, ids: list[int], *, tolerance: float = 1e-5) -> None:
    """The probes are these images of the run: each layer and basis gives them what it gave them in the scan."""
    with RunReader(path) as run:
        assert [one.top5[0][0] for one in run.probes()] == [image.predicted for image in run.images(ids)]
        for layer in run.layers():
            stored = np.stack([run.image_values(layer, image) for image in ids])
            scale = float(np.abs(stored).max()) or 1.0
            np.testing.assert_allclose(
                run.probe_values(layer), stored, rtol=0, atol=tolerance * scale, err_msg=str(layer.address)
            )
            if layer.basis == NEURON:
                _check_positions(run, layer, ids)


def _check_positions(run: RunReader, layer: LayerInfo, ids: list[int]) -> None:
    found = run.probe_positions(layer)
    stored = [run.positions(layer, unit) for unit in range(layer.n_units)]
    if found is None or any(one is None for one in stored):
        assert found is None
        assert stored == [None] * layer.n_units
    else:
        # Of two positions with equal values, rounding may choose the other in another batch.
        same = found == np.stack([one[ids] for one in stored if one is not None], axis=1)
        assert same.mean() > 0.99


@pytest.mark.parametrize("reduce", ["sample", "max", "mean", "center", "none"])
def test_an_image_of_the_run_gets_what_it_got(files: Path, reduce: str) -> None:
    path = scan_files(files, reduce=reduce, seed=5)
    done: list[tuple[int, int]] = []
    remarks: list[str] = []
    probing = Probing(on_progress=lambda *now: done.append(now), on_remark=remarks.append)
    found = probe_images(path, images_of(path, [3, 41, 7]), probing)
    assert (found.ids, found.failures) == ((1, 2, 3), ())
    assert done == [(0, 3), (1, 3), (2, 3), (3, 3)]
    assert remarks == []
    check_own(path, [3, 41, 7])


def test_along_computed_bases_too_also_those_that_are_fitted_later(files: Path) -> None:
    path = scan_files(files, reduce="max")
    probe_images(path, images_of(path, [3, 41, 7]))
    fit_basis(path, Address("mix#1"), Recipe.of("pca", k=4))
    fit_basis(path, Address("conv"), Recipe.of("nmf", k=3, rectified=True))
    np.savez(files / "mine.npz", axes=np.eye(6, dtype=np.float32)[:2] * 3, bias=np.array([1, -1], np.float32))
    fit_basis(path, Address("mix#2"), Recipe.of(str(files / "mine.npz")))
    check_own(path, [3, 41, 7], tolerance=1e-4)


@pytest.mark.parametrize(
    ("model", "weights", "data", "options", "layers", "ids"),
    [
        (
            "cifar10/cifar_nets.py:resnet20",
            "cifar10/weights/resnet20.pt",
            "cifar10/test_jpg",
            {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)},
            "conv1,layer2.1.conv2,linear",
            [0, 11, 25],
        ),
        (
            "torchvision:squeezenet1_0",
            "imagenet/weights/squeezenet1_0_fp16.pt",
            "imagenet/images",
            {},
            "features.0,features.12.expand3x3,classifier.1",
            [0, 4],
        ),
    ],
    ids=["resnet20", "squeezenet"],
)
def test_real_networks_give_an_image_of_the_run_what_they_gave_it(
    shared_data: Path,
    tmp_path: Path,
    model: str,
    weights: str,
    data: str,
    options: dict[str, Any],
    layers: str,
    ids: list[int],
) -> None:
    info = scan(
        model if model.startswith("torchvision:") else f"{shared_data}/{model}",
        f"imagefolder:{shared_data / data}",
        weights=shared_data / weights,
        layers=layers,
        per_class=3 if "cifar" in data else 1,
        out=tmp_path / "run.nas.db",
        on_progress=lambda _: None,
        **options,
    )
    probe_images(info.path, images_of(info.path, ids))
    check_own(info.path, ids)


def test_sample_takes_the_same_position_of_a_picture_each_time(files: Path) -> None:
    path = scan_files(files, reduce="sample")
    other = files / "other.png"
    Image.fromarray(np.arange(49, dtype=np.uint8).reshape(7, 7)).save(other)
    probe_images(path, [other])
    with RunReader(path) as run:
        before = run.probe_positions(run.layer("conv"))
    probe_images(path, [*images_of(path, [1]), other])
    with RunReader(path) as run:
        after = run.probe_positions(run.layer("conv"))
    assert before is not None
    assert after is not None
    assert before[0].tolist() == after[0].tolist()
    assert len(set(before[0].tolist())) == 1, "all units at one position"


def test_the_images_of_the_run_are_not_needed_and_that_is_said(files: Path) -> None:
    path = scan_files(files)
    (image,) = images_of(path, [3])
    shutil.copy(image, files / "copy.png")
    shutil.rmtree(files / "images")
    remarks: list[str] = []
    assert probe_images(path, [files / "copy.png"], Probing(on_remark=remarks.append)).ids == (1,)
    assert len(remarks) == 1
    assert remarks[0].startswith("not checked whether the model still answers as in the scan: ")
    check_own(path, [3])
    with pytest.raises(DataNotFound, match="does not exist"):
        probe_images(path, [files / "copy.png"], None, Anew(data=f"imagefolder:{files / 'images'}"))


def test_an_unfinished_run_can_be_probed(files: Path) -> None:
    out = files / "run.nas.db"
    with pytest.raises(ScanInterrupted):
        scan_files(files, batch_size=8, on_progress=_stop_after(16))
    with RunReader(out) as run:
        assert run.info().finished is None
    assert probe_images(out, images_of(out, [2])).ids == (1,)
    check_own(out, [2])
    scan_files(files, batch_size=8)
    check_own(out, [2])


def _stop_after(n: int) -> Any:
    def stop(progress: Any) -> None:
        if progress.done >= n:
            raise ScanInterrupted("enough")

    return stop


def test_what_does_not_decode_is_named_and_the_others_go_in(files: Path) -> None:
    path = scan_files(files)
    good = images_of(path, [1, 2])
    (files / "broken.png").write_bytes(b"not a picture")
    Image.new("L", (9, 8)).save(files / "large.png")
    wanted = [good[0], files / "broken.png", files / "large.png", files / "nowhere.png", good[1]]
    found = probe_images(path, wanted)
    assert found.ids == (1, 2)
    broken, large, nowhere = found.failures
    assert broken.startswith(f"{files / 'broken.png'}: ")
    assert large.endswith("it comes out at 9×8 pixels (width × height), and the model was scanned with 7×7")
    assert nowhere == f"{files / 'nowhere.png'}: No such file or directory"
    check_own(path, [1, 2])


def test_other_weights_another_preparation_and_changed_code_are_refused(files: Path) -> None:
    path = scan_files(files)
    image = images_of(path, [1])
    with pytest.raises(UsageError, match="would not be prepared as for run"):
        probe_images(path, image, None, Anew(pixels=PixelOptions(mean=(0.3,))))
    code = (files / "net.py").read_text()
    (files / "net.py").write_text(code.replace("torch.tanh", "torch.sin"))
    with pytest.raises(ScanError, match="answers otherwise than in the scan"):
        probe_images(path, image)
    (files / "net.py").write_text(code.replace("manual_seed(3)", "manual_seed(4)"))
    with pytest.raises(WeightsError, match="not those that run was made with"):
        probe_images(path, image, None, Anew(model=f"{files / 'net.py'}:net", weights=_others(files)))
    with RunReader(path) as run:
        assert run.probes() == ()


def _others(files: Path) -> Path:
    state = torch.load(files / "net.pt")
    state["mix.bias"][0] += 1
    torch.save(state, files / "other.pt")
    return files / "other.pt"


def test_a_stop_keeps_what_is_done(files: Path) -> None:
    path = scan_files(files)
    asked = iter([False, False, True])
    with pytest.raises(ScanInterrupted, match="Stopped after 2 of 3 images"):
        probe_images(path, images_of(path, [1, 2, 3]), Probing(should_stop=lambda: next(asked)))
    check_own(path, [1, 2])


def test_folders_give_their_images_in_order(files: Path) -> None:
    bees = sorted((files / "images" / "bee").iterdir())
    (files / "images" / "bee" / "notes.txt").touch()
    assert find_images([bees[2], files / "images" / "bee"]) == [bees[2], *(bee for bee in bees if bee != bees[2])]
    with pytest.raises(DataNotFound, match="no image at"):
        find_images([files / "nowhere.png"])
    empty = files / "empty"
    empty.mkdir()
    with pytest.raises(DataNotFound, match="no image at"):
        find_images([empty])


def test_paths_are_plain_and_links_are_followed_before_dots(files: Path) -> None:
    bee = sorted((files / "images" / "bee").iterdir())[0]
    roundabout = files / "images" / "ant" / ".." / "." / "bee" / bee.name
    assert find_images([roundabout, bee]) == [bee]
    (files / "link").symlink_to(files / "images" / "bee", target_is_directory=True)
    through = files / "link" / ".." / "bee" / bee.name  # files/images/bee, where the text alone says files/bee
    assert find_images([through]) == [through]
    assert find_images([bee, files / "x" / ".." / "nowhere.png"]) == [bee, files / "nowhere.png"]


def test_of_equal_files_the_first_stays_and_that_is_said(files: Path) -> None:
    path = scan_files(files)
    (image,) = images_of(path, [1])
    first, second = (Path(shutil.copy(image, files / name)) for name in ("first.png", "second.png"))
    remarks: list[str] = []
    assert probe_images(path, [first, second], Probing(on_remark=remarks.append)).ids == (1,)
    with RunReader(path) as run:
        assert [probe.source for probe in run.probes()] == [str(first)]
    assert remarks == [f"{second} has the same contents as {first}: one probe, called first.png"]
    remarks.clear()
    assert probe_images(path, [second], Probing(on_remark=remarks.append)).ids == (1,)
    with RunReader(path) as run:
        assert [probe.source for probe in run.probes()] == [str(second)]
    assert remarks == [f"{second} has the same contents as probe 1, {first}, and takes its place"]


def test_a_set_that_gives_tensors_cannot_be_shown_files(tmp_path: Path) -> None:
    class Tensors(list[tuple[torch.Tensor, int]]):
        classes = ("a", "b")

    data = Tensors((torch.rand(1, 4, 4), i % 2) for i in range(6))
    net = nn.Sequential(nn.Flatten(), nn.Linear(16, 2))
    scan(net, data, out=tmp_path / "run.nas.db", on_progress=lambda _: None)
    Image.new("L", (4, 4)).save(tmp_path / "a.png")
    with pytest.raises(UsageError, match="how an image becomes that is not known"):
        probe_images(tmp_path / "run.nas.db", [tmp_path / "a.png"], None, Anew(model=net, data=data))


def test_a_probe_of_the_same_file_is_shown_anew(files: Path) -> None:
    path = scan_files(files)
    image = images_of(path, [1])
    probe_images(path, image, Probing(note="first"))
    probe_images(path, image)
    with RunReader(path) as run:
        (probe,) = run.probes()
    assert replace(probe, created="") == replace(probe, created="", id=1, note="first")


def test_a_run_that_was_computed_in_another_precision_is_probed_in_it(files: Path) -> None:
    path = scan_files(files, precision="bfloat16", memory_format="channels_last")
    probe_images(path, images_of(path, [3, 41]))
    check_own(path, [3, 41], tolerance=2e-2)
    with RunReader(path) as run:
        layer = run.layer("conv")
        found, stored = run.probe_values(layer)[0], run.image_values(layer, 3)
    assert found.tolist() == stored.tolist(), "bfloat16 rounds so much that what is computed alike is equal"
