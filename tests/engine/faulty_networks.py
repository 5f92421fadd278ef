"""Small networks and image sets, each with one fault that nastui doctor should find."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional


class Network(nn.Module):
    """A sound one: three-channel images of any size to two logits. What `change` does comes before the last layer."""

    def __init__(self, change: Callable[[nn.Module, Tensor], Tensor] = lambda _self, features: features) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.conv = nn.Conv2d(3, 4, 3)
        self.norm = nn.BatchNorm2d(4)
        self.relu = nn.ReLU()
        self.drop = nn.Dropout()
        self.head = nn.Linear(4, 2)
        self._change = change

    def forward(self, images: Tensor) -> Tensor:
        features = self.drop(self.relu(self.norm(self.conv(images))).mean((2, 3)))
        logits: Tensor = self.head(self._change(self, features))
        return logits


class Tones:
    """Images of two classes, dark and light, with some noise; `load` may stand in for what an image is."""

    classes: tuple[str, ...] = ("dark", "light")

    def __init__(self, count: int = 40, load: Callable[[int], Image.Image] | None = None, side: int = 12) -> None:
        self.targets = [index % 2 for index in range(count)]
        self._load = load or (lambda index: tone(index, side))

    def __len__(self) -> int:
        return len(self.targets)

    def __getitem__(self, index: int) -> tuple[Image.Image, int]:
        return self._load(index), self.targets[index]


def tone(index: int, side: int = 12) -> Image.Image:
    """Image `index` of Tones: dark where even."""
    generator = torch.Generator().manual_seed(index)
    level = 60 if index % 2 == 0 else 190
    pixels = level + torch.randint(-50, 50, (side, side, 3), generator=generator)
    return Image.fromarray(pixels.to(torch.uint8).numpy())


class KnowsTones(nn.Module):
    """Right on Tones whose pixels of 0..1 had `mean` subtracted and were divided by `std`, by whether they are lighter
    than the middle of both; `order` is that of its outputs."""

    def __init__(self, mean: float = 0.5, std: float = 0.1, order: Sequence[int] = (0, 1)) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 1, 1, bias=False)
        self.head = nn.Linear(1, 2)
        with torch.no_grad():
            self.conv.weight.fill_(std / 3)
            middle = 125 / 255 - mean
            weights = torch.tensor([[-50.0], [50.0]])
            self.head.weight.copy_(weights[list(order)])
            self.head.bias.copy_(-weights[list(order)].flatten() * middle)

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.head(self.conv(images).mean((2, 3)))
        return logits


def calls_train(self: nn.Module, features: Tensor) -> Tensor:
    self.train()
    return features


def drops_by_function(_self: nn.Module, features: Tensor) -> Tensor:
    return functional.dropout(features, 0.5)


def looks_at_the_batch(_self: nn.Module, features: Tensor) -> Tensor:
    return features - features.mean(0)
