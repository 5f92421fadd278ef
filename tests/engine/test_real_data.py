"""The real models and images: every class finds its output, and accuracy is what it was measured to be elsewhere."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import torch

from nastui.engine.class_names import match_classes
from nastui.engine.loader import first_decodable, load_batches
from nastui.engine.models import load_model
from nastui.engine.preprocessing import choose_preprocessing
from nastui.engine.sources import load_source
from nastui.engine.subset import select_images
from nastui.errors import WeightsError

IMAGENET = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}
DIGITS = {"size": 32, "mean": [0.1307], "std": [0.3081]}


@dataclass(frozen=True)
class Case:
    """A model and its images below shared/data, and the share of right predictions on `per_class` of each class."""

    model: str
    weights: str
    images: str
    accuracy: float
    per_class: int | None = None
    options: dict[str, Any] = field(default_factory=dict)


# Where all images are used SOURCE.md's figures are for these or for more: lenet5 .9905 on 10,000, quickdraw20 .952,
# doodle8 .946 on 6,000, tinyvgg .688 on 500, resnet20 .998 to 1 on these training images.
CASES = {
    "squeezenet": Case(
        "torchvision:squeezenet1_0", "imagenet/weights/squeezenet1_0_fp16.pt", "imagenet/images", 0.8, 2
    ),
    "resnet20": Case(
        "cifar10/cifar_nets.py:resnet20", "cifar10/weights/resnet20-12fca82f.th", "cifar10/train_png", 1.0, 20, IMAGENET
    ),
    "lenet5": Case("mnist/mnist_nets.py:lenet5", "mnist/weights/lenet5.pt", "mnist/test", 0.993, options=DIGITS),
    "quickdraw20": Case(
        "quickdraw/quickdraw_net.py:quickdraw_cnn", "quickdraw/weights/quickdraw20.pt", "quickdraw/drawings20", 0.952
    ),
    "doodle8": Case(
        "quickdraw/doodle8_net.py:doodle8", "quickdraw/weights/doodle8_epoch12.pt", "quickdraw/drawings8", 0.96
    ),
    "tinyvgg": Case(
        "tinyimagenet10/tiny_vgg.py:tiny_vgg", "tinyimagenet10/weights/tiny_vgg.pt", "tinyimagenet10/val", 0.696
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_real_model_is_as_accurate_as_it_is_known_to_be(shared_data: Path, case: Case) -> None:
    spec = case.model if case.model.startswith("torchvision:") else str(shared_data / case.model)
    model = load_model(spec, shared_data / case.weights)
    source = load_source(f"imagefolder:{shared_data / case.images}")
    selection = select_images(source, per_class=case.per_class)
    preprocessing = choose_preprocessing(model, first_decodable(source, selection.indices), **case.options)
    with torch.inference_mode():
        batches = load_batches(source, selection.indices, preprocessing, batch_size=50)
        logits = torch.cat([model.module(batch.inputs) for batch in batches if batch.inputs is not None])
    match = match_classes(selection.classes, model.classes, logits.shape[1])
    assert match.unmatched == ()
    labels = torch.tensor([match.outputs[class_id] for class_id in selection.class_ids])
    assert (logits.argmax(1) == labels).float().mean().item() == pytest.approx(case.accuracy, abs=0.005)


def test_a_real_checkpoint_with_foreign_names_shows_its_prefixes(shared_data: Path) -> None:
    with pytest.raises(WeightsError, match=r"10 missing from the file: c1\.weight") as caught:
        load_model(
            str(shared_data / "mnist/mnist_nets.py:lenet5"), shared_data / "mnist/weights/mnist_cnn_saved_on_cuda.pt"
        )
    assert caught.value.hint.startswith("Without the prefix 'convnet.'")
