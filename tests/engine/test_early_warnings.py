"""What a scan says in its first seconds: what makes its values doubtful, and nothing where they are not."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image
from torch import Tensor, nn
from torchvision import transforms

from nastui.engine.doctor import diagnose, prepared
from nastui.engine.findings import doctor_command
from nastui.engine.inspection.early import look_at_answers
from nastui.engine.inspection.running import Running
from nastui.engine.models import adopt_model
from nastui.engine.outlook import Pace
from nastui.engine.scan import ScanProgress, scan
from nastui.errors import ScanInterrupted
from nastui.records import Batch, ImageResult
from nastui.scanning import outlook_words
from tests.engine.faulty_networks import KnowsTones, Network, Tones, calls_train, drops_by_function, tone

IMAGENET: dict[str, Any] = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is found does not depend on how busy the machine is."""
    for module in ("early", "knowledge"):
        monkeypatch.setattr(f"nastui.engine.inspection.{module}._SECONDS", 300.0)


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


@pytest.mark.usefixtures("unhurried")
def test_a_forgotten_mean_and_std_are_said_before_the_first_batch(shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "cifar10"
    model, data = f"{folder}/cifar_nets.py:resnet20", f"imagefolder:{folder}/test_jpg"
    options: dict[str, Any] = {"weights": folder / "weights/resnet20.pt", "layers": "linear", "per_class": 20}
    (done, warning), *_ = said(tmp_path, model, data, **options)
    assert done == 0
    assert "With ImageNet's mean and std top-1 rises" in warning
    assert "Give --mean=0.485,0.456,0.406 --std=0.229,0.224,0.225." in warning
    assert said(tmp_path, model, data, force=True, **options, **IMAGENET) == []


RESNET20: dict[str, Any] = {"layers": "linear", "per_class": 50}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"mean": IMAGENET["mean"]}, "Give --mean=0.485,0.456,0.406 --std=0.229,0.224,0.225."),
        (IMAGENET | {"size": 64, "per_class": 20}, "Give --size=32."),
        ({"mean": (123.675, 116.28, 103.53), "std": (58.395, 57.12, 57.375)}, "Divide by 255"),
    ],
    ids=["mean without std", "enlarged", "0 to 255"],
)
@pytest.mark.usefixtures("unhurried")
def test_what_is_wrong_is_seen_by_a_few_images_of_each_class(
    shared_data: Path, options: dict[str, Any], words: str
) -> None:
    folder = shared_data / "cifar10"
    model, data = f"{folder}/cifar_nets.py:resnet20", f"imagefolder:{folder}/test_jpg"
    weights = folder / "weights/resnet20.pt"
    with prepared(model, data, weights=weights, device="cpu", **(RESNET20 | options)) as found:
        said = [*found.plan.findings, *look_at_answers(found.plan, Running(found.place, 32))]
    assert words in said[0].advice


class ClassByClass(Tones):
    """The dark ones first, as image sets are."""

    def __init__(self, count: int) -> None:
        super().__init__(count)
        self.targets.sort()

    def __getitem__(self, index: int) -> tuple[Image.Image, int]:
        target = self.targets[index]
        return tone(2 * index + target), target


@pytest.mark.parametrize("count", [30, 400])
def test_one_answer_for_all_classes_is_said_first_where_there_is_time_and_last(tmp_path: Path, count: int) -> None:
    found = said(tmp_path, adopt_model(answers_dark(), classes=Tones.classes), ClassByClass(count))
    assert [done for done, warning in found if "get the same answer: dark" in warning] == (
        [0, 400] if count == 400 else [30]
    )
    assert found[-1][1].startswith(
        f"All {count} images, spread over 2 classes, get the same answer: dark (top-1 0.500)."
    )
    assert found[-1][1].endswith("To look for the reason: nastui doctor MODEL DATA")


def test_a_model_that_is_right_by_half_at_least_is_looked_at_no_further(tmp_path: Path) -> None:
    model = adopt_model(KnowsTones(mean=0, std=1), classes=Tones.classes)
    seen: list[int] = []
    with prepared(model, ClassByClass(400), device="cpu") as found:
        handle = model.module.register_forward_pre_hook(lambda _module, inputs: seen.append(len(inputs[0])))
        assert look_at_answers(found.plan, Running(found.place, 32)) == []
        handle.remove()
    assert seen == [2, 6, 8]  # of 32: 16 right tell it


