"""A model run in another memory format, precision or compiled gives the same values, or says how far off they are."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from nastui.engine.capture import ActivationCapture, Captured
from nastui.engine.computing import TOLERANCE, Computing, ComputingOptions, Effect, effect_words, words
from nastui.engine.layers import CaptureLayer, select_layers
from nastui.engine.loader import first_decodable, load_batches
from nastui.engine.models import load_model
from nastui.engine.preprocessing import choose_preprocessing
from nastui.engine.reduction import Reduction
from nastui.engine.sources import load_source
from nastui.engine.subset import select_images
from nastui.engine.trace import trace_calls
from nastui.engine.trial import compare
from nastui.errors import ScanError, UsageError
from nastui.records import Float32
from tests.engine.networks import Awkward, ByHand

CPU = torch.device("cpu")
CHANNELS_LAST = Computing(memory_format="channels_last")


def layers_of(module: nn.Module, images: Tensor, reduction: Reduction = "max") -> tuple[CaptureLayer, ...]:
    return select_layers(trace_calls(module, images[:2]), "auto", reduction).layers


def capture(
    module: nn.Module, images: Tensor, computing: Computing | None = None, reduction: Reduction = "max"
) -> Captured:
    layers = layers_of(module, images, reduction)
    with ActivationCapture(module, layers, reduction, computing=computing) as captured:
        return captured.run(images, np.arange(len(images)))


def real_net(name: str, shared_data: Path) -> tuple[nn.Module, Tensor]:
    """A trained network and sixteen of the images that it knows."""
    cases: dict[str, tuple[str, str, str, dict[str, Any]]] = {
        "resnet20": (
            str(shared_data / "cifar10/cifar_nets.py:resnet20"),
            "cifar10/weights/resnet20.pt",
            "cifar10/train_png",
            {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)},
        ),
        "squeezenet": (
            "torchvision:squeezenet1_0",
            "imagenet/weights/squeezenet1_0_fp16.pt",
            "imagenet/images",
            {"size": 112, "mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)},
        ),
    }
    spec, weights, data, pixels = cases[name]
    model = load_model(spec, shared_data / weights)
    source = load_source(f"imagefolder:{shared_data / data}")
    indices = select_images(source, per_class=2).indices[:16]
    preprocessing = choose_preprocessing(model, first_decodable(source, indices), **pixels)
    batch = next(load_batches(source, indices, preprocessing, batch_size=16))
    assert batch.inputs is not None
    return model.module, batch.inputs


def span(values: Float32) -> float:
    return float(np.ptp(values))


@pytest.mark.parametrize("name", ["resnet20", "squeezenet"])
def test_channels_last_gives_a_real_net_the_same_values_and_places(name: str, shared_data: Path) -> None:
    module, images = real_net(name, shared_data)
    plain, other = capture(module, images), capture(module, images, CHANNELS_LAST)
    for path, values in plain.values.items():
        np.testing.assert_allclose(other.values[path], values, atol=1e-5 * span(values), rtol=0, err_msg=path)
    maps = capture(module, images, reduction="none").values
    for path, places in plain.positions.items():
        whole = maps[path].reshape(*places.shape, -1)
        moved = places != other.positions[path]
        # Where the place is another one, both hold the largest value within the tolerance: a tie.
        here = np.take_along_axis(whole, other.positions[path][:, :, None], axis=2)[:, :, 0]
        assert (plain.values[path] - here)[moved].max(initial=0) <= 1e-5 * span(plain.values[path])
        assert moved.mean() < 0.01
    assert compare(plain, other).predictions_changed == 0


def test_the_stated_effect_of_bfloat16_is_what_one_works_out_oneself(shared_data: Path) -> None:
    module, images = real_net("resnet20", shared_data)
    plain, other = capture(module, images), capture(module, images, Computing(precision="bfloat16"))
    effect = compare(plain, other)
    differences = {path: np.abs(v - other.values[path]).max() / span(v) for path, v in plain.values.items()}
    assert effect.layer == max(differences, key=lambda path: differences[path])
    assert effect.largest_difference == pytest.approx(differences[effect.layer], rel=1e-5)
    assert effect.logits == pytest.approx(np.abs(plain.output - other.output).max() / span(plain.output), rel=1e-5)
    assert effect.predictions_changed == (plain.output.argmax(1) != other.output.argmax(1)).sum()
    assert 0.001 < effect.largest_difference < 0.1  # eight bits of a mantissa
    assert other.values[effect.layer].dtype == np.float32


class _InPlace(nn.Module):
    """A convolution whose output an in-place ReLU changes, called twice."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3, padding=1)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, images: Tensor) -> Tensor:
        pooled: Tensor = self.relu(self.conv(self.relu(self.conv(images)))).mean((2, 3))
        return pooled


