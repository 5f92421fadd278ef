"""What a position of a map sees: by hand, by two methods that know nothing of each other, and for odd networks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional
from torchvision import models

from nastui.engine.field_probing import all_cuts, reached_positions
from nastui.engine.layers import CaptureLayer, select_layers
from nastui.engine.receptive_field import probed_fields, receptive_fields, spans, traced_fields
from nastui.engine.trace import trace_calls
from nastui.engine.weights import fit_state_dict, read_state_dict
from nastui.errors import ScanError
from nastui.records import Float64, ReceptiveField


def image(height: int, width: int | None = None, channels: int = 3) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.rand(1, channels, height, width or height, generator=generator)


def layers_of(module: nn.Module, example: Tensor, patterns: str = "auto") -> tuple[CaptureLayer, ...]:
    return select_layers(trace_calls(module.eval(), torch.cat([example, example])), patterns, "max").layers


def maps_of(module: nn.Module, example: Tensor, patterns: str = "auto") -> list[CaptureLayer]:
    return [layer for layer in layers_of(module, example, patterns) if len(layer.spec.shape) == 3]


def fields(module: nn.Module, example: Tensor, patterns: str = "auto") -> dict[str, ReceptiveField | None]:
    return receptive_fields(module, layers_of(module, example, patterns), example)


def square(size: float, stride: float, offset: float) -> ReceptiveField:
    return ReceptiveField(size, size, stride, stride, offset, offset)


def clipped(field: ReceptiveField, axis: int, n_positions: int, length: int) -> tuple[Float64, Float64]:
    starts, ends = spans(field, axis, n_positions)
    return np.clip(starts, 0, length), np.clip(ends, 0, length)


# ---- by hand --------------------------------------------------------------------------------


def test_numbers_by_hand() -> None:
    network = nn.Sequential(
        nn.Conv2d(3, 4, 7, stride=2, padding=3),  # 7 pixels, every 2, from -3
        nn.ReLU(),
        nn.MaxPool2d(3, stride=2),  # + 2·2, every 4
        nn.Conv2d(4, 4, 3, padding=2, dilation=2),  # + 4·4, from -3 - 2·4
        nn.AvgPool2d(2),  # + 4, every 8
        nn.Conv2d(4, 2, 1),
        nn.Flatten(),
        nn.LazyLinear(2),
    )
    network(image(64))
    assert fields(network, image(64)) == {
        "0": square(7, 2, -3),
        "3": square(27, 4, -11),
        "5": square(31, 8, -11),
        "7": None,
    }


def test_y_and_x_are_told_apart() -> None:
    network = nn.Sequential(nn.Conv2d(3, 2, (1, 5), stride=(2, 3), padding=(0, 1)), nn.Conv2d(2, 2, (3, 1)))
    assert fields(network, image(20, 50)) == {
        "0": ReceptiveField(1, 5, 2, 3, 0, -1),
        "1": ReceptiveField(5, 5, 2, 3, 0, -1),
    }


class Branches(nn.Module):
    """A skip, a concatenation, a functional pool, slices, a view and attention over channels, which sees all."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, stride=2, padding=1)
        self.wide = nn.Conv2d(4, 4, 5, padding=2)
        self.joined = nn.Conv2d(8, 4, 1)
        self.after = nn.Conv2d(4, 4, 1)
        self.cut = nn.Conv2d(4, 4, (1, 3))
        self.gate = nn.Conv2d(4, 4, 1)
        self.gated = nn.Conv2d(4, 4, 1)

    def forward(self, images: Tensor) -> Tensor:
        x = functional.relu_(self.stem(images))
        x = x + self.wide(x)
        x = torch.cat([functional.max_pool2d(x, 3, 1, 1), x], dim=1)
        x = self.joined(x).unflatten(1, (2, 2)).transpose(1, 2).flatten(1, 2)
        x = self.after(x)[:, :, 1::2]
        x = self.cut(functional.pad(x, (2, 0)))
        x = x * self.gate(x.mean((2, 3), keepdim=True)).sigmoid()
        logits: Tensor = self.gated(x).flatten(1)
        return logits


