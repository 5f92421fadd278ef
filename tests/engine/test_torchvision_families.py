"""Every family of torchvision's classification models is scanned by name, each by a small member of it."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from nastui.engine.scan import scan
from nastui.measure_records import MeasureOptions
from nastui.store import writer
from nastui.store.measuring import UnitMeasuring
from nastui.store.reader import RunReader

# Member, pixels a side, layers that `auto` takes, and a layer in the middle with its units' dimension.
FAMILIES = [
    ("alexnet", 64, 8, "features.3", 0),
    ("vgg11", 32, 11, "features.3", 0),
    ("resnet18", 32, 21, "layer2.0.conv1", 0),
    ("resnext50_32x4d", 32, 54, "layer2.0.conv2", 0),
    ("wide_resnet50_2", 32, 54, "layer2.0.conv2", 0),
    ("squeezenet1_1", 32, 26, "features.3.squeeze", 0),
    ("densenet121", 32, 121, "features.denseblock2.denselayer1.conv1", 0),
    ("inception_v3", 75, 95, "Mixed_5b.branch1x1.conv", 0),
    ("googlenet", 32, 58, "inception3a.branch1.conv", 0),
    ("shufflenet_v2_x0_5", 32, 57, "stage2.1.branch2.0", 0),
    ("mobilenet_v2", 32, 53, "features.3.conv.0.0", 0),
    ("mobilenet_v3_small", 32, 54, "features.3.block.0.0", 0),
    ("mnasnet0_5", 32, 53, "layers.8.0.layers.0", 0),
    ("efficientnet_b0", 32, 82, "features.2.0.block.0.0", 0),
    ("regnet_y_400mf", 32, 86, "trunk_output.block2.block2-0.f.a.0", 0),
    ("vit_b_32", 224, 26, "encoder.layers.encoder_layer_3.mlp.0", 1),
    ("swin_t", 32, 29, "features.3.0.mlp.0", 2),
    ("swin_v2_t", 32, 29, "features.3.0.mlp.0", 2),
    ("maxvit_t", 224, 151, "blocks.1.layers.0.layers.MBconv.layers.conv_a.0", 0),
    ("convnext_tiny", 32, 59, "features.3.0.block.3", 2),
]
N_IMAGES = 2


@pytest.fixture
def quickly_initialised(monkeypatch: pytest.MonkeyPatch) -> None:
    """Random weights by one cheap rule, the same numbers over and over: drawing them all takes longer than the scan."""
    noise = torch.rand(65_537, generator=torch.Generator().manual_seed(0)) * 2 - 1  # a prime: no two rows are equal

    def fill(tensor: Tensor, *_: object, **__: object) -> Tensor:
        fan_in = max(tensor[0].numel(), 1) if tensor.ndim > 1 else 400
        flat, numbers = tensor.detach().view(-1), noise * fan_in**-0.5
        whole = len(flat) - len(flat) % len(noise)
        flat[:whole].view(-1, len(noise)).copy_(numbers)
        flat[whole:] = numbers[: len(flat) - whole]
        return tensor

    for name in ("trunc_normal_", "normal_", "kaiming_normal_", "kaiming_uniform_", "xavier_uniform_"):
        monkeypatch.setattr(torch.nn.init, name, fill)


@pytest.fixture
def quickly_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Measures of the units without shuffles and samples, which nobody looks at here."""
    none = MeasureOptions(shuffles=0, resamples=0)
    monkeypatch.setattr(writer, "UnitMeasuring", partial(UnitMeasuring, options=none))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    for index in range(N_IMAGES):
        path = tmp_path / "images" / "ab"[index] / "0.png"
        path.parent.mkdir(parents=True)
        Image.fromarray(rng.integers(0, 256, (40, 40, 3), np.uint8)).save(path)
    return tmp_path / "images"


@pytest.mark.usefixtures("quickly_initialised", "quickly_measured")
@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize(("name", "size", "n_layers", "middle", "unit_dim"), FAMILIES)
def test_a_family_is_scanned_by_name(
    folder: Path, tmp_path: Path, name: str, size: int, n_layers: int, middle: str, unit_dim: int
) -> None:
    path = tmp_path / "run.nas.db"
    info = scan(
        f"torchvision:{name}", f"imagefolder:{folder}", out=path, size=size, batch_size=2, memory_format="contiguous"
    )
    assert info.n_done == N_IMAGES
    assert not info.n_failed
    with RunReader(path) as run:
        layers = {layer.path: layer for layer in run.layers()}
        assert len(layers) == n_layers
        assert (layers[middle].unit_dim, layers[middle].n_units) == (unit_dim, layers[middle].shape[unit_dim])
        last = run.activations(list(layers.values())[-1])
        values = run.activations(layers[middle])
    assert last.shape == (N_IMAGES, 1000)
    assert bool(np.isfinite(last).all())
    assert bool(np.isfinite(values).all())
    assert not np.array_equal(values[0], values[1]), "other images give other values"
