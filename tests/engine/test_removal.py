"""Units taken out of a layer: what the model gives then, against passes made by hand and against captum."""

from __future__ import annotations

import pytest
import torch
from captum.attr import LayerFeatureAblation
from torch import Tensor, nn
from torch.nn import functional

from nastui.engine.layers import CaptureLayer, select_layers
from nastui.engine.reduction import Reduction
from nastui.engine.removal import AxisRemoval, Edit, LayerEditor, NeuronRemoval
from nastui.engine.trace import trace_calls
from nastui.errors import ScanError, UnsupportedOutput
from tests.engine.networks import Awkward


class Net(nn.Module):
    """A convolution with an in-place ReLU behind it, and a linear layer that is called twice."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 6, 3)
        self.relu = nn.ReLU(inplace=True)
        self.mix = nn.Linear(6, 6)
        self.head = nn.Linear(6, 4)

    def forward(self, images: Tensor) -> Tensor:
        maps = self.relu(self.conv(images))
        vectors = maps.view(len(maps), 6, -1).mean(2)  # `view` wants the memory laid out as the convolution left it
        logits: Tensor = self.head(self.mix(torch.tanh(self.mix(vectors))))
        return logits


@pytest.fixture
def net() -> Net:
    torch.manual_seed(0)
    return Net().eval()


@pytest.fixture
def images() -> Tensor:
    return torch.randn(5, 1, 7, 7, generator=torch.Generator().manual_seed(1))


def capture_layer(module: nn.Module, path: str, images: Tensor, reduction: Reduction = "sample") -> CaptureLayer:
    (layer,) = select_layers(trace_calls(module, images), path, reduction).layers
    return layer


def edited(module: nn.Module, path: str, images: Tensor, edit: Edit | None, reduction: Reduction = "sample") -> Tensor:
    layer = capture_layer(module, path, images, reduction)
    with LayerEditor(module, layer, reduction) as editor:
        return editor.run(images, edit)


def directions(n: int) -> tuple[Tensor, Tensor]:
    """An orthonormal basis (n, n) and some point."""
    generator = torch.Generator().manual_seed(2)
    return torch.linalg.qr(torch.randn(n, n, generator=generator))[0].T, torch.randn(n, generator=generator)


def axes_removed(x: Tensor, axes: Tensor, centre: Tensor) -> Tensor:
    """One after the other, in float64."""
    for axis in axes.double():
        x = x - ((x - centre) @ axis)[..., None] * axis
    return x


@torch.inference_mode()
def test_nothing_removed_changes_no_bit(net: Net, images: Tensor) -> None:
    assert torch.equal(edited(net, "conv", images, None), net(images))
    nothing = AxisRemoval(torch.eye(6), torch.arange(0), torch.zeros(6))
    assert torch.equal(edited(net, "conv", images, nothing), net(images))


@torch.inference_mode()
@pytest.mark.parametrize("n_removed", [1, 4, 6])
def test_components_of_a_map_are_removed_before_an_in_place_relu(net: Net, images: Tensor, n_removed: int) -> None:
    axes, centre = directions(6)
    maps = net.conv(images).double().movedim(1, -1)
    maps = axes_removed(maps, axes[:n_removed], centre).movedim(-1, 1).float()
    vectors = functional.relu(maps).flatten(2).mean(2)
    expected = net.head(net.mix(torch.tanh(net.mix(vectors))))
    found = edited(net, "conv", images, AxisRemoval(axes, torch.arange(n_removed), centre))
    torch.testing.assert_close(found, expected)


@torch.inference_mode()
def test_all_components_removed_leave_the_mean(net: Net, images: Tensor) -> None:
    axes, mean = directions(6)
    vectors = functional.relu(mean)[None].expand(len(images), 6)
    expected = net.head(net.mix(torch.tanh(net.mix(vectors))))
    torch.testing.assert_close(edited(net, "conv", images, AxisRemoval(axes, torch.arange(6), mean)), expected)
    all_neurons = NeuronRemoval(torch.arange(6), mean)
    torch.testing.assert_close(edited(net, "conv", images, all_neurons), expected)


@torch.inference_mode()
@pytest.mark.parametrize("units", [[2], [5, 0, 3]])
def test_the_axes_of_neurons_remove_neurons(net: Net, images: Tensor, units: list[int]) -> None:
    _, mean = directions(6)
    by_axes = AxisRemoval(torch.eye(6), torch.tensor(units), mean)
    by_number = NeuronRemoval(torch.tensor(units), mean[units])
    torch.testing.assert_close(edited(net, "conv", images, by_axes), edited(net, "conv", images, by_number))


@torch.inference_mode()
@pytest.mark.parametrize("number", [1, 2])
def test_of_a_module_called_twice_one_call_is_edited(net: Net, images: Tensor, number: int) -> None:
    def mixed(vectors: Tensor, call: int) -> Tensor:
        result: Tensor = net.mix(vectors)
        return result.index_fill(1, torch.tensor([1]), 0.25) if call == number else result

    vectors = net.relu(net.conv(images)).flatten(2).mean(2)
    expected = net.head(mixed(torch.tanh(mixed(vectors, 1)), 2))
    edit = NeuronRemoval(torch.tensor([1]), torch.tensor([0.25]))
    torch.testing.assert_close(edited(net, f"mix#{number}", images, edit), expected)


@pytest.mark.parametrize("path", ["conv", "head"])
def test_one_neuron_by_zero_is_captum_s_feature_ablation(net: Net, images: Tensor, path: str) -> None:
    target = 3
    layer = net.get_submodule(path)
    shape = capture_layer(net, path, images).spec.shape
    groups = torch.arange(shape[0]).reshape(-1, *[1] * (len(shape) - 1)).expand(shape)[None]
    with torch.inference_mode():
        before = net(images)[:, target]
    attributed = LayerFeatureAblation(net, layer).attribute(images, target=target, layer_mask=groups)
    for unit in range(shape[0]):
        edit = NeuronRemoval(torch.tensor([unit]), torch.zeros(1))
        lost = before - edited(net, path, images, edit)[:, target]
        torch.testing.assert_close(lost, attributed[:, unit].reshape(len(images), -1)[:, 0].detach())


@torch.inference_mode()
def test_tokens_have_their_units_last() -> None:
    torch.manual_seed(0)
    net = Awkward().eval()
    images = torch.randn(3, 3, 4, 4)
    found = edited(net, "project", images, NeuronRemoval(torch.arange(6), torch.ones(6)))
    expected = net.head(net.gelu(torch.ones(3, 6)))
    torch.testing.assert_close(found, expected)


@torch.inference_mode()
def test_a_single_element_is_a_unit_without_a_reduction(net: Net, images: Tensor) -> None:
    maps = net.conv(images)
    maps[:, 2, 1, 3] = 9
    expected = net.head(net.mix(torch.tanh(net.mix(functional.relu(maps).flatten(2).mean(2)))))
    element = 2 * 25 + 1 * 5 + 3
    edit = NeuronRemoval(torch.tensor([element]), torch.tensor([9.0]))
    torch.testing.assert_close(edited(net, "conv", images, edit, "none"), expected)


@torch.inference_mode()
def test_half_precision_keeps_its_type() -> None:
    net = nn.Sequential(nn.Linear(4, 4), nn.ReLU(inplace=True), nn.Linear(4, 2)).eval().to(torch.bfloat16)
    images = torch.randn(3, 4, dtype=torch.bfloat16)
    axes, centre = directions(4)
    assert edited(net, "0", images, AxisRemoval(axes, torch.arange(2), centre)).dtype == torch.bfloat16


@torch.inference_mode()
def test_the_model_is_left_as_it_was(net: Net, images: Tensor) -> None:
    before = net(images)
    layer = capture_layer(net, "conv", images)
    with LayerEditor(net, layer, "sample") as editor, pytest.raises(ScanError):
        editor.run(images[0, 0], NeuronRemoval(torch.arange(6), torch.zeros(6)))
    assert torch.equal(net(images), before)
    assert not any(module._forward_hooks for module in net.modules())


def test_what_cannot_be_edited_is_refused_by_name(net: Net, images: Tensor) -> None:
    with pytest.raises(UnsupportedOutput, match=r"attention\[1\] .*returns 16×16"):
        capture_layer(Awkward().eval(), "attention[1]", torch.randn(2, 3, 4, 4))
    edit = NeuronRemoval(torch.tensor([0]), torch.zeros(1))
    layer = capture_layer(net, "conv", images)
    with LayerEditor(net, layer, "sample") as editor, pytest.raises(UnsupportedOutput, match="Layer conv returned"):
        editor.run(torch.randn(2, 1, 9, 9), edit)
    with (
        LayerEditor(Once(net), capture_layer(Once(net), "net.mix#1", images), "sample") as editor,
        pytest.raises(UnsupportedOutput, match=r"net\.mix was called 3 times"),
    ):
        editor.run(torch.randn(3, 1, 7, 7), edit)


class Once(nn.Module):
    """Calls a module once more where there are three images."""

    def __init__(self, net: Net) -> None:
        super().__init__()
        self.net = net

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.net(images)
        if len(images) == 3:
            self.net.mix(torch.zeros(3, 6))
        return logits
