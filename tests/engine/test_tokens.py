"""Layers of tokens, maps with channels last, tuples and dicts: what is captured, where, and what is refused by name."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from nastui.engine.capture import ActivationCapture
from nastui.engine.layers import Selection, select_layers
from nastui.engine.rebuild import rebuild
from nastui.engine.reduction import Reduction
from nastui.engine.removal import LayerEditor, NeuronRemoval
from nastui.engine.scan import scan
from nastui.engine.trace import run_forward, trace_calls
from nastui.engine.unit_maps import read_unit_maps
from nastui.errors import UnsupportedOutput, UsageError
from nastui.records import Address, TokenGrid, Tokens
from nastui.store.reader import RunReader


class Pair(NamedTuple):
    tokens: Tensor
    n_heads: int


class Block(nn.Module):
    """As in a vision transformer; gives a named tuple with one tensor in it."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(6)
        self.attention = nn.MultiheadAttention(6, 2, batch_first=True)
        self.mlp = nn.Sequential(nn.Linear(6, 10), nn.GELU(), nn.Linear(10, 6))

    def forward(self, tokens: Tensor) -> Pair:
        normed = self.norm(tokens)
        tokens = tokens + self.attention(normed, normed, normed, need_weights=False)[0]
        return Pair(tokens + self.mlp(self.norm(tokens)), 3)


class SmallVit(nn.Module):
    """12×8 pixels in 3×2 patches of 4×4, after a class token."""

    def __init__(self, n_outputs: int = 3) -> None:
        super().__init__()
        self.conv_proj = nn.Conv2d(3, 6, 4, stride=4)
        self.class_token = nn.Parameter(torch.randn(1, 1, 6))
        self.positions = nn.Parameter(torch.randn(1, 7, 6))
        self.block = Block()
        self.head = nn.Linear(6, n_outputs)

    def forward(self, images: Tensor) -> Tensor:
        patches = self.conv_proj(images).flatten(2).transpose(1, 2)
        first = self.class_token.expand(len(images), -1, -1)
        tokens = self.block(torch.cat([first, patches], 1) + self.positions).tokens
        logits: Tensor = self.head(tokens[:, 0])
        return logits


def vit() -> SmallVit:
    torch.manual_seed(0)
    return SmallVit().eval()


def images(count: int = 4) -> Tensor:
    return torch.randn(count, 3, 12, 8, generator=torch.Generator().manual_seed(1))


def choose(module: nn.Module, patterns: str, tokens: Tokens = "all", reduction: Reduction = "max") -> Selection:
    return select_layers(trace_calls(module, images(2)), patterns, reduction, tokens)


def block_output(module: SmallVit, inputs: Tensor) -> Tensor:
    """(B, 7, 6), by hooks of torch's own."""
    kept: list[Tensor] = []
    handle = module.block.register_forward_hook(lambda _module, _inputs, output: kept.append(output.tokens.clone()))
    with torch.no_grad():
        module(inputs)
    handle.remove()
    return kept[0]


def test_the_reduction_runs_over_all_tokens_the_class_token_or_the_patches() -> None:
    module, inputs = vit(), images()
    whole = block_output(module, inputs)
    for tokens, part in (("all", whole), ("class", whole[:, :1]), ("patches", whole[:, 1:])):
        (layer,) = choose(module, "block", tokens).layers  # type: ignore[arg-type]
        with ActivationCapture(module, [layer], "max") as capture:
            captured = capture.run(inputs, np.arange(4))
        np.testing.assert_array_equal(captured.values["block"], part.amax(1).numpy())
        assert layer.spec.has_positions == ("block" in captured.positions) == (tokens != "class")
        if layer.spec.has_positions:
            np.testing.assert_array_equal(captured.positions["block"], part.argmax(1).numpy())
        spec = layer.spec
        assert (spec.shape, spec.unit_dim, spec.n_units, spec.tokens) == ((7, 6), 1, 6, tokens)
        assert spec.token_grid == TokenGrid(1, 3, 2)


def test_without_reduction_every_element_of_the_tokens_that_count_is_a_unit() -> None:
    assert choose(vit(), "block", "patches", "none").layers[0].spec.n_units == 6 * 6
    assert choose(vit(), "block", "class", "none").layers[0].spec.n_units == 6


