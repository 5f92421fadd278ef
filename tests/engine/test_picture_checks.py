"""What is wrong with images and their preparation: each fault is found, sound images are silent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor
from torchvision import transforms

from nastui.engine.inspection.finding import Finding
from nastui.engine.inspection.pictures import check_pictures, pixel_range, unscaled_mean_std
from nastui.engine.inspection.sample import load_sample, spread
from nastui.engine.models import LoadedModel, adopt_model, load_model
from nastui.engine.preprocessing import choose_preprocessing
from nastui.engine.sources import load_source
from nastui.engine.subset import select_images
from tests.engine.faulty_networks import Network, Tones, tone


def pictures(
    data: Any, model: LoadedModel | None = None, per_class: int | None = None, **options: Any
) -> list[Finding]:
    model = model or adopt_model(Network())
    source = load_source(data)
    images = select_images(source, per_class=per_class)
    preprocessing = choose_preprocessing(model, source.load(images.indices[0]), **options)
    sample = load_sample(source, images, preprocessing, 40)
    return check_pictures(sample, images, per_class, preprocessing, model)


def with_transform(transform: Any) -> LoadedModel:
    return adopt_model(Network(), transform=transform)


def folder_of_tones(root: Path, count: int = 8) -> str:
    for index in range(count):
        (root / Tones.classes[index % 2]).mkdir(exist_ok=True)
        tone(index).save(root / Tones.classes[index % 2] / f"{index}.png")
    return f"imagefolder:{root}"


def test_sound_images_are_silent(tmp_path: Path) -> None:
    assert pictures(Tones()) == []
    assert pictures(folder_of_tones(tmp_path)) == []


def test_images_that_cannot_be_read_are_counted_with_reasons(tmp_path: Path) -> None:
    data = folder_of_tones(tmp_path)
    (tmp_path / "dark" / "2.png").write_bytes(b"no picture")
    (found,) = pictures(data)
    assert found.check == "unreadable-images"
    assert "1 of 8 images" in found.text
    assert "dark/2.png: " in found.text


def test_one_image_in_two_classes_is_found(tmp_path: Path) -> None:
    data = folder_of_tones(tmp_path)
    (tmp_path / "light" / "1.png").write_bytes((tmp_path / "dark" / "0.png").read_bytes())
    (found,) = pictures(data)
    assert found.check == "same-image-two-classes"
    assert "dark/0.png" in found.text
    assert "light/1.png" in found.text


def test_classes_with_fewer_images_than_asked_for_are_noted() -> None:
    (found,) = pictures(Tones(11), per_class=6)
    assert (found.level, found.check) == ("note", "few-images")
    assert "light (5)" in found.text
    assert pictures(Tones(11), per_class=5) == []


def test_a_transform_with_chance_in_it_is_found() -> None:
    crop = transforms.Compose([transforms.RandomCrop(8), transforms.ToTensor()])
    (found,) = pictures(Tones(), with_transform(crop))
    assert found.check == "random-transform"
    still = transforms.Compose([transforms.CenterCrop(8), transforms.ToTensor()])
    assert pictures(Tones(), with_transform(still)) == []


def test_a_channel_that_was_lost_is_found() -> None:
    def without_green(picture: Image.Image) -> Tensor:
        pixels = torch.from_numpy(np.array(picture, dtype=np.float32) / 255).permute(2, 0, 1)
        pixels[1] = 0
        return pixels

    (found,) = pictures(Tones(), with_transform(without_green))
    assert found.text == "Channel 1 of the model's input has one value in all of 40 images."


def test_images_that_are_blown_up_are_noted() -> None:
    (found,) = pictures(Tones(side=12), size=48)
    assert found.check == "enlarged-images"
    assert "12 pixels high and are enlarged to 48" in found.text
    assert "a --size nearer" in found.advice
    (found,) = pictures(
        Tones(side=12), with_transform(transforms.Compose([transforms.Resize(48), transforms.ToTensor()]))
    )
    assert found.advice == "Weights that were trained on sharper images see only blur."


def test_options_in_place_of_what_belongs_to_the_weights_are_named() -> None:
    model = load_model("torchvision:squeezenet1_1")
    assert pictures(Tones(side=200), model) == []
    (found,) = pictures(Tones(side=200), model, mean=(0.5,))
    assert found.check == "replaced-preprocessing"
    assert "mean [0.485, 0.456, 0.406] by [0.5, 0.5, 0.5]" in found.text
    assert "std" not in found.text


@pytest.mark.parametrize(
    ("options", "advice"),
    [
        (
            {"mean": (123.675, 116.28, 103.53), "std": (58.395, 57.12, 57.375)},
            "0.485,0.456,0.406 --std=0.229,0.224,0.225",
        ),
        ({"mean": (123.68, 116.779, 103.939)}, "0.48502,0.457957,0.407604 --std=0.00392157,0.00392157,0.00392157"),
        ({"std": (255.0,)}, "0,0,0 --std=1,1,1"),
        ({"mean": (0.485,), "std": (58.0,)}, "0.485,0.485,0.485 --std=0.227451,0.227451,0.227451"),
    ],
)
def test_a_mean_and_std_of_0_to_255_are_doubted(options: dict[str, Any], advice: str) -> None:
    def mended(options: dict[str, Any]) -> list[Finding]:
        model, image = adopt_model(Network()), load_source(Tones()).load(0)
        return unscaled_mean_std(choose_preprocessing(model, image, **options))

    (found,) = mended(options)
    assert f"--mean={advice}." in found.advice
    again = {name: tuple(map(float, text.split(","))) for name, text in found.options.items() if text is not None}
    assert mended(again) == mended({}) == mended({"mean": (1.0,), "std": (-1.0,)}) == []


def test_a_std_that_lost_a_digit_is_doubted_and_not_divided_by_255() -> None:
    model, image = adopt_model(Network()), load_source(Tones()).load(0)
    (found,) = unscaled_mean_std(choose_preprocessing(model, image, mean=(0.485,), std=(2.29,)))
    assert "some are more than 1" in found.text
    assert found.options == {}


def test_pixels_of_255_are_doubted_where_no_accuracy_is_known() -> None:
    assert pixel_range(torch.rand(2, 3, 4, 4) * 3 - 1.5) == []
    (found,) = pixel_range(torch.rand(2, 3, 4, 4) * 255)
    assert found.check == "pixel-range"


def test_a_sample_is_spread_over_the_classes_from_its_beginning_on() -> None:
    class_ids = [0] * 50 + [1] * 5 + [2] * 50
    chosen = spread(class_ids, 9)
    assert sorted(class_ids[position] for position in chosen) == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert sorted(spread(class_ids, 1000)) == list(range(105))
    assert chosen == spread(class_ids, 9)
