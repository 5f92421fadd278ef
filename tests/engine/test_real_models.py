"""Real networks on real images: the scan's accuracy is the one that SOURCE.md states, or an independent count gives."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nastui.engine.models import load_model
from nastui.engine.scan import ScanProgress, scan
from nastui.errors import WeightsError
from nastui.store.reader import RunReader

IMAGENET: dict[str, Any] = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}
MNIST: dict[str, Any] = {"size": 32, "mean": (0.1307,), "std": (0.3081,)}


@pytest.mark.parametrize(
    ("model", "weights", "data", "options", "top1"),
    [
        # SOURCE.md says .998–1.000 on these training images; the file has `module.` prefixes in a `state_dict`.
        ("cifar10/cifar_nets.py:resnet20", "cifar10/weights/resnet20-12fca82f.th", "cifar10/train_png", IMAGENET, 1.0),
        # .9905 on all 10,000.
        ("mnist/mnist_nets.py:lenet5", "mnist/weights/lenet5.pt", "mnist/test", MNIST, 0.993),
        # .952 on exactly these 500.
        (
            "quickdraw/quickdraw_net.py:quickdraw_cnn",
            "quickdraw/weights/quickdraw20.pt",
            "quickdraw/drawings20",
            {},
            0.952,
        ),
        # .946 on 6,000 drawings, of which these are 150 a class.
        ("quickdraw/doodle8_net.py:doodle8", "quickdraw/weights/doodle8_epoch12.pt", "quickdraw/drawings8", {}, 0.96),
        # .688 on 500 validation images, of which these are half.
        ("tinyimagenet10/tiny_vgg.py:tiny_vgg", "tinyimagenet10/weights/tiny_vgg.pt", "tinyimagenet10/val", {}, 0.696),
    ],
    ids=["resnet20", "lenet5", "quickdraw20", "doodle8", "tiny_vgg"],
)
def test_accuracy_of_a_known_network(
    shared_data: Path, tmp_path: Path, model: str, weights: str, data: str, options: dict[str, Any], top1: float
) -> None:
    seen: list[ScanProgress] = []
    info = scan(
        f"{shared_data}/{model}",
        f"imagefolder:{shared_data / data}",
        weights=shared_data / weights,
        out=tmp_path / "run.nas.db",
        on_progress=seen.append,
        **options,
    )
    assert info.n_matched == info.n_images
    assert info.top1 == pytest.approx(top1, abs=0.5 / info.n_images)
    assert seen[-1].warnings == ()


def test_squeezenet_knows_photographs_by_the_names_of_their_folders(shared_data: Path, tmp_path: Path) -> None:
    info = scan(
        "torchvision:squeezenet1_0",
        f"imagefolder:{shared_data / 'imagenet/images'}",
        weights=shared_data / "imagenet/weights/squeezenet1_0_fp16.pt",
        layers="features.0",
        per_class=2,
        out=tmp_path / "run.nas.db",
        on_progress=lambda _: None,
    )
    # The 15 folders are no outputs 0–14: by position nothing would be right. SOURCE.md: .62 on 1,000 images.
    assert (info.n_images, info.n_matched) == (30, 30)
    assert info.top1 == pytest.approx(24 / 30)
    with RunReader(info.path) as run:
        first = run.layers()[0]
        assert (first.path, first.shape) == ("features.0", (96, 109, 109))
        places = run.positions(first, 0)
        assert places is not None
        assert np.max(places) < 109 * 109


def test_a_forgotten_mean_and_std_are_hinted_at(shared_data: Path, tmp_path: Path) -> None:
    seen: list[ScanProgress] = []
    info = scan(
        f"{shared_data}/cifar10/cifar_nets.py:resnet20",
        f"imagefolder:{shared_data}/cifar10/test_jpg",
        weights=shared_data / "cifar10/weights/resnet20.pt",
        out=tmp_path / "run.nas.db",
        layers="linear",
        per_class=10,
        on_progress=seen.append,
    )
    assert info.top1 is not None
    assert info.top1 < 0.5
    assert "give --mean and --std" in seen[-1].warnings[-1]


def test_a_real_checkpoint_with_foreign_names_shows_its_prefixes(shared_data: Path) -> None:
    with pytest.raises(WeightsError, match=r"10 missing from the file: c1\.weight") as caught:
        load_model(
            str(shared_data / "mnist/mnist_nets.py:lenet5"), shared_data / "mnist/weights/mnist_cnn_saved_on_cuda.pt"
        )
    assert caught.value.hint.startswith("Without the prefix 'convnet.'")