def test_layers_that_give_no_tokens_are_captured_whatever_tokens_were_asked_for() -> None:
    layers = {one.spec.path: one.spec for one in choose(vit(), "auto", "class").layers}
    assert layers["conv_proj"].tokens is None
    assert layers["conv_proj"].shape == (6, 3, 2)
    assert layers["head"].tokens is None
    assert layers["block.mlp.0"].tokens == "class"


def test_a_model_without_a_class_token_that_it_names_is_refused() -> None:
    class Nameless(SmallVit):
        def __init__(self) -> None:
            super().__init__()
            self.first = self.class_token
            del self.class_token

        def forward(self, images: Tensor) -> Tensor:
            self.__dict__["class_token"] = self.first  # no parameter of that name
            return super().forward(images)

    with pytest.raises(UnsupportedOutput, match=r"block .*has no class token that the model names"):
        choose(Nameless().eval(), "block", "class")
    with pytest.raises(UnsupportedOutput, match="has 7 tokens, and nothing tells which of them are patches"):
        choose(Nameless().eval(), "block", "patches")


def test_an_unknown_choice_of_tokens_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="'first' is no choice of tokens"):
        scan(vit(), None, out=tmp_path / "x.nas.db", tokens="first")


def test_a_neuron_is_taken_out_of_the_tokens_that_count_and_put_back_into_the_tuple() -> None:
    module, inputs = vit(), images()
    whole = block_output(module, inputs)
    removal = NeuronRemoval(torch.tensor([2]), torch.tensor([5.0]))
    for tokens, is_edited in (("all", True), ("class", True), ("patches", False)):
        (layer,) = choose(module, "block", tokens).layers  # type: ignore[arg-type]
        with LayerEditor(module, layer, "max") as editor:
            found = editor.run(inputs, removal)
        expected = whole[:, 0].clone()
        if is_edited:  # the head reads the class token alone
            expected[:, 2] = 5.0
        torch.testing.assert_close(found, module.head(expected).detach())


def test_an_element_of_a_token_is_taken_out_where_some_tokens_are_left_out() -> None:
    module, inputs = vit(), images()
    (layer,) = choose(module, "block", "class", "none").layers
    expected = block_output(module, inputs)[:, 0].clone()
    expected[:, 4] = 0
    with LayerEditor(module, layer, "none") as editor:
        found = editor.run(inputs, NeuronRemoval(torch.tensor([4]), torch.zeros(1)))
    torch.testing.assert_close(found, module.head(expected).detach())


class Several(nn.Module):
    """Gives what its name says, and a head on top of the first tensor in it."""

    def __init__(self, what: str) -> None:
        super().__init__()
        self.part = _Part(what)
        self.head = nn.Linear(4, 2)

    def forward(self, images: Tensor) -> Tensor:
        given = self.part(images)
        first = given["high"] if isinstance(given, dict) else given[0]
        while isinstance(first, list):
            first = first[0]
        logits: Tensor = self.head(first.mean((2, 3))).expand(len(images), -1)
        return logits


class _Part(nn.Module):
    def __init__(self, what: str) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 2, stride=2)
        self.what = what

    def forward(self, images: Tensor) -> object:
        maps: Tensor = self.conv(images)
        outputs = {
            "pair": (maps, maps * 2),
            "dict": {"high": maps, "low": -maps},
            "one": [maps, None, 3],
            "nested": [[maps], (maps + 1,)],
            "none": (maps[:1], "words"),
        }
        return outputs[self.what]


