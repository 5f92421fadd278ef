"""What the way in which a model calls its modules means for a scan: each fault is found, a sound model is silent."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from nastui.engine.inspection.finding import Finding
from nastui.engine.inspection.structure import check_structure
from nastui.engine.inspection.watching import watch_forward
from nastui.engine.layers import select_layers
from nastui.engine.models import load_model
from nastui.engine.trace import trace_calls
from tests.engine.faulty_networks import Network, calls_train, drops_by_function
from tests.engine.networks import Awkward, ByHand

IMAGES = torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))


def structure(module: nn.Module, images: Tensor = IMAGES, layers: str = "auto") -> dict[str, Finding]:
    module.eval()
    trace = trace_calls(module, images)
    watched = watch_forward(module, images, select_layers(trace, layers, "max").layers)
    return {finding.check: finding for finding in check_structure(module, trace, watched)}


def test_a_sound_model_is_silent() -> None:
    assert structure(Network()) == {}


def test_a_layer_that_an_in_place_module_overwrites_is_named_with_it() -> None:
    found = structure(ByHand(), IMAGES[:, :1])
    assert list(found) == ["overwritten"]
    assert "conv by relu (ReLU)" in found["overwritten"].text
    assert structure(ByHand(), IMAGES[:, :1], layers="fc") == {}


def test_what_overwrites_by_function_is_named_by_where_it_stands() -> None:
    found = structure(Awkward(), torch.rand(2, 3, 4, 4))
    assert found["overwritten"].text.startswith("2 captured layers have their output overwritten in place")
    assert "conv2 by relu_ in the model" in found["overwritten"].text


def test_modules_that_are_called_again_come_with_their_addresses() -> None:
    found = structure(Awkward(), torch.rand(2, 3, 4, 4))
    assert "1 module is called more than once for an image: act (2 times)" in found["called-again"].text
    assert "act#1, act#2" in found["called-again"].advice


class Passing(nn.Module):
    """Calls dropout twice and a stem that gives two tensors once; one Identity and one dropout never."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = Halves()
        self.drop = nn.Dropout()
        self.spare, self.drop2d = nn.Identity(), nn.Dropout2d()
        self.head = nn.Linear(192, 2)

    def forward(self, images: Tensor) -> Tensor:
        one, other = self.stem(images)
        logits: Tensor = self.head(torch.cat([self.drop(one), self.drop(other)], 1))
        return logits


class Halves(nn.Module):
    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        return images[:, :, :4].flatten(1), images[:, :, 4:].flatten(1)


def test_nothing_is_said_of_what_passes_on_nor_of_a_call_that_gives_two_tensors() -> None:
    assert structure(Passing(), layers="head") == {}


def test_a_module_that_is_never_called_is_named() -> None:
    found = structure(Awkward(), torch.rand(2, 3, 4, 4))
    assert "spare" in found["never-called"].text


class ByFunction(nn.Module):
    """The same nonlinearity three ways, in a block and outside of it."""

    def __init__(self) -> None:
        super().__init__()
        self.block = nn.Sequential(nn.Conv2d(3, 3, 1), nn.GELU())
        self.head = nn.Linear(3, 2)

    def forward(self, images: Tensor) -> Tensor:
        maps = functional.relu(self.block(images))
        features = torch.relu(maps).mean((2, 3)).sigmoid()
        logits: Tensor = self.head(features)
        return logits


def test_nonlinearities_by_function_are_counted_and_those_of_modules_are_not() -> None:
    found = structure(ByFunction())
    assert list(found) == ["by-function"]
    assert "the model calls relu 2 times, the model calls sigmoid" in found["by-function"].text
    assert "gelu" not in found["by-function"].text


@pytest.mark.parametrize(
    ("change", "words"),
    [(calls_train, "norm, drop"), (drops_by_function, "dropout by function in the model")],
    ids=["train() in the forward", "F.dropout without training="],
)
def test_what_runs_in_training_mode_is_an_error(change: object, words: str) -> None:
    module = Network(change)  # type: ignore[arg-type]
    module.eval()
    module(IMAGES)  # from the second pass on train() has told
    trace = trace_calls(module, IMAGES)
    found = {one.check: one for one in check_structure(module, trace, watch_forward(module, IMAGES, ()))}
    assert found["train-mode"].level == "error"
    assert words in found["train-mode"].text


def test_dropout_by_function_that_asks_for_the_mode_is_silent() -> None:
    module = Network(lambda self, features: functional.dropout(features, 0.5, training=self.training))
    assert structure(module) == {}


def test_batch_norm_without_running_statistics_is_found() -> None:
    module = Network()
    module.norm = nn.BatchNorm2d(4, track_running_stats=False)
    assert list(structure(module)) == ["batch-statistics"]


def test_attention_that_reads_its_own_weights_is_explained() -> None:
    found = structure(load_model("torchvision:vit_b_32").module, torch.rand(2, 3, 224, 224), layers="heads.head")
    assert "12 modules are never called" in found["never-called"].text
    assert "nn.MultiheadAttention" in found["never-called"].advice


def test_alexnet_says_three_lines_at_most() -> None:
    found = structure(load_model("torchvision:alexnet").module, torch.rand(2, 3, 64, 64))
    assert list(found) == ["overwritten"]
    assert "7 captured layers" in found["overwritten"].text
