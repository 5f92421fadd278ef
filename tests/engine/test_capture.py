from __future__ import annotations

import numpy as np
import pytest
import torch
from captum.attr import LayerActivation
from torch import Tensor, nn
from torchvision import models

from nastui.engine.capture import ActivationCapture, Captured
from nastui.engine.layers import Selection, select_layers
from nastui.engine.reduction import Reduction
from nastui.engine.trace import trace_calls
from nastui.errors import UnsupportedOutput
from nastui.records import Int64
from tests.engine.networks import Awkward, ByHand


def ids(count: int) -> Int64:
    return np.arange(count, dtype=np.int64)


def select(model: nn.Module, images: Tensor, layers: str, reduction: Reduction) -> Selection:
    return select_layers(trace_calls(model, images[:2]), layers, reduction)


def capture_once(model: nn.Module, images: Tensor, layers: str = "auto", reduction: Reduction = "max") -> Captured:
    model.eval()
    with ActivationCapture(model, select(model, images, layers, reduction).layers, reduction) as capture:
        return capture.run(images, ids(len(images)))


def has_hooks(model: nn.Module) -> bool:
    return any(module._forward_hooks for module in model.modules())


def test_two_layers_by_hand() -> None:
    images = torch.tensor([[[[1.0, -2.0], [3.0, 0.0]]], [[[-1.0, -5.0], [-3.0, -4.0]]]])
    captured = capture_once(ByHand(), images)
    assert captured.values["conv"].tolist() == [[6.0, 2.0], [-2.0, 5.0]]  # before the ReLU, in place though it is
    assert captured.positions["conv"].tolist() == [[2, 1], [0, 1]]
    # ReLU maps: 2·(1 + 3) = 8 and 2 for the first image, 0 and 13 for the second.
    assert captured.values["fc"].tolist() == [[10.0, 6.0], [13.0, -13.0]]
    assert captured.output.tolist() == [[10.0, 6.0], [13.0, -13.0]]
    assert "fc" not in captured.positions


def test_alexnets_first_layer_keeps_its_negative_values() -> None:
    # DESIGN §6: the ReLU that follows works in place; a hook that keeps a reference sees no negative value.
    images = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    captured = capture_once(models.alexnet(weights=None), images, "features.0,features.1,classifier.1", "none")
    assert np.min(captured.values["features.0"]) < 0
    assert np.min(captured.values["features.1"]) == 0
    assert np.min(captured.values["classifier.1"]) < 0


@pytest.mark.parametrize("layer", ["features.0", "features.3.squeeze", "features.3", "classifier.1"])
def test_full_maps_equal_captums(layer: str) -> None:
    torch.manual_seed(0)
    model = models.squeezenet1_1(weights=None).eval()
    images = torch.randn(2, 3, 64, 64)
    # Captum keeps references, so its answer for what an in-place ReLU follows needs the ReLU made ordinary.
    for module in model.modules():
        if isinstance(module, nn.ReLU):
            module.inplace = False
    expected = LayerActivation(model, model.get_submodule(layer)).attribute(images)
    captured = capture_once(model, images, layer, "none")
    np.testing.assert_array_equal(captured.values[layer], expected.detach().flatten(1).numpy())


def test_a_functional_in_place_relu_and_a_reused_module_are_seen_as_they_were() -> None:
    torch.manual_seed(0)
    model, images = Awkward(), torch.randn(3, 3, 8, 8)
    captured = capture_once(model, images, "conv2,act", "none")
    with torch.no_grad():
        first = torch.relu(model.conv1(images))
        second = model.conv2(first)
        third = torch.relu(torch.relu(second) - 0.1)
    np.testing.assert_array_equal(captured.values["act#1"], first.flatten(1).numpy())
    np.testing.assert_array_equal(captured.values["conv2"], second.flatten(1).numpy())
    np.testing.assert_array_equal(captured.values["act#2"], third.flatten(1).numpy())


@pytest.mark.parametrize("reduction", ["max", "mean", "center", "sample", "none"])
def test_the_batch_size_does_not_matter(reduction: Reduction) -> None:
    torch.manual_seed(0)
    model, images = models.squeezenet1_1(weights=None).eval(), torch.randn(32, 3, 48, 48)
    layers = select(model, images, "features.0,features.3.*,classifier.1", reduction).layers
    whole: dict[str, list[np.ndarray[tuple[int, ...], np.dtype[np.float32]]]] = {}
    with ActivationCapture(model, layers, reduction, seed=5) as capture:
        together = capture.run(images, ids(32))
        for size in (1, 7):
            parts = [capture.run(images[at : at + size], ids(32)[at : at + size]) for at in range(0, 32, size)]
            for path in together.values:
                whole.setdefault(path, []).append(np.concatenate([part.values[path] for part in parts]))
    for path, versions in whole.items():
        for version in versions:
            np.testing.assert_allclose(version, together.values[path], rtol=1e-4, atol=1e-5, err_msg=path)


def _fail_inside(capture: ActivationCapture, model: nn.Module) -> None:
    with capture:
        assert has_hooks(model)
        raise RuntimeError("stop here")


def test_nothing_is_left_after_an_error_inside_the_block() -> None:
    model, images = ByHand().eval(), torch.zeros(2, 1, 4, 4)
    layers = select(model, images, "auto", "max").layers
    capture = ActivationCapture(model, layers, "max")
    with pytest.raises(RuntimeError, match="stop here"):
        _fail_inside(capture, model)
    assert not has_hooks(model)


class _SometimesTwice(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(2, 2)
        self.times = 1

    def forward(self, images: Tensor) -> Tensor:
        for _ in range(self.times):
            images = self.fc(images)
        return images


@pytest.mark.parametrize("times", [0, 2])
def test_a_call_more_or_less_than_in_the_example_is_an_error_and_not_a_mix_up(times: int) -> None:
    model, images = _SometimesTwice().eval(), torch.zeros(2, 2)
    layers = select(model, images, "fc", "max").layers
    with ActivationCapture(model, layers, "max") as capture:
        capture.run(images, ids(2))
        model.times = times
        with pytest.raises(UnsupportedOutput, match=f"fc was called {times} times"):
            capture.run(images, ids(2))


def test_another_image_size_is_an_error_that_names_the_layer() -> None:
    model, images = ByHand().eval(), torch.zeros(2, 1, 4, 4)
    layers = select(model, images, "conv", "max").layers
    with (
        ActivationCapture(model, layers, "max") as capture,
        pytest.raises(UnsupportedOutput, match=r"Layer conv returned \(2, 2, 5, 5\)"),
    ):
        capture.run(torch.zeros(2, 1, 5, 5), ids(2))


def test_a_forward_of_the_users_own_inside_the_block_changes_nothing() -> None:
    model, images = ByHand().eval(), torch.ones(2, 1, 4, 4)
    layers = select(model, images, "auto", "max").layers
    with ActivationCapture(model, layers, "max") as capture:
        before = capture.run(images, ids(2))
        model(images * 5)
        after = capture.run(images, ids(2))
    np.testing.assert_array_equal(before.values["conv"], after.values["conv"])