# Inductor itself takes ten seconds a net; what it is given is the same with the other backend.
@pytest.mark.parametrize(("net", "backend"), [(_InPlace, "inductor"), (Awkward, "aot_eager")])
@pytest.mark.filterwarnings("ignore:Guards may run slower")
def test_compiled_hooks_tell_the_truth(net: type[nn.Module], backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend=backend))
    torch.manual_seed(0)
    module, images = net().eval(), torch.randn(6, 3, 8, 8)
    plain, layers = capture(module, images), layers_of(module, images)
    with ActivationCapture(module, layers, "max", computing=Computing(compiled=True)) as capturing:
        found = capturing.run(images, np.arange(6))
        short = capturing.run(images[:2], np.arange(2))
    assert list(found.values) == list(plain.values)
    for path, values in plain.values.items():
        np.testing.assert_allclose(found.values[path], values, atol=1e-5, rtol=1e-4)
        np.testing.assert_allclose(short.values[path], values[:2], atol=1e-5, rtol=1e-4)
    assert {path: places.tolist() for path, places in found.positions.items()} == {
        path: places.tolist() for path, places in plain.positions.items()
    }
    np.testing.assert_allclose(short.output, plain.output[:2], atol=1e-5)


@pytest.mark.parametrize("reduction", ["mean", "center", "none"])
@pytest.mark.filterwarnings("ignore:Guards may run slower")
def test_reductions_without_places_can_be_compiled(reduction: Reduction, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend="aot_eager"))
    torch.manual_seed(0)
    module, images = _InPlace().eval(), torch.randn(4, 3, 8, 9)
    plain = capture(module, images, reduction=reduction)
    found = capture(module, images, Computing(compiled=True), reduction)
    for path, values in plain.values.items():
        np.testing.assert_allclose(found.values[path], values, atol=1e-5)


@pytest.mark.filterwarnings("ignore:Guards may run slower")
def test_batches_with_images_that_did_not_decode_are_not_compiled_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []

    def noting(graph: Any, inputs: list[Any]) -> Any:
        sizes.append(max(len(one) for one in inputs if isinstance(one, Tensor) and one.shape[1:] == (3, 8, 8)))
        return graph

    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend=noting))
    module, images = _InPlace().eval(), torch.randn(6, 3, 8, 8)
    layers = layers_of(module, images)
    with ActivationCapture(module, layers, "max", computing=Computing(compiled=True)) as capturing:
        for count in (4, 6, 5, 3):
            capturing.run(images[:count], np.arange(count))
    assert set(sizes) == {4, 6}


