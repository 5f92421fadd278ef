"""A small network, its weights and its images as files, and a scan of them: what a run can be built from again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from nastui.basis_records import BasisKind, Nonlinearity
from nastui.engine.factories import call_factory
from nastui.engine.scan import scan
from nastui.errors import ModelNotFound
from nastui.records import Bool, Float32
from nastui.store.basis_writer import BasisWriter, NewBasis
from nastui.store.reader import RunReader

N_IMAGES = 48
CLASSES = ("ant", "bee", "cat")

NET = """
import torch
from torch import nn

class Net(nn.Module):
    classes = ("ant", "bee", "cat")

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 6, 3)
        self.relu = nn.ReLU(inplace=True)
        self.mix = nn.Linear(6, 6)
        self.head = nn.Linear(6, 3)

    def forward(self, images):
        vectors = self.relu(self.conv(images)).flatten(2).mean(2)
        return self.head(self.mix(torch.tanh(self.mix(vectors))))

def net():
    torch.manual_seed(3)
    return Net()
"""


def write_files(folder: Path) -> None:
    """`net.py`, `net.pt` and `images/CLASS/NN.png` into `folder`; every sixth image is called what it is not."""
    (folder / "net.py").write_text(NET)
    _, net = call_factory(f"{folder / 'net.py'}:net", ModelNotFound)
    assert isinstance(net, nn.Module)
    assert isinstance(net.head, nn.Linear)
    pixels = np.random.default_rng(0).integers(256, size=(N_IMAGES, 7, 7), dtype=np.uint8)
    pixels //= np.arange(1, 5, dtype=np.uint8).repeat(N_IMAGES // 4)[:, None, None]  # some are darker
    with torch.inference_mode():
        logits: Tensor = net(torch.from_numpy(pixels / np.float32(255))[:, None])
        net.head.weight /= logits.std(0)[:, None]  # so that no class has it all
        net.head.bias.copy_((net.head.bias - logits.mean(0)) / logits.std(0))
        predicted = net(torch.from_numpy(pixels / np.float32(255))[:, None]).argmax(1).tolist()
    torch.save(net.state_dict(), folder / "net.pt")
    for number, (picture, prediction) in enumerate(zip(pixels, predicted, strict=True)):
        label = (prediction + (number % 6 == 5)) % 3
        path = folder / "images" / CLASSES[label] / f"{number:02}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(path)


def scan_files(folder: Path, **options: Any) -> Path:
    """Scan them, by absolute paths where `options` do not say otherwise."""
    out = folder / "run.nas.db"
    given: dict[str, Any] = {"weights": folder / "net.pt", "reduce": "sample", "on_progress": lambda _: None} | options
    model = given.pop("model", f"{folder / 'net.py'}:net")
    scan(model, given.pop("data", f"imagefolder:{folder / 'images'}"), out=out, **given)
    return out


def add_basis(
    path: Path, layer_path: str, loadings: Float32, *, name: str = "pca", fitted_on: Bool | None = None, **options: Any
) -> None:
    """Give a layer the axes `loadings` (k, D), by hand: about its mean over every other image."""
    with RunReader(path) as run:
        layer = run.layer(layer_path)
        values = run.activations(layer)
    fitted_on = np.arange(len(values)) % 2 == 0 if fitted_on is None else fitted_on
    mean = values[fitted_on].mean(axis=0)
    found = ((values - mean) @ loadings.T).astype(np.float32)
    new = NewBasis(
        BasisKind.PCA,
        {},
        Nonlinearity.IDENTITY,
        loadings,
        fitted_on,
        values[fitted_on].var(axis=0, dtype=np.float64),
        shift=mean,
    )
    with BasisWriter(path, layer, name, **options) as writer:
        writer.begin(new)
        writer.write(0, found)
        writer.finish(found[fitted_on].var(axis=0, dtype=np.float64), np.linspace(0, 1, len(loadings)))


def scan_with_axes(folder: Path) -> Path:
    """The files, a scan of them and all principal axes of its layer `conv`, in `folder`."""
    write_files(folder)
    path = scan_files(folder)
    add_basis(path, "conv", principal_axes(path, "conv"))
    return path


def principal_axes(path: Path, layer_path: str) -> Float32:
    """All principal axes of a layer, largest variance first, (D, D)."""
    with RunReader(path) as run:
        values = run.activations(run.layer(layer_path))[::2].astype(np.float64)
    axes = np.linalg.svd(values - values.mean(axis=0), full_matrices=False)[2]
    return axes.astype(np.float32)