@pytest.mark.parametrize(
    ("what", "addresses", "factors"),
    [
        ("pair", ["part[0]", "part[1]"], [1, 2]),
        ("dict", ["part[high]", "part[low]"], [1, -1]),
        ("one", ["part"], [1]),
        ("nested", ["part[0][0]", "part[1][0]"], [1, None]),
    ],
)
def test_tensors_in_tuples_lists_and_dicts_are_layers(
    what: str, addresses: list[str], factors: list[float | None]
) -> None:
    module, inputs = Several(what).eval(), images()
    selection = choose(module, "part", reduction="none")
    assert [layer.spec.path for layer in selection.layers] == addresses
    assert [layer.spec.unit_dim for layer in selection.layers] == [0] * len(addresses)
    with torch.no_grad():
        maps = module.part.conv(inputs)
    with ActivationCapture(module, selection.layers, "none") as capture:
        values = capture.run(inputs, np.arange(4)).values
    for address, factor in zip(addresses, factors, strict=True):
        expected = maps + 1 if factor is None else maps * factor
        np.testing.assert_array_equal(values[address], expected.flatten(1).numpy())
        assert [one.spec.path for one in choose(module, address).layers] == [address], "an exact name before a glob"
        assert Address.parse(f"{address}/pca:3") == Address(address, 3, "pca")
    assert selection.notes == (("Layer part returns more than a tensor: captured is [0].",) if what == "one" else ())


def test_both_tensors_of_a_call_can_be_edited() -> None:
    module, inputs = Several("dict").eval(), images()
    (layer,) = choose(module, "part[high]").layers
    with LayerEditor(module, layer, "max") as editor:
        found = editor.run(inputs, NeuronRemoval(torch.arange(4), torch.zeros(4)))
    torch.testing.assert_close(found, module.head.bias.detach().expand(4, 2))


def test_what_has_no_row_per_image_is_refused_by_name() -> None:
    class Refused(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 4, stride=4)
            self.encoder = nn.TransformerEncoderLayer(4, 2, 8)  # batch second
            self.windows = nn.LayerNorm(4)
            self.head = nn.Linear(4, 2)

        def forward(self, images: Tensor) -> Tensor:
            tokens = self.conv(images).flatten(2).permute(2, 0, 1)
            tokens = self.encoder(tokens).transpose(0, 1)
            windows = self.windows(tokens.reshape(-1, 3, 4))
            logits: Tensor = self.head(windows.reshape(len(images), -1, 4).mean(1))
            return logits

    module = Refused().eval()
    with pytest.raises(UnsupportedOutput, match=r"encoder .*\(6, 2, 4\).* images second \(batch_first=False"):
        choose(module, "encoder")
    with pytest.raises(UnsupportedOutput, match=r"windows .*2 rows an image"):
        choose(module, "windows")
    with pytest.raises(UnsupportedOutput, match=r"part .*no row per image"):
        choose(Several("none").eval(), "part")


def test_an_encoder_layer_of_torchs_is_captured_with_its_inner_layers() -> None:
    class Encoder(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 4, stride=4)
            self.encoder = nn.TransformerEncoderLayer(4, 2, 8, batch_first=True)  # has a fast path in evaluation
            self.head = nn.Linear(4, 2)

        def forward(self, images: Tensor) -> Tensor:
            logits: Tensor = self.head(self.encoder(self.conv(images).flatten(2).transpose(1, 2)).mean(1))
            return logits

    module, inputs = Encoder().eval(), images()
    selection = choose(module, "auto,encoder", reduction="none")
    assert [one.spec.path for one in selection.layers] == [
        "conv", "encoder.linear1", "encoder.linear2", "encoder", "head"
    ]  # fmt: skip
    with ActivationCapture(module, selection.layers, "none") as capture:
        values = capture.run(inputs, np.arange(4)).values
    with torch.no_grad():
        tokens = module.encoder(module.conv(inputs).flatten(2).transpose(1, 2))
        np.testing.assert_allclose(values["encoder"], tokens.flatten(1).numpy(), rtol=1e-4, atol=1e-5)


def test_maps_with_channels_last_are_told_by_the_norm_that_reads_them() -> None:
    class Last(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 5, 2, stride=2)
            self.turn = nn.Identity()
            self.norm = nn.LayerNorm(5)
            self.head = nn.Linear(5, 2)

        def forward(self, images: Tensor) -> Tensor:
            maps = self.norm(self.turn(self.conv(images).permute(0, 2, 3, 1)))
            logits: Tensor = self.head(maps).mean((1, 2))
            return logits

    module, inputs = Last().eval(), images()
    layers = {one.spec.path: one for one in choose(module, "*").layers}
    assert {path: (one.spec.shape, one.unit_dim) for path, one in layers.items()} == {
        "conv": ((5, 6, 4), 0),
        "turn": ((6, 4, 5), 2),
        "norm": ((6, 4, 5), 2),
        "head": ((6, 4, 2), 2),
    }
    with ActivationCapture(module, [layers["conv"], layers["turn"]], "max") as capture:
        captured = capture.run(inputs, np.arange(4))
    np.testing.assert_array_equal(captured.values["conv"], captured.values["turn"])
    np.testing.assert_array_equal(captured.positions["conv"], captured.positions["turn"])