class _TwoLayouts(nn.Module):
    """A convolution whose weight lies in memory like no format has it, and a tied one."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(4, 8, 3, padding=1)
        self.last = nn.Conv2d(8, 4, 3)
        self.last.to(memory_format=torch.channels_last)
        self.first.weight = nn.Parameter(torch.randn(3, 3, 4, 8).permute(3, 2, 0, 1))
        self.again = self.first

    def forward(self, images: Tensor) -> Tensor:
        pooled: Tensor = self.last(self.first(images)).mean((2, 3))
        return pooled


@pytest.mark.parametrize("memory_format", ["contiguous", "channels_last"])
@pytest.mark.parametrize("fails", [False, True])
def test_a_module_in_hand_gets_its_weights_back_as_and_where_they_were(memory_format: Any, fails: bool) -> None:
    module = _TwoLayouts().eval()
    before = [(one.data_ptr(), one.stride(), one.clone()) for one in module.parameters()]
    images = torch.randn(2, 3 if fails else 4, 6, 6)
    layers = layers_of(module, torch.randn(2, 4, 6, 6))
    with ActivationCapture(module, layers, "max", computing=Computing(memory_format=memory_format)) as captured:
        if fails:
            with pytest.raises(ScanError, match="does not take images of shape 3"):
                captured.run(images, np.arange(2))
        else:
            captured.run(images, np.arange(2))
            assert module.first.weight.is_contiguous(
                memory_format=torch.channels_last if memory_format == "channels_last" else torch.contiguous_format
            )
    for (place, strides, values), after in zip(before, module.parameters(), strict=True):
        assert (after.data_ptr(), after.stride()) == (place, strides)
        assert torch.equal(after, values)
    assert module.again.weight is module.first.weight
    assert not any(child._forward_hooks for child in module.modules())


def test_what_a_run_keeps_of_it_can_be_read_again() -> None:
    effect = Effect(32, 0.0123, "layer4.1.conv2", 0.02, 1)
    for computing in (Computing(), Computing("cuda:1", "channels_last", "bfloat16", True, effect)):
        assert Computing.read(computing.describe()) == computing
    assert Computing.read("{}") == Computing()  # of before anybody wrote it down
    assert Computing.read('{"device": "cpu", "part": {"number": 1}}') == Computing()
    assert "effect" not in Computing().describe()


def test_only_what_was_asked_for_is_said() -> None:
    effect = Effect(32, 0.0123, "conv2", 0.02, 1)
    said = effect_words(Computing(precision="bfloat16", compiled=True, effect=effect))
    assert said == (
        "bfloat16 and compiling changes values by up to 1.23% of their layer's span (conv2), logits by 2.00%, and 1 of"
        " 32 predictions, measured on the first images."
    )
    same = replace(effect, largest_difference=TOLERANCE / 2)
    assert effect_words(replace(CHANNELS_LAST, effect=same)) is None
    assert str(effect_words(replace(CHANNELS_LAST, effect=effect))).startswith("channels last changes values")
    assert effect_words(Computing()) is None
    assert words(Computing("cpu", "channels_last", "bfloat16", True)) == "channels last, bfloat16, compiled"


def test_options_that_cannot_be_are_refused() -> None:
    with pytest.raises(UsageError, match=r"memory_format is 'nhwc'\.\nGive auto, contiguous or channels_last"):
        ComputingOptions.parse("nhwc", "float32", compiled=False)
    with pytest.raises(UsageError, match=r"precision is 'float64'"):
        ComputingOptions.parse("auto", "float64", compiled=False)
    with pytest.raises(UsageError, match="A CPU does not compute in float16"):
        ComputingOptions(precision="float16").check(CPU, "max")
    with pytest.raises(UsageError, match="--compile and --reduce sample do not go together"):
        ComputingOptions(compiled=True).check(CPU, "sample")


def test_what_cannot_be_compiled_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_compiler(function: Any, **options: Any) -> Any:
        def fail(*arguments: Any) -> Any:
            raise RuntimeError("no C++ compiler\nand a long trace")

        return fail

    monkeypatch.setattr(torch, "compile", no_compiler)
    with pytest.raises(ScanError, match=r"cannot be compiled: RuntimeError: no C\+\+ compiler\nLeave out --compile"):
        capture(ByHand().eval(), torch.zeros(2, 1, 4, 4), Computing(compiled=True))
