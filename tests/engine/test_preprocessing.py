from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn
from torchvision import transforms
from torchvision.models import ResNet50_Weights

from nastui.engine.models import LoadedModel, Transform, adopt_model
from nastui.engine.preprocessing import Preprocessing, choose_preprocessing, parse_size
from nastui.engine.sources.source import SourceImage
from nastui.errors import UsageError

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
PRESET = ResNet50_Weights.IMAGENET1K_V1.transforms()


def noise(width: int, height: int, mode: str = "RGB") -> SourceImage:
    shape = (height, width, 3) if mode == "RGB" else (height, width)
    pixels = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    return SourceImage(Image.fromarray(pixels), None)


def model(channels: int = 3, transform: Transform | None = None) -> LoadedModel:
    return adopt_model(nn.Conv2d(channels, 1, 1), transform=transform, spec="net.py:net")


def described(preprocessing: Preprocessing) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(preprocessing.describe())
    return found


def test_plain_preprocessing_is_torchvision_s_resize_to_tensor_normalize() -> None:
    image = noise(50, 40)
    expected = transforms.Compose(
        [transforms.Resize((20, 30)), transforms.ToTensor(), transforms.Normalize(MEAN, STD)]
    )(image.picture)
    result = choose_preprocessing(model(), image, size="20x30", mean=MEAN, std=STD)(image)
    assert (result.dtype, result.shape) == (torch.float32, (3, 20, 30))
    torch.testing.assert_close(result, expected, rtol=0, atol=1e-6)


def test_the_default_is_zero_to_one_in_the_channels_that_the_model_takes() -> None:
    image = noise(6, 4)
    preprocessing = choose_preprocessing(model(), image)
    assert torch.equal(preprocessing(image), transforms.ToTensor()(image.picture))
    assert described(preprocessing)["size"] == "as the images are"
    assert "nor the command said" in described(preprocessing)["note"]
    grey = choose_preprocessing(model(channels=1), image)
    assert torch.equal(grey(image), transforms.ToTensor()(image.picture.convert("L")))
    assert described(grey)["channels"] == "grey"
    assert choose_preprocessing(model(), noise(6, 4, "L"))(noise(6, 4, "L")).shape == (3, 4, 6)


def test_without_a_convolution_the_images_or_the_command_decide_the_channels() -> None:
    dense = adopt_model(nn.Linear(4, 2))
    assert choose_preprocessing(dense, noise(2, 2, "L"))(noise(2, 2, "L")).shape == (1, 2, 2)
    assert choose_preprocessing(dense, noise(2, 2))(noise(2, 2, "L")).shape == (3, 2, 2)
    assert choose_preprocessing(dense, noise(2, 2), grayscale=True)(noise(2, 2)).shape == (1, 2, 2)


def test_the_weights_own_transform_is_used_and_described() -> None:
    image = noise(300, 280)
    preprocessing = choose_preprocessing(model(transform=PRESET), image)
    assert torch.equal(preprocessing(image), PRESET(image.picture))
    assert described(preprocessing) == {
        "kind": "torchvision ImageClassification",
        "channels": "RGB",
        "resize": [256],
        "crop": [224],
        "interpolation": "bilinear, antialiased",
        "scale": "0..1",
        "mean": list(MEAN),
        "std": list(STD),
    }


def test_options_change_only_that_part_of_the_weights_own_transform() -> None:
    image = noise(300, 280)
    half = choose_preprocessing(model(transform=PRESET), image, mean=[0.5], std=[0.5])
    assert half(image).shape == (3, 224, 224)
    assert (described(half)["mean"], described(half)["crop"]) == ([0.5, 0.5, 0.5], [224])
    small = choose_preprocessing(model(transform=PRESET), image, size=32)
    assert small(image).shape == (3, 32, 32)
    assert described(small)["mean"] == list(MEAN)


def test_a_factory_s_transform_gets_pictures_in_the_model_s_channels() -> None:
    modes = []

    def transform(picture: Image.Image) -> Tensor:
        modes.append(picture.mode)
        return torch.zeros(1, 2, 2, dtype=torch.float64)

    for channels in (1, 3):
        result = choose_preprocessing(model(channels, transform), noise(4, 4))(noise(4, 4, "L"))
        assert result.dtype == torch.float32
    assert modes == ["L", "RGB"]


def test_descriptions_are_stable_and_tell_preprocessings_apart() -> None:
    compose = transforms.Compose([transforms.ToTensor(), transforms.Lambda(lambda x: x * 2)])
    first = choose_preprocessing(model(transform=compose), noise(4, 4))
    assert "ToTensor()" in described(first)["transform"]
    assert "0x" not in first.describe()
    assert "not recorded" in described(first)["note"]
    options: list[dict[str, Any]] = [{}, {"size": 3}, {"size": 4}, {"std": [2.0]}]
    assert len({choose_preprocessing(model(), noise(4, 4), **o).sha256 for o in options}) == 4
    assert choose_preprocessing(model(), noise(4, 4)).sha256 == choose_preprocessing(model(), noise(9, 9)).sha256


def test_tensors_of_a_dataset_go_in_as_they_are() -> None:
    tensor = torch.randn(3, 5, 5)
    ready = SourceImage(noise(5, 5).picture, None, tensor)
    preprocessing = choose_preprocessing(model(transform=PRESET), ready)
    assert torch.equal(preprocessing(ready), tensor)
    assert described(preprocessing) == {"kind": "tensors as the image set gives them"}
    with pytest.raises(UsageError, match="ready for the model"):
        choose_preprocessing(model(), ready, size=32)
    with pytest.raises(UsageError, match="tensors for some images and pictures for others"):
        preprocessing(noise(5, 5))


@pytest.mark.parametrize(
    ("size", "pair"), [(32, (32, 32)), ("32", (32, 32)), ("28x36", (28, 36)), ((28, 36), (28, 36))]
)
def test_sizes_are_read_as_people_write_them(size: Any, pair: tuple[int, int]) -> None:
    assert parse_size(size) == pair


@pytest.mark.parametrize("size", ["", "x", "0", "-3", "1x2x3", "big", "20000", (1, 2, 3)])
def test_sizes_that_are_none_are_refused(size: Any) -> None:
    with pytest.raises(UsageError, match="is no image size"):
        parse_size(size)


@pytest.mark.parametrize(
    ("channels", "options", "words"),
    [
        (3, {"mean": [0.5, 0.5]}, "--mean has 2 values, the images 3 channels"),
        (1, {"std": [0.5, 0.5, 0.5]}, "--std has 3 values, the images 1 channels"),
        (3, {"std": [0.0]}, "--std is 0"),
        (3, {"grayscale": True}, "takes 3 channel"),
        (1, {"grayscale": False}, "takes 1 channel"),
    ],
)
def test_options_that_contradict_the_model_are_refused(channels: int, options: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        choose_preprocessing(model(channels), noise(4, 4), **options)


def test_options_do_not_quietly_replace_a_transform_of_ones_own() -> None:
    with pytest.raises(UsageError, match="brings its own transform"):
        choose_preprocessing(model(transform=transforms.ToTensor()), noise(4, 4), size=32)


def test_a_transform_that_gives_no_float_tensor_is_refused() -> None:
    for transform, words in ((np.asarray, "ndarray"), (transforms.PILToTensor(), r"torch\.uint8 tensor")):
        with pytest.raises(UsageError, match=words):
            choose_preprocessing(model(transform=transform), noise(4, 4))(noise(4, 4))
