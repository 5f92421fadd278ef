"""Models by kind: each gives the eager model's values, layer by layer, or says in words why it cannot."""

from __future__ import annotations

import json
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import timm
import torch
from PIL import Image
from torch import Tensor, nn
from torch._export.verifier import SpecViolationError
from torch.nn import functional
from torchvision.models import VisionTransformer
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    PreTrainedModel,
    ResNetConfig,
    ResNetForImageClassification,
    ViTConfig,
    ViTForImageClassification,
    ViTImageProcessor,
)

from nastui.engine.capture import ActivationCapture
from nastui.engine.layers import select_layers
from nastui.engine.models import load_model
from nastui.engine.trace import trace_calls
from nastui.errors import ModelNotFound, UnsupportedOutput, UsageError, WeightsError
from nastui.records import Float32


class Mixed(nn.Module):
    """What files get wrong if hooks are not asked: in-place ReLUs, a module called twice, control flow, lists."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(inplace=True))
        self.act = nn.ReLU(inplace=True)
        self.branch = nn.Conv2d(8, 8, 1)
        self.norm = nn.LayerNorm(16)
        self.drop = nn.Dropout(0.5)
        self.head = nn.Linear(16, 5)

    def forward(self, images: Tensor) -> Tensor:
        maps = self.stem(images)
        parts = [maps]
        for _ in range(2):
            parts.append(self.act(self.branch(parts[-1]) - 0.1))
        if maps.shape[2] > 4:
            maps = functional.max_pool2d(torch.cat([parts[0], parts[2]], 1), 2)
        vectors = self.norm(maps.mean((2, 3)))
        logits: Tensor = self.head(self.drop(vectors))
        return logits


def images(size: int = 16, count: int = 3) -> Tensor:
    return torch.randn(count, 3, size, size, generator=torch.Generator().manual_seed(1))


def values_of(module: nn.Module, inputs: Tensor, patterns: str = "*") -> dict[str, Float32]:
    layers = select_layers(trace_calls(module, inputs[:2]), patterns, "none").layers
    with ActivationCapture(module, layers, "none") as capture:
        return capture.run(inputs, np.arange(len(inputs))).values


@pytest.fixture
def mixed() -> Mixed:
    torch.manual_seed(0)
    return Mixed().eval()


def save(module: nn.Module, kind: str, path: Path) -> str:
    """The module as a file of that kind; returns its spec."""
    if kind == "exported":
        batch = torch.export.Dim("batch", min=2)
        torch.export.save(torch.export.export(module, (images(),), dynamic_shapes=({0: batch},)), path)
        return f"exported:{path}"
    jit: Any = torch.jit
    saved = jit.script(module) if kind == "scripted" else jit.trace(module, images(), check_trace=False)
    saved.save(str(path))
    return f"torchscript:{path}"


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
@pytest.mark.parametrize("kind", ["scripted", "traced", "exported"])
def test_files_give_the_eager_models_values_layer_by_layer(mixed: Mixed, tmp_path: Path, kind: str) -> None:
    expected = values_of(mixed, images())
    model = load_model(save(mixed, kind, tmp_path / "net.pt2"))
    found = values_of(model.module, images())
    assert model.input_channels == 3
    assert {"stem.0", "stem.1", "stem", "branch#1", "branch#2", "act#2", "norm", "head"} <= set(found)
    assert set(expected) - set(found) <= {"drop"}, "an exported graph has no dropout in evaluation"
    for path, values in found.items():
        np.testing.assert_allclose(values, expected[path], rtol=1e-5, atol=1e-6, err_msg=path)
    assert np.min(found["stem.1"]) < 0, "as it was before the ReLU that works in place"


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", ["scripted", "traced", "exported"])
def test_a_vision_transformer_in_a_file_gives_the_eager_models_values(tmp_path: Path, kind: str) -> None:
    torch.manual_seed(0)
    eager = VisionTransformer(16, 4, num_layers=2, num_heads=2, hidden_dim=8, mlp_dim=12, num_classes=3).eval()
    nn.init.normal_(eager.heads[0].weight)  # zeros as it is built
    expected = values_of(eager, images())
    model = load_model(save(eager, kind, tmp_path / "net.pt2"))
    found = values_of(model.module, images())
    assert set(found) <= set(expected)
    assert {"encoder.layers.encoder_layer_1.self_attention", "encoder.layers.encoder_layer_1.mlp.0"} <= set(found)
    for path, values in found.items():
        np.testing.assert_allclose(values, expected[path], rtol=1e-4, atol=1e-5, err_msg=path)


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
@pytest.mark.parametrize("kind", ["scripted", "exported"])
def test_auto_finds_convolutions_and_linear_layers_in_files_too(mixed: Mixed, tmp_path: Path, kind: str) -> None:
    model = load_model(save(mixed, kind, tmp_path / "net.pt2"))
    layers = select_layers(trace_calls(model.module, images()), "auto", "max").layers
    assert [layer.spec.path for layer in layers] == ["stem.0", "branch#1", "branch#2", "head"]
    assert [layer.spec.type for layer in layers] == ["Conv2d", "Conv2d", "Conv2d", "Linear"]


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
def test_a_torchscript_file_goes_to_another_dtype_as_a_whole(mixed: Mixed, tmp_path: Path) -> None:
    model = load_model(save(mixed, "scripted", tmp_path / "net.pt"))
    expected = values_of(mixed.double(), images().double())["head"]
    np.testing.assert_allclose(values_of(model.module.double(), images().double())["head"], expected, rtol=1e-6)


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
def test_a_torchscript_operation_that_is_unknown_is_named(tmp_path: Path) -> None:
    class Sorted(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(3, 3)

        def forward(self, images: Tensor) -> Tensor:
            sizes = [3, 2, 1]
            sizes.sort()
            result: Tensor = self.fc(images.mean((2, 3))) * sizes[0]
            return result

    path = tmp_path / "net.pt"
    jit: Any = torch.jit
    jit.script(Sorted()).save(str(path))
    with pytest.raises(UnsupportedOutput, match="aten::sort"):
        trace_calls(load_model(f"torchscript:{path}").module, images())


def test_what_was_exported_for_one_batch_size_or_in_training_says_how_to_export(tmp_path: Path) -> None:
    path = tmp_path / "net.pt2"
    torch.export.save(torch.export.export(Mixed().eval(), (images(count=1),)), path)
    with pytest.raises(ModelNotFound, match="1×3×16×16") as caught:
        load_model(f"exported:{path}")
    assert "dynamic_shapes" in caught.value.hint
    batch = torch.export.Dim("batch", min=2)
    torch.export.save(torch.export.export(Mixed().train(), (images(),), dynamic_shapes=({0: batch},)), path)
    with pytest.raises(ModelNotFound, match="training mode"):
        load_model(f"exported:{path}")


def test_an_exported_file_that_torch_finds_against_its_rules_is_an_error_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_path: Path) -> None:
        raise SpecViolationError("State dict entry for parameter c.weight is not an instance of torch.nn.Parameter.")

    monkeypatch.setattr(torch.export, "load", refuse)
    with zipfile.ZipFile(tmp_path / "net.pt2", "w") as archive:
        archive.writestr("net/archive_format", "pt2")
    with pytest.raises(ModelNotFound, match=r"cannot be read as a file of torch.export: State dict entry"):
        load_model(f"exported:{tmp_path / 'net.pt2'}")


@pytest.mark.parametrize("kind", ["torchscript", "exported"])
def test_a_file_that_is_none_of_the_kind_says_so(tmp_path: Path, kind: str) -> None:
    (tmp_path / "w.pt").write_bytes(b"no archive")
    with pytest.raises(ModelNotFound, match=r"w\.pt"):
        load_model(f"{kind}:{tmp_path / 'w.pt'}")
    with pytest.raises(ModelNotFound, match="no file"):
        load_model(f"{kind}:{tmp_path / 'none.pt'}")
    with pytest.raises(UsageError, match="its own weights"):
        load_model(f"{kind}:{tmp_path / 'w.pt'}", tmp_path / "w.pt")


@pytest.mark.parametrize(
    "name",
    ["resnet10t", "vit_tiny_patch16_224", "convnext_atto", "mobilenetv4_conv_small", "swin_tiny_patch4_window7_224"],
)
def test_timm_models_are_built_with_their_transform_and_classes(name: str) -> None:
    model = load_model(f"timm:{name}")
    assert model.is_random
    assert model.published == f"timm:{name}@pretrained"
    assert model.classes is not None
    assert (len(model.classes), model.classes[1].split(",")[0]) == (1000, "goldfish")
    assert model.transform is not None
    inputs = model.transform(Image.new("RGB", (300, 260)))
    assert inputs.shape[0] == 3
    found = values_of(model.module, torch.stack([inputs, inputs]), "auto")
    eager = timm.create_model(name).eval()
    eager.load_state_dict(model.module.state_dict())
    head = list(found)[-1]
    with torch.no_grad():
        np.testing.assert_allclose(found[head], eager(torch.stack([inputs, inputs])).numpy(), rtol=1e-4, atol=1e-5)


def test_timm_weights_of_another_number_of_classes_fit(tmp_path: Path) -> None:
    trained = timm.create_model("resnet10t", num_classes=7)
    safetensors.torch.save_model(trained, str(tmp_path / "w.safetensors"))
    model = load_model("timm:resnet10t", tmp_path / "w.safetensors")
    assert model.module(images(64)).shape == (3, 7)
    assert torch.equal(model.module.state_dict()["fc.bias"], trained.state_dict()["fc.bias"])
    assert (model.classes, model.is_random) == (None, False)


def test_timm_says_what_is_near_and_what_to_do_without_a_network(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ModelNotFound, match="no model 'resnet18x'") as caught:
        load_model("timm:resnet18x")
    assert "resnet18" in caught.value.hint
    with pytest.raises(ModelNotFound) as meant:
        load_model("convnext_atto")
    assert meant.value.hint == "Did you mean timm:convnext_atto?"
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(WeightsError, match="cannot be downloaded") as offline:
        load_model("timm:resnet10t@pretrained")
    assert "--weights" in offline.value.hint


@pytest.mark.parametrize(("kind", "package"), [("timm:resnet10t", "timm"), ("hf:folder", "transformers")])
def test_a_package_that_is_missing_says_how_to_install_it(
    kind: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ModelNotFound, match=f"{package} is not installed") as caught:
        load_model(kind)
    assert "pip install 'nastui[" in caught.value.hint


def hf_folder(folder: Path, model: PreTrainedModel) -> str:
    model.save_pretrained(folder)
    return f"hf:{folder}"


def tiny_vit() -> ViTForImageClassification:
    torch.manual_seed(0)
    config = ViTConfig(
        hidden_size=24,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=40,
        image_size=32,
        patch_size=8,
        id2label={0: "tench", 1: "goldfish", 2: "shark"},
    )
    return ViTForImageClassification(config)


def test_a_vit_of_transformers_has_its_labels_transform_and_values(tmp_path: Path) -> None:
    eager = tiny_vit().eval()
    ViTImageProcessor(size={"height": 32, "width": 32}).save_pretrained(tmp_path)
    model = load_model(hf_folder(tmp_path, eager))
    assert model.classes == ("tench", "goldfish", "shark")
    assert model.transform is not None
    inputs = model.transform(Image.new("RGB", (50, 40), "red"))
    assert inputs.shape == (3, 32, 32)
    assert "0x" not in repr(model.transform), "the sum over the preprocessing must be the same next time"
    expected = eager(images(32), output_hidden_states=True)
    found = values_of(model.module, images(32))
    with torch.no_grad():
        np.testing.assert_allclose(found["classifier"], expected.logits.numpy(), rtol=1e-5, atol=1e-6)
        embedded = expected.hidden_states[0].flatten(1).numpy()
    np.testing.assert_allclose(found["vit.embeddings"], embedded, rtol=1e-5, atol=1e-6)


def test_a_resnet_of_transformers_gives_maps_and_no_invented_labels(tmp_path: Path) -> None:
    config = ResNetConfig(embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1], layer_type="basic", num_labels=4)
    model = load_model(hf_folder(tmp_path, ResNetForImageClassification(config)))
    assert (model.classes, model.transform) == (None, None)
    layers = select_layers(trace_calls(model.module, images(32)), "auto", "max").layers
    assert [layer.spec.unit_dim for layer in layers] == [0] * len(layers)
    assert layers[0].spec.shape == (8, 16, 16)


def test_a_language_model_and_a_name_that_cannot_be_had_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = BertConfig(hidden_size=8, num_hidden_layers=1, num_attention_heads=1, intermediate_size=8, vocab_size=30)
    with pytest.raises(ModelNotFound, match="is a bert model, which does not classify images"):
        load_model(hf_folder(tmp_path / "bert", BertForSequenceClassification(config)))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(ModelNotFound, match="cannot be had") as caught:
        load_model("hf:nobody/nothing")
    assert "--local-dir" in caught.value.hint


def test_weights_in_parts_are_read_by_their_index(tmp_path: Path) -> None:
    state = tiny_vit().state_dict()
    names = sorted(state)
    parts = {"a.safetensors": names[:9], "b.safetensors": names[9:]}
    for file, some in parts.items():
        safetensors.torch.save_file({name: state[name] for name in some}, tmp_path / file)
    index = tmp_path / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {name: file for file, some in parts.items() for name in some}}))
    spec = hf_folder(tmp_path / "vit", tiny_vit())
    first = load_model(spec, index)
    assert torch.equal(first.module.state_dict()["classifier.bias"], state["classifier.bias"])
    changed = {name: state[name] + 1 for name in parts["b.safetensors"]}
    safetensors.torch.save_file(changed, tmp_path / "b.safetensors")
    assert load_model(spec, index).weights_sha256 != first.weights_sha256, "the sum is over the parts too"
    (tmp_path / "b.safetensors").unlink()
    with pytest.raises(WeightsError, match=r"b\.safetensors, which is not beside it"):
        load_model(spec, index)


def test_specs_without_a_kind_are_understood(tmp_path: Path) -> None:
    for text, hint in (
        ("resnet18", "Did you mean torchvision:resnet18 or timm:resnet18?"),
        (str(tmp_path), f"Did you mean hf:{tmp_path}?"),
        (str(tmp_path / "net.pt2"), f"Did you mean exported:{tmp_path}/net.pt2?"),
        (str(tmp_path / "net.py"), f"Which function of it? Write {tmp_path}/net.py:factory."),
    ):
        (tmp_path / "config.json").write_text("{}")
        with pytest.raises(ModelNotFound) as caught:
            load_model(text)
        assert caught.value.hint == hint