def test_skips_concatenations_views_and_slices() -> None:
    found = fields(Branches(), image(40))
    assert found["stem"] == square(3, 2, -1)
    assert found["wide"] == square(11, 2, -5)
    assert found["joined"] == found["after"] == square(15, 2, -7)
    assert found["cut"] == ReceptiveField(15, 19, 4, 2, -5, -11)
    assert found["gate"] == found["gated"] == square(40, 0, 0)


class Attention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 8, 8, stride=8)
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
        self.after = nn.Conv2d(8, 2, 1)

    def forward(self, images: Tensor) -> Tensor:
        maps = self.patches(images)
        tokens = maps.flatten(2).transpose(1, 2)
        mixed, _ = self.attention(tokens, tokens, tokens)
        logits: Tensor = self.after(mixed.transpose(1, 2).reshape(maps.shape)).flatten(1)
        return logits


def test_attention_sees_the_whole_image() -> None:
    found = fields(Attention(), image(32))
    assert found["patches"] == square(8, 8, 0)
    assert found["after"] == square(32, 0, 0)


def test_a_layer_that_is_called_twice_has_a_field_for_each_call() -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 3, 3, padding=1)

        def forward(self, images: Tensor) -> Tensor:
            logits: Tensor = self.conv(self.conv(images)).flatten(1)
            return logits

    assert fields(Twice(), image(16)) == {"conv#1": square(3, 1, -1), "conv#2": square(5, 1, -2)}


# ---- what arithmetic does not know ------------------------------------------------------------


class UpAndDown(nn.Module):
    """A small U-net: enlarging is left to trial."""

    def __init__(self) -> None:
        super().__init__()
        self.down = nn.Conv2d(3, 4, 2, stride=2)
        self.up = nn.ConvTranspose2d(4, 4, 2, stride=2)
        self.out = nn.Conv2d(4 + 3, 2, 1)

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.out(torch.cat([self.up(self.down(images)), images], dim=1)).flatten(1)
        return logits


def test_what_arithmetic_does_not_know_is_tried_and_enclosed() -> None:
    network, example = UpAndDown(), image(16)
    layers = layers_of(network, example)
    assert traced_fields(network, layers, example)["up"] is None
    found = receptive_fields(network, layers, example)
    assert found["down"] == square(2, 2, 0)
    assert found["up"] == found["out"] == square(3, 1, -1)  # pixels 2·(p // 2) and the next: in equal steps -1, 0, 1


def test_arithmetic_that_is_wrong_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    network = nn.Sequential(nn.Conv2d(3, 2, 3, padding=1), nn.Conv2d(2, 2, 3, padding=1)).eval()
    example = image(16)

    def wrong(*_: object) -> dict[str, ReceptiveField | None]:
        return {"0": square(3, 1, -1), "1": square(3, 1, -1)}

    monkeypatch.setattr("nastui.engine.receptive_field.traced_fields", wrong)
    assert fields(network, example) == {"0": square(3, 1, -1), "1": square(5, 1, -2)}


def test_part_of_a_tensor_changed_in_place_is_not_guessed_at() -> None:
    class InParts(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 2, 3, padding=1)
            self.after = nn.Conv2d(2, 2, 1)

        def forward(self, images: Tensor) -> Tensor:
            maps = self.conv(images)
            both = torch.zeros_like(maps)
            both[:, :1] = maps[:, :1]
            both[:, 1:] = maps[:, 1:].mean((2, 3), keepdim=True)
            logits: Tensor = self.after(both).flatten(1)
            return logits

    found = fields(InParts(), image(12))
    assert found["conv"] == square(3, 1, -1)
    assert found["after"] == square(12, 0, 0)


class Fragile(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 2, 3)

    def forward(self, images: Tensor) -> Tensor:
        if images.isnan().any():
            raise ArithmeticError("no NaN, please")
        logits: Tensor = self.conv(images).flatten(1)
        return logits


class Cleaning(Fragile):
    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.conv(torch.nan_to_num(images)).flatten(1)
        return logits