@pytest.mark.parametrize("batch_size", [1, 4])
def test_no_more_images_than_a_batch_has_go_into_the_model_at_once(tmp_path: Path, batch_size: int) -> None:
    most = max(batch_size, 2)  # of which every plan is made

    def runs_out(_module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        if len(inputs[0]) > most:
            raise RuntimeError(f"out of memory: batch of {len(inputs[0])}")

    module = answers_dark()
    module.register_forward_pre_hook(runs_out)
    model = adopt_model(module, classes=Tones.classes)
    first, *_ = said(tmp_path, model, ClassByClass(400), batch_size=batch_size)
    assert first[0] == 0
    found = diagnose(model, ClassByClass(40), device="cpu", batch_size=batch_size)
    assert found.examination.top1 == 0.5


def answers_dark() -> KnowsTones:
    """To whatever image."""
    module = KnowsTones(mean=-5, std=1)
    nn.init.zeros_(module.head.weight)
    return module


def test_a_model_that_fails_while_it_is_looked_at_is_scanned_all_the_same() -> None:
    def raises(error: Exception) -> Any:
        def hook(_module: nn.Module, _inputs: object) -> None:
            raise error

        return hook

    model = adopt_model(answers_dark(), classes=Tones.classes)
    with prepared(model, ClassByClass(400), device="cpu") as found:
        handle = model.module.register_forward_pre_hook(raises(RuntimeError("out of memory")))
        assert look_at_answers(found.plan, Running(found.place, 32)) == []
        handle.remove()
        model.module.register_forward_pre_hook(raises(ScanInterrupted("Stopped.")))
        with pytest.raises(ScanInterrupted):
            look_at_answers(found.plan, Running(found.place, 32))


@pytest.mark.parametrize(
    ("seconds", "at_most", "is_said"),
    [(0.01, 128, True), (0.1, 32, False), (0.5, 8, False), (5.0, 2, False)],
    ids=["10 ms an image", "100 ms", "500 ms", "5 s"],
)
def test_a_slow_model_is_looked_at_for_four_seconds(
    monkeypatch: pytest.MonkeyPatch, seconds: float, at_most: int, is_said: bool
) -> None:
    seen = [0]
    clock = SimpleNamespace(perf_counter=lambda: seconds * seen[0])
    model = adopt_model(answers_dark(), classes=Tones.classes)

    def count(_module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        seen[0] += len(inputs[0])

    with prepared(model, ClassByClass(400), device="cpu") as found:
        monkeypatch.setattr("nastui.engine.inspection.early.time", clock)
        monkeypatch.setattr("nastui.engine.inspection.early.check_knowledge", lambda *_args, **_options: ["said"])
        model.module.register_forward_pre_hook(count)
        assert bool(look_at_answers(found.plan, Running(found.place, 32))) == is_said
    assert seen[0] <= at_most


def test_a_stop_is_heard_while_answers_are_looked_at(tmp_path: Path) -> None:
    seen: list[int] = []
    module = answers_dark()
    model = adopt_model(module, classes=Tones.classes)
    module.register_forward_pre_hook(lambda _module, inputs: seen.append(len(inputs[0])))
    with pytest.raises(ScanInterrupted, match=r"Stopped after 0 of 400 images; .* keeps them") as stopped:
        said(tmp_path, model, ClassByClass(400), should_stop=lambda: sum(seen) > 10)
    assert stopped.value.hint == "The same command goes on from there."
    assert sum(seen) < 20
    seen.clear()
    said(tmp_path, model, ClassByClass(400))
    assert sum(seen) > 400


def test_of_one_class_nothing_can_be_told_and_nothing_is_looked_at() -> None:
    model = adopt_model(answers_dark(), classes=Tones.classes)
    data = ClassByClass(400)
    with prepared(model, data, device="cpu", classes=["dark"]) as found:
        model.module.register_forward_pre_hook(lambda *_: pytest.fail("looked at"))
        assert look_at_answers(found.plan, Running(found.place, 32)) == []


def test_a_process_that_shares_a_scan_looks_at_all_its_classes() -> None:
    with prepared(
        adopt_model(KnowsTones(mean=-5, std=1), classes=Tones.classes), ClassByClass(400), device="cpu"
    ) as found:
        part = found.plan.part(range(100), found.plan.spec)  # dark images alone
        (finding,) = look_at_answers(part, Running(found.place, 32))
    assert "spread over 2 classes" in finding.text


@pytest.mark.parametrize(
    ("scan", "doctor"),
    [
        (
            "nastui scan --model a.py:net --weights 'e*.pt' --data=imagefolder:x --mean=-1 --force --out 'o p.db'",
            "nastui doctor a.py:net imagefolder:x --weights e1.pt --mean=-1",
        ),
        ("nastui scan --data digits --out o.db --model net --size 32", "nastui doctor net digits --size 32"),
        ("nastui.scan(…) in Python", None),
    ],
)
def test_the_command_of_a_scan_becomes_that_of_the_doctor(scan: str, doctor: str | None) -> None:
    assert doctor_command(scan, "e1.pt") == doctor


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


class _ManyTones(Tones):
    """Of seven classes, two of which the model knows."""

    classes = ("dark", "light", "c", "d", "e", "f", "g")

    def __init__(self, count: int) -> None:
        super().__init__(count)
        self.targets = [index % 7 for index in range(count)]


def test_the_first_classes_without_an_output_are_named_and_the_others_counted() -> None:
    with prepared(adopt_model(Network(), classes=Tones.classes), _ManyTones(14), device="cpu") as found:
        (finding,) = found.plan.findings
    assert finding.text.startswith("5 of 7 classes have no output, and accuracy leaves them out: c")
    assert finding.text.count(";") == 2
    assert finding.text.endswith(" and 2 more.")