class Pictures:
    classes = ("a", "b", "c")
    targets = [0, 1, 2, 0, 1, 2]  # noqa: RUF012

    def __len__(self) -> int:
        return len(self.targets)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return images(6)[index], self.targets[index]


def test_a_run_keeps_its_tokens_and_finds_the_layer_again(tmp_path: Path) -> None:
    module, path = vit(), tmp_path / "vit.nas.db"
    scan(module, Pictures(), out=path, layers="block", tokens="patches")
    with RunReader(path) as run:
        layer = run.layer("block", "neuron")
        assert (layer.tokens, layer.unit_dim, layer.token_grid) == ("patches", 1, TokenGrid(1, 3, 2))
        assert layer.places == (7,)
        expected = block_output(module, images(6))
        np.testing.assert_allclose(run.activations(layer), expected[:, 1:].amax(1).numpy(), rtol=1e-5)
    other = tmp_path / "all.nas.db"
    scan(module, Pictures(), out=other, layers="block")
    with RunReader(path) as one, RunReader(other) as two:
        assert one.info().spec.scan_sha256 != two.info().spec.scan_sha256


def test_the_patches_of_an_image_are_a_map(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(
        "import sys\n"
        f"sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "from test_tokens import Pictures, vit as net\n"
    )
    path, spec = tmp_path / "vit.nas.db", f"{tmp_path / 'net.py'}:"
    scan(f"{spec}net", f"{spec}Pictures", out=path, layers="block", tokens="class", reduce="sample")
    with RunReader(path) as run:
        maps = read_unit_maps(run, run.layer("block", "neuron"), 2)
        assert rebuild(run).model.spec == f"{spec}net"
    expected = block_output(vit(), images(6)[2:3])[0, 1:].T.reshape(6, 3, 2)
    np.testing.assert_allclose(maps, expected.numpy(), rtol=1e-4, atol=1e-6)
    assert run_forward(vit(), images(2)).shape == (2, 3)


def test_layers_are_left_out_in_one_note_a_reason() -> None:
    class NoClassToken(SmallVit):
        def __init__(self) -> None:
            super().__init__()
            self.first = self.class_token
            del self.class_token

        def forward(self, images: Tensor) -> Tensor:
            patches = self.conv_proj(images).flatten(2).transpose(1, 2)
            logits: Tensor = self.head(self.block(patches).tokens[:, 0])
            return logits

    note, by_attention = choose(NoClassToken().eval(), "auto", "class").notes
    assert by_attention.startswith("Left out, since nn.MultiheadAttention itself")
    assert note == (
        "2 layers are left out, such as block.mlp.0, which has no class token that the model names "
        "(class_token, cls_token)."
    )


def test_a_class_token_that_has_not_seen_the_image_yet_is_nothing_to_warn_of(tmp_path: Path) -> None:
    class Data:
        classes = ("a", "b")
        targets = (0, 1) * 3

        def __len__(self) -> int:
            return 6

        def __getitem__(self, index: int) -> tuple[Tensor, int]:
            return images(6)[index], index % 2

    def said(tokens: Tokens, layers: str = "block.norm*,block.mlp*") -> list[str]:
        with warnings.catch_warnings(record=True) as found:
            warnings.simplefilter("always")
            scan(vit(), Data(), out=tmp_path / "run.nas.db", tokens=tokens, layers=layers, device="cpu", force=True)
        return [str(one.message) for one in found if "every image got the same values" in str(one.message)]

    assert said("class") == []
    assert len(said("class", "block.norm#1")) == 1  # no other layer tells that the images differ
