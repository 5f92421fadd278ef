"""Whether a model knows the images, and what would make it: said where it is so, and beyond chance only."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.stats import binom, binomtest
from torch import Tensor
from torchvision.transforms._presets import ImageClassification

from nastui.engine.doctor import prepared
from nastui.engine.inspection.answers import LEAST, Answers, near_chance, one_answer
from nastui.engine.inspection.binomial import gains, tail
from nastui.engine.inspection.examining import Examination, examine_plan
from nastui.engine.inspection.orders import other_order, other_outputs
from nastui.engine.models import adopt_model
from nastui.engine.scan import scan
from nastui.records import Int64
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
            return examine_plan(found.plan, found.place, batch_size=32, images_per_second=20)  # 80 images

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
    [
        (RESNET20, IMAGENET),
        (LENET, MNIST),
        (QUICKDRAW, {}),
        (DOODLE, {}),
        (TINY_VGG, {}),
    ],
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
    (found,) = examine(**real(shared_data, *RESNET20), **IMAGENET, size=56).findings
    assert found.check == "better-preprocessing"
    assert "Give --size=32." in found.advice


def test_an_untrained_network_is_no_better_than_guessing(shared_data: Path, examine: Examine) -> None:
    untrained = ("quickdraw", "doodle8_net.py:doodle8", "doodle8_epoch00.pt", "drawings8")
    found = examine(**real(shared_data, *untrained))
    assert [finding.check for finding in found.findings if finding.level != "note"] == ["one-answer"]
    assert "80 images, spread over 8 classes, get the same answer: " in found.findings[0].text
    assert found.findings[0].text.endswith(" (top-1 0.125).")


def test_a_model_of_other_things_is_told_by_names_and_gets_no_map_that_counts_wrong_answers_as_right() -> None:
    class_ids = np.arange(100) % 5
    answers = Answers(class_ids + 20, np.full(100, -1), class_ids)
    classes, names = ("airplane", "bird", "cat", "deer", "ship"), [f"thing {output}" for output in range(1000)]
    (found,) = other_outputs(answers, other_order(answers), classes, names)
    assert "airplane → thing 20 (20), bird → thing 21 (21), cat → thing 22 (22) and 2 more." in found.text
    assert "top-1 would be" not in found.text
    assert "those pairs alone that mean the same" in found.advice


def test_what_belongs_to_the_weights_is_tried_where_options_replace_it(examine: Examine) -> None:
    model = adopt_model(KnowsTones(0.45, 0.225), transform=ImageClassification(crop_size=8), classes=Tones.classes)
    own = examine(model, Tones(60))
    assert own.top1 == 1.0
    found = examine(model, Tones(60), mean=(0.0,), std=(0.1,))
    assert [one.check for one in found.findings] == ["replaced-preprocessing", "better-preprocessing"]
    assert (
        "With the preparation that belongs to these weights top-1 rises from 0.500 to 1.000" in found.findings[1].text
    )
    assert found.findings[1].options == {"size": None, "mean": None, "std": None}


def known(model: KnowsTones, outputs: tuple[str, ...] | None = Tones.classes) -> Any:
    return adopt_model(model, classes=outputs)


def test_outputs_in_another_order_are_found_out(examine: Examine) -> None:
    right = examine(known(KnowsTones(mean=0, std=1)), Tones(60))
    assert (right.top1, right.findings) == (1.0, ())
    (found,) = examine(known(KnowsTones(mean=0, std=1, order=(1, 0))), Tones(60)).findings
    assert found.check == "other-outputs"
    assert "dark → light (1), light → dark (0) top-1 would be 1.000 instead of 0.000" in found.text


def test_two_classes_that_a_class_map_exchanges_are_found_out() -> None:
    class_ids = np.arange(200) % 10
    outputs = np.where(class_ids < 2, 1 - class_ids, class_ids)
    answers = Answers(np.where(np.arange(200) % 7 == 0, 9, class_ids), outputs, class_ids)
    classes = tuple("abcdefghij")
    (found,) = other_outputs(answers, other_order(answers), classes, classes)
    assert "with a → a (0), b → b (1) top-1 would be" in found.text


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


@given(n_classes=st.integers(2, 12), n=st.integers(1, 200), seed=st.integers(0, 10_000))
def test_agreement_by_chance_is_that_of_cohens_kappa(n_classes: int, n: int, seed: int) -> None:
    answers = plan_with(n_classes, n, seed=seed)
    assume(answers.by_chance < 1)
    kappa = (answers.top1 - answers.by_chance) / (1 - answers.by_chance) if answers.top1 is not None else None
    assert kappa == pytest.approx(cohen_kappa(answers.outputs, answers.predicted), abs=1e-12)


@given(n_classes=st.integers(2, 4), n=st.integers(2, 6), seed=st.integers(0, 10_000))
@settings(max_examples=20, deadline=None)
def test_how_far_chance_leads_is_what_all_orders_of_the_answers_show(n_classes: int, n: int, seed: int) -> None:
    answers = plan_with(n_classes, n, seed=seed)
    shares = [(answers.outputs == order).mean() for order in permutations(answers.predicted.tolist())]
    assert answers.by_chance == pytest.approx(np.mean(shares))
    assert answers.chance_error == pytest.approx(np.std(shares), abs=1e-6)


def share_called_near_chance(draw: Callable[[np.random.Generator, Int64], Int64], n: int, n_classes: int = 2) -> float:
    """In how many of 300 draws of the answers to `n` images, evenly spread over the classes."""
    random, class_ids = np.random.default_rng(0), np.arange(n) % n_classes
    found = [near_chance(Answers(draw(random, class_ids), class_ids, class_ids)) for _ in range(300)]
    return sum(map(bool, found)) / len(found)


def right_by(share: float, others: Callable[[np.random.Generator, Int64], Int64]) -> Any:
    def draw(random: np.random.Generator, class_ids: Int64) -> Int64:
        is_right = random.random(len(class_ids)) < share
        return np.where(is_right, class_ids, others(random, class_ids))

    return draw


def test_a_model_of_1000_outputs_that_knows_a_quarter_of_two_classes_is_hardly_ever_near_chance() -> None:
    elsewhere = right_by(0.25, lambda random, class_ids: random.integers(2, 1000, len(class_ids)))
    assert share_called_near_chance(elsewhere, 48) < 0.03


def test_a_model_that_is_right_for_65_of_100_images_of_two_classes_is_hardly_ever_near_chance() -> None:
    weak = right_by(0.65, lambda _random, class_ids: 1 - class_ids)
    assert share_called_near_chance(weak, 48) < 0.1
    assert share_called_near_chance(weak, 256) < 0.02


@pytest.mark.parametrize(("n_classes", "n", "least"), [(2, 48, 0.6), (2, 256, 0.95), (10, 48, 0.9), (1000, 256, 0.9)])
def test_guessing_is_near_chance_by_so_many_images(n_classes: int, n: int, least: float) -> None:
    guess = right_by(0, lambda random, class_ids: random.integers(0, n_classes, len(class_ids)))
    assert share_called_near_chance(guess, n, n_classes) > least


@pytest.mark.parametrize("n", range(2, LEAST))
def test_nothing_is_near_chance_on_too_few_images(n: int) -> None:
    zeros, class_ids = np.zeros(n, np.int64), np.arange(n) % 2
    assert near_chance(Answers(zeros, class_ids, class_ids)) == []


def cohen_kappa(one: Int64, other: Int64) -> float:
    """By its definition, pair by pair: how much oftener two agree on the same image than on any two."""
    observed = float((one == other).mean())
    expected = float((one[:, None] == other[None, :]).mean())
    return (observed - expected) / (1 - expected)


def test_a_weak_model_of_many_classes_is_not_near_chance_on_few_images() -> None:
    class_ids = np.arange(40)
    predicted = np.where(class_ids < 4, class_ids, class_ids + 400)  # 4 of 40 right, the rest other outputs of 1,000
    assert near_chance(Answers(predicted, class_ids, class_ids)) == []


def test_one_answer_for_all_is_said_of_several_classes_only() -> None:
    class_ids, zeros = np.arange(30) % 3, np.zeros(30, np.int64)
    (found,) = one_answer(Answers(zeros, class_ids, class_ids), ("cat", "dog", "eel"))
    assert found.text == "All 30 images, spread over 3 classes, get the same answer: cat (top-1 0.333)."
    assert one_answer(Answers(zeros, class_ids, zeros), ("cat", "dog", "eel")) == []
    assert one_answer(Answers(class_ids, class_ids, class_ids), ("cat", "dog", "eel")) == []


def test_one_answer_means_nothing_of_one_output_and_of_outputs_that_no_class_has() -> None:
    class_ids, zeros = np.arange(30) % 3, np.zeros(30, np.int64)
    assert one_answer(Answers(zeros, np.full(30, -1), class_ids), ("0", "1", "2")) == []
    assert one_answer(Answers(zeros, np.where(class_ids == 0, 0, -1), class_ids), ("score",)) == []


class _Score(KnowsTones):
    """The same network's first logit alone."""

    def forward(self, images: Tensor) -> Tensor:
        return super().forward(images)[:, :1]


