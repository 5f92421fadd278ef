"""What a scan says in its first seconds: what makes its values doubtful, and nothing where they are not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from torchvision import transforms

from nastui.engine.doctor import prepared
from nastui.engine.models import adopt_model
from nastui.engine.outlook import Pace
from nastui.engine.scan import ScanProgress, scan
from nastui.records import Batch, ImageResult
from nastui.scanning import outlook_words
from tests.engine.faulty_networks import KnowsTones, Network, Tones, calls_train, drops_by_function

IMAGENET: dict[str, Any] = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}


def said(out: Path, model: Any, data: Any, **options: Any) -> list[tuple[int, str]]:
    """(images done, warning) in the order in which they came up."""
    found: list[tuple[int, str]] = []

    def note(progress: ScanProgress) -> None:
        found.extend((progress.done, warning) for warning in progress.warnings[len(found) :])

    scan(model, data, out=out / "run.nas.db", device="cpu", on_progress=note, **options)
    return found


def test_a_sound_scan_hears_nothing(tmp_path: Path) -> None:
    assert said(tmp_path, adopt_model(KnowsTones(mean=0, std=1), classes=Tones.classes), Tones(200)) == []


@pytest.mark.parametrize("change", [calls_train, drops_by_function], ids=["train()", "F.dropout"])
def test_training_mode_is_said_before_the_first_image(tmp_path: Path, change: Any) -> None:
    (done, warning), *_ = said(tmp_path, adopt_model(Network(change), classes=Tones.classes), Tones(40))
    assert done == 0
    assert "ran in training mode" in warning


def test_a_random_transform_is_said_before_the_first_image(tmp_path: Path) -> None:
    crop = transforms.Compose([transforms.RandomCrop(8), transforms.ToTensor()])
    model = adopt_model(KnowsTones(mean=0, std=1), transform=crop, classes=Tones.classes)
    (done, warning), *_ = said(tmp_path, model, Tones(40))
    assert done == 0
    assert "two different results for the same image" in warning


def test_a_forgotten_mean_and_std_are_said_after_the_first_images(shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "cifar10"
    model, data = f"{folder}/cifar_nets.py:resnet20", f"imagefolder:{folder}/test_jpg"
    options: dict[str, Any] = {"weights": folder / "weights/resnet20.pt", "layers": "linear", "per_class": 60}
    (done, warning), *_ = said(tmp_path, model, data, **options)
    assert done <= 96
    assert "With ImageNet's mean and std top-1 rises" in warning
    assert "Give --mean=0.485,0.456,0.406 --std=0.229,0.224,0.225." in warning
    assert said(tmp_path, model, data, force=True, **options, **IMAGENET) == []


def test_the_outlook_comes_once_the_pace_is_known() -> None:
    seconds = iter(range(0, 100, 2))
    with prepared(adopt_model(Network()), Tones(400), device="cpu") as found:
        pace = Pace(found.plan, clock=lambda: next(seconds))
    outlooks = [pace.take(batch(first)) for first in range(0, 60, 10)]
    assert outlooks[:3] == [None] * 3
    outlook = outlooks[3]
    assert outlook is not None
    assert (outlook.n_units, outlook.n_layers) == (6, 2)
    assert outlook.seconds == pytest.approx(360 * 6 / 30)
    assert outlook_words(outlook).startswith("6 units in 2 layers, about ")
    assert outlook_words(outlook).endswith("; the images take another 72 s")


def batch(first: int) -> Batch:
    return Batch(first, (ImageResult(b"x" * 3000, 12, 12, None, ()),) * 10, {}, {})
