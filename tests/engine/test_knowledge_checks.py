"""Whether a model knows the images, and what would make it: said where it is so, and beyond chance only."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, binomtest

from nastui.engine.doctor import prepared
from nastui.engine.inspection.accuracy import Answers, near_chance, other_order
from nastui.engine.inspection.binomial import gains, tail
from nastui.engine.inspection.examining import Examination, examine_plan
from nastui.engine.models import adopt_model
from tests.engine.faulty_networks import KnowsTones, Tones

IMAGENET: dict[str, Any] = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}
MNIST: dict[str, Any] = {"size": 32, "mean": (0.1307,), "std": (0.3081,)}

Examine = Callable[..., Examination]


@pytest.fixture
def examine() -> Any:
    """Examines a model and images with these options of a scan; on the CPU."""
    with ExitStack() as stack:

        def run(model: Any, data: Any, **options: Any) -> Examination:
            found = stack.enter_context(prepared(model, data, device="cpu", memory_format="contiguous", **options))
            return examine_plan(found.plan, found.place, images_per_second=20)  # 80 images

        yield run


def real(shared_data: Path, kind: str, net: str, weights: str, images: str) -> dict[str, Any]:
    folder = shared_data / kind
    model = net if net.startswith("torchvision:") else f"{folder / net}"
    return {"model": model, "weights": folder / "weights" / weights, "data": f"imagefolder:{folder / images}"}


RESNET20 = ("cifar10", "cifar_nets.py:resnet20", "resnet20.pt", "test_jpg")
LENET = ("mnist", "mnist_nets.py:lenet5", "lenet5.pt", "test")
QUICKDRAW = ("quickdraw", "quickdraw_net.py:quickdraw_cnn", "quickdraw20.pt", "drawings20")
DOODLE = ("quickdraw", "doodle8_net.py:doodle8", "doodle8_epoch12.pt", "drawings8")
TINY_VGG = ("tinyimagenet10", "tiny_vgg.py:tiny_vgg", "tiny_vgg.pt", "val")


@pytest.mark.parametrize(
    ("case", "options"),
    [(RESNET20, IMAGENET), (LENET, MNIST), (QUICKDRAW, {}), (DOODLE, {}), (TINY_VGG, {})],
    ids=["resnet20", "lenet5", "quickdraw20", "doodle8", "tiny_vgg"],
)
def test_real_models_rightly_prepared_give_no_false_alarm(
    shared_data: Path, examine: Examine, case: tuple[str, ...], options: dict[str, Any]
) -> None:
    found = examine(**real(shared_data, *case), **options)
    assert found.top1 is not None
    assert found.top1 > 0.6
    assert [finding for finding in found.findings if finding.level != "note"] == []


@pytest.mark.parametrize(
    ("case", "options", "name", "how"),
    [
        (RESNET20, {}, "ImageNet's mean and std", "Give --mean=0.485,0.456,0.406 --std=0.229,0.224,0.225."),
        (RESNET20, {"std": (1 / 255,)}, "ImageNet's mean and std", "--std=0.229,0.224,0.225"),
        (QUICKDRAW, {"mean": (0.5,), "std": (0.5,)}, "pixels from 0 to 1", "Give --mean=0 --std=1."),
        (DOODLE, {"mean": (1.0,), "std": (-1.0,)}, "pixels from 0 to 1", "Give --mean=0 --std=1."),
        (LENET, MNIST | {"mean": (1.0,), "std": (-1.0,)}, "pixels from 0 to 1", "Give --mean=0 --std=1."),
    ],
    ids=["resnet20 unnormalised", "resnet20 0–255", "quickdraw20 normalised", "doodle8 inverted", "lenet5 inverted"],
)
def test_real_models_wrongly_prepared_get_the_right_advice(
    shared_data: Path, examine: Examine, case: tuple[str, ...], options: dict[str, Any], name: str, how: str
) -> None:
    found = examine(**real(shared_data, *case), **options)
    (finding,) = [finding for finding in found.findings if finding.level != "note"]
    assert finding.check == "better-preprocessing"
    assert f"With {name} top-1 rises from" in finding.text
    assert how in finding.advice


def test_a_wrong_size_is_put_right(shared_data: Path, examine: Examine) -> None:
    found = examine(**real(shared_data, *RESNET20), **IMAGENET, size=64)
    assert {finding.check for finding in found.findings} == {"better-preprocessing", "enlarged-images"}
    assert "Give --size=32." in found.findings[0].advice


def test_an_untrained_network_is_no_better_than_guessing(shared_data: Path, examine: Examine) -> None:
    untrained = ("quickdraw", "doodle8_net.py:doodle8", "doodle8_epoch00.pt", "drawings8")
    found = examine(**real(shared_data, *untrained))
    assert [finding.check for finding in found.findings if finding.level != "note"] == ["near-chance"]
    assert "guessing gives 12.5%" in found.findings[0].text


def known(model: KnowsTones, outputs: tuple[str, ...] | None = Tones.classes) -> Any:
    return adopt_model(model, classes=outputs)


def test_outputs_in_another_order_are_found_out(examine: Examine) -> None:
    right = examine(known(KnowsTones(mean=0, std=1)), Tones(60))
    assert (right.top1, right.findings) == (1.0, ())
    (found,) = examine(known(KnowsTones(mean=0, std=1, order=(1, 0))), Tones(60)).findings
    assert found.check == "other-outputs"
    assert "dark → 1, light → 0 top-1 would be 1.000 instead of 0.000" in found.text


def test_outputs_without_names_are_told_by_what_they_answer_to(examine: Examine) -> None:
    found = examine(known(KnowsTones(mean=0, std=1, order=(1, 0)), outputs=None), Tones(60))
    assert found.top1 is None
    assert [finding.check for finding in found.findings] == ["classes-without-output", "other-outputs"]
    assert "dark → 1, light → 0 top-1 would be 1.000 (" in found.findings[1].text


def test_a_factory_with_its_own_transform_is_told_what_to_write(examine: Examine) -> None:
    from torchvision.transforms import ToTensor

    model = adopt_model(KnowsTones(mean=0.45, std=0.225), transform=ToTensor(), classes=Tones.classes)
    (found,) = examine(model, Tones(60)).findings
    assert found.check == "better-preprocessing"
    assert found.advice.startswith("Let the transform end with ")


def plan_with(n_classes: int, n: int, *, seed: int) -> Answers:
    random = np.random.default_rng(seed)
    class_ids = np.arange(n) % n_classes
    return Answers(random.integers(0, n_classes, n), class_ids, class_ids)


@given(n_classes=st.integers(2, 12), seed=st.integers(0, 10_000))
def test_pure_chance_never_looks_like_another_order(n_classes: int, seed: int) -> None:
    answers = plan_with(n_classes, 200, seed=seed)
    assert other_order(answers) is None


def test_pure_chance_is_near_chance_and_one_class_says_nothing() -> None:
    assert [one.check for one in near_chance(plan_with(10, 200, seed=1))] == ["near-chance"]
    one_class = Answers(np.zeros(50, np.int64), np.ones(50, np.int64), np.zeros(50, np.int64))
    assert near_chance(one_class) == []


@given(n=st.integers(1, 60), share=st.floats(0, 1), chance=st.floats(0.01, 0.99))
def test_tails_are_those_of_scipy(n: int, share: float, chance: float) -> None:
    successes = round(share * n)
    assert tail(successes, n, chance) == pytest.approx(binom.sf(successes - 1, n, chance), rel=1e-6, abs=1e-12)
    assert gains(successes, n - successes) == pytest.approx(binomtest(successes, n, 0.5, alternative="greater").pvalue)