@pytest.mark.parametrize("names", [None, ("dark",)], ids=["unmatched", "one class matched"])
def test_a_model_with_a_single_output_is_not_said_to_give_one_answer(
    examine: Examine, tmp_path: Path, names: tuple[str, ...] | None
) -> None:
    model = adopt_model(_Score(mean=0, std=1), classes=names)
    assert "one-answer" not in [finding.check for finding in examine(model, Tones(60)).findings]
    heard: list[str] = []
    scan(
        *(model, Tones(60)),
        out=tmp_path / "run.nas.db",
        device="cpu",
        on_progress=lambda progress: heard.extend(progress.warnings),
    )
    assert [warning for warning in heard if "get the same answer" in warning] == []


def test_pure_chance_is_near_chance_and_one_class_says_nothing() -> None:
    (found,) = near_chance(plan_with(10, 200, seed=1))
    assert "guessing gives 10." in found.text
    one_class = Answers(np.zeros(50, np.int64), np.ones(50, np.int64), np.zeros(50, np.int64))
    assert near_chance(one_class) == []


def test_tails_of_as_many_images_as_a_scan_has_are_those_of_scipy() -> None:
    assert tail(5_150, 50_000, 0.1) == pytest.approx(binom.sf(5_149, 50_000, 0.1), rel=1e-6)
    assert tail(49_999, 50_000, 0.1) == 0.0


@given(n=st.integers(1, 60), share=st.floats(0, 1), chance=st.floats(0.01, 0.99))
def test_tails_are_those_of_scipy(n: int, share: float, chance: float) -> None:
    successes = round(share * n)
    assert tail(successes, n, chance) == pytest.approx(binom.sf(successes - 1, n, chance), rel=1e-6, abs=1e-12)
    assert gains(successes, n - successes) == pytest.approx(binomtest(successes, n, 0.5, alternative="greater").pvalue)