def test_a_position_in_padding_sees_nothing_and_the_others_are_enclosed() -> None:
    network = nn.Sequential(nn.Conv2d(3, 2, 3), nn.Conv2d(2, 2, 1, padding=2))
    field = fields(network, image(12))["1"]
    assert field is not None
    rows, _ = spans(field, 0, 14)
    assert (rows[2:12] <= np.arange(10)).all()
    assert field.size_y <= 5


@pytest.mark.parametrize("network", [Fragile(), Cleaning()])
def test_a_model_that_does_not_bear_nan_has_no_fields(network: nn.Module) -> None:
    assert fields(network, image(12)) == {"conv": None}


def test_input_that_is_no_picture_has_no_fields() -> None:
    network = nn.Sequential(nn.Linear(8, 3))
    assert fields(network, torch.rand(1, 8)) == {"0": None}


# ---- two methods ------------------------------------------------------------------------------


class Kept(nn.Module):
    """Counts in a buffer whatever it sees."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 2, 3)
        self.register_buffer("mean", torch.zeros(1))

    def forward(self, images: Tensor) -> Tensor:
        self.get_buffer("mean").add_(images.mean() + torch.rand(1))
        logits: Tensor = self.conv(images).flatten(1)
        return logits


def test_model_and_random_numbers_stay_as_they_were() -> None:
    network = Kept()
    layers = layers_of(network, image(12))
    before = {name: value.clone() for name, value in network.state_dict().items()}
    torch.manual_seed(5)
    state = torch.get_rng_state()
    assert receptive_fields(network, layers, image(12)) == {"conv": square(3, 1, 0)}
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert not any(module._forward_hooks for module in network.modules())
    assert not network.training


def assert_methods_agree(network: nn.Module, example: Tensor, patterns: str = "auto") -> int:
    """Trial encloses what arithmetic gives, by less than the space between two cuts."""
    layers = maps_of(network, example, patterns)
    traced, probed = traced_fields(network, layers, example), probed_fields(network, layers, example)
    for layer in layers:
        one, other = traced[layer.spec.path], probed[layer.spec.path]
        assert one is not None, layer.spec.path
        assert other is not None, layer.spec.path
        for axis, length in enumerate(example.shape[2:]):
            n_positions = layer.spec.shape[1 + axis]
            starts, ends = clipped(one, axis, n_positions, length)
            tried = clipped(other, axis, n_positions, length)
            assert (tried[0] <= starts).all(), layer.spec.path
            # What strides leave over at the far border is seen by nobody.
            assert (tried[1] >= np.minimum(ends, length - one.stride_y)).all(), layer.spec.path
    return len(layers)


def build(name: str) -> nn.Module:
    """A network of torchvision's with random weights; of VGG only the part that has maps."""
    torch.manual_seed(0)
    network: nn.Module
    if name == "vgg11":
        network = models.vgg.make_layers(models.vgg.cfgs["A"], batch_norm=False)
    elif name == "googlenet":
        network = models.googlenet(weights=None, init_weights=False, aux_logits=False, transform_input=True)
    else:
        network = models.get_model(name, weights=None)
    return network.eval()


@pytest.mark.parametrize("name", ["resnet18", "vgg11", "googlenet", "shufflenet_v2_x0_5", "mobilenet_v3_small"])
def test_arithmetic_and_trial_agree(name: str) -> None:
    assert assert_methods_agree(build(name), image(48)) >= 8


def gradient_reach(network: nn.Module, layer: str, example: Tensor, y: int, x: int) -> tuple[int, int, int, int]:
    """(top, bottom, left, right) of the pixels with a gradient, of a network made of sums that only add."""
    kept: list[Tensor] = []
    handle = network.get_submodule(layer).register_forward_hook(lambda _m, _i, output: kept.append(output))
    leaf = example.clone().requires_grad_()
    network(leaf)
    handle.remove()
    kept[0][0, :, y, x].sum().backward()  # type: ignore[no-untyped-call]
    assert leaf.grad is not None
    rows, columns = np.nonzero(leaf.grad[0].sum(0).numpy())
    return int(rows.min()), int(rows.max()) + 1, int(columns.min()), int(columns.max()) + 1


