"""What the values of a model and its weights show: each fault is found, a sound model is silent."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from nastui.engine.inspection.finding import Finding
from nastui.engine.inspection.running import Running
from nastui.engine.inspection.stability import check_stability
from nastui.engine.inspection.values import check_values, check_weights
from nastui.engine.layers import select_layers
from nastui.engine.trace import trace_calls
from tests.engine.faulty_networks import Network, drops_by_function, looks_at_the_batch

IMAGES = torch.rand(8, 3, 8, 8, generator=torch.Generator().manual_seed(0))
RUNNING = Running(torch.device("cpu"), 8)


def values(module: nn.Module) -> list[Finding]:
    module.eval()
    layers = select_layers(trace_calls(module, IMAGES), "auto", "max").layers
    return [*check_weights(module), *check_values(module, IMAGES, layers, RUNNING), *check_stability(module, IMAGES)]


def checks(module: nn.Module) -> list[str]:
    return [finding.check for finding in values(module)]


def test_a_sound_model_is_silent() -> None:
    assert checks(Network()) == []


class _ChangesItsInput(nn.Module):
    """Normalises the images where they are."""

    def __init__(self) -> None:
        super().__init__()
        self.net = Network()

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.net(images.sub_(0.5).div_(0.2))
        return logits


def test_a_model_that_changes_its_input_in_place_is_sound_and_the_images_stay() -> None:
    before = IMAGES.clone()
    assert checks(_ChangesItsInput()) == []
    assert torch.equal(IMAGES, before)


def test_a_weight_that_is_nan_is_found_and_what_becomes_of_it() -> None:
    module = Network()
    with torch.no_grad():
        module.head.weight[0, 0] = torch.nan
    weights, outputs = values(module)
    assert weights.check == "nan-weights"
    assert "1 of 9 tensors" in weights.text
    assert "head.weight" in weights.text
    assert outputs.text == "NaN or infinities in head, the model's output, first in head."


def test_a_layer_that_does_not_see_the_images_is_found() -> None:
    module = Network()
    with torch.no_grad():
        module.norm.weight.zero_()
    found = values(module)
    assert [one.check for one in found] == ["constant-layer"]
    assert "head: 8 different images gave the same values." in found[0].text


def test_probabilities_in_place_of_logits_are_noted() -> None:
    assert checks(nn.Sequential(Network(), nn.Softmax(1))) == ["probabilities"]
    assert checks(nn.Sequential(Network(), nn.Sigmoid())) == []


@pytest.mark.parametrize(
    ("change", "check"),
    [(drops_by_function, "random-forward"), (looks_at_the_batch, "batch-dependent")],
    ids=["chance", "company"],
)
def test_values_that_are_not_an_images_own_are_an_error(change: object, check: str) -> None:
    found = values(Network(change))  # type: ignore[arg-type]
    assert [one.check for one in found] == [check]
    assert found[0].level == "error"


def test_batch_norm_in_training_mode_shows_in_the_company_of_others() -> None:
    module = Network()

    def forward_in_training(images: Tensor) -> Tensor:
        module.norm.train()
        logits: Tensor = module.head(module.norm(module.conv(images)).amax((2, 3)))
        return logits

    module.forward = forward_in_training  # type: ignore[method-assign]
    assert checks(module) == ["batch-dependent"]