def additive(network: nn.Module) -> nn.Module:
    """The same shape of network with positive weights, averages for maxima and nothing that cuts off."""
    for name, child in network.named_children():
        if isinstance(child, nn.MaxPool2d):
            setattr(network, name, nn.AvgPool2d(child.kernel_size, child.stride, child.padding, child.ceil_mode))
        elif isinstance(child, (nn.ReLU, nn.Dropout)):
            setattr(network, name, nn.Identity())
        else:
            additive(child)
    for parameter in network.parameters(recurse=False):
        nn.init.constant_(parameter, 1 / max(parameter[0].numel(), 1))
    return network.double().eval()


@pytest.mark.parametrize("name", ["resnet18", "vgg11"])
def test_arithmetic_agrees_with_gradients(name: str) -> None:
    network, example = additive(build(name)), image(96).double()
    layers = maps_of(network, example)
    found = traced_fields(network, layers, example)
    for layer in layers[:: len(layers) // 3]:
        field = found[layer.spec.path]
        assert field is not None
        height, width = layer.spec.shape[1:]
        for y, x in ((0, width - 1), (height // 2, width // 3)):
            top, bottom, left, right = gradient_reach(network, layer.spec.path, example, y, x)
            rows, columns = clipped(field, 0, height, 96), clipped(field, 1, width, 96)
            assert (top, bottom, left, right) == (rows[0][y], rows[1][y], columns[0][x], columns[1][x])


@st.composite
def stacks(draw: st.DrawFn, *, is_padded: bool) -> nn.Sequential:
    layers: list[nn.Module] = []
    for _ in range(draw(st.integers(1, 4))):
        kernel = draw(st.tuples(st.integers(1, 4), st.integers(1, 4)))
        step = draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
        padding = (kernel[0] // 2, kernel[1] // 2) if is_padded else (0, 0)
        if draw(st.booleans()):
            layers.append(nn.Conv2d(3, 3, kernel, step, padding, dilation=draw(st.integers(1, 2))))
        else:
            layers.append(nn.MaxPool2d(kernel, step, padding))
        layers.append(draw(st.sampled_from([nn.ReLU(inplace=True), nn.GELU(), nn.BatchNorm2d(3), nn.Hardswish(True)])))
    return nn.Sequential(*layers, nn.Conv2d(3, 2, 1))


@pytest.mark.parametrize("is_padded", [False, True])
@settings(max_examples=25, deadline=None)
@given(data=st.data(), height=st.integers(20, 24), width=st.integers(20, 24))
def test_any_stack_of_layers_sees_what_the_arithmetic_says(
    is_padded: bool, data: st.DataObject, height: int, width: int
) -> None:
    """No pixel outside of the field counts, and without padding every cut through it shows."""
    network, example = data.draw(stacks(is_padded=is_padded)), image(height, width)
    try:
        layers = maps_of(network, example)
    except ScanError:  # the image is too small for this stack
        return
    traced = traced_fields(network, layers, example)
    for layer, cuts in zip(
        layers, reached_positions(network, layers, example, all_cuts(height, width)).values(), strict=True
    ):
        field = traced[layer.spec.path]
        assert field is not None
        for cut, positions in cuts.items():
            allowed = cut.reaches(*spans(field, cut.axis, len(positions)))
            assert (allowed | ~positions).all()
            assert is_padded or (allowed == positions).all()


def test_real_weights_agree(shared_data: Path) -> None:
    network = models.squeezenet1_0(weights=None)
    path = shared_data / "imagenet" / "weights" / "squeezenet1_0_fp16.pt"
    fit_state_dict(network, read_state_dict(path), path=path)
    example = image(96)
    assert assert_methods_agree(network, example, "features.*,classifier.1") > 26
    found = fields(network, example)
    assert found["features.0"] == square(7, 2, 0)
    assert found["features.12.expand3x3"] == square(155, 16, -60)
