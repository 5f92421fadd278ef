"""Small networks whose answers can be worked out by hand."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class ByHand(nn.Module):
    """Two layers: conv doubles or negates one grey channel, an in-place ReLU follows, fc adds up what is left."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 2, 1, bias=False)
        self.relu = nn.ReLU(inplace=True)
        self.fc = nn.Linear(2, 2, bias=False)
        with torch.no_grad():
            self.conv.weight.copy_(torch.tensor([2.0, -1.0]).reshape(2, 1, 1, 1))
            self.fc.weight.copy_(torch.tensor([[1.0, 1.0], [1.0, -1.0]]))

    def forward(self, images: Tensor) -> Tensor:
        maps: Tensor = self.relu(self.conv(images))
        logits: Tensor = self.fc(maps.sum((2, 3)))
        return logits


class Awkward(nn.Module):
    """A module called twice, one never called, one that returns a tuple, tokens, and a functional in-place ReLU."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 4, 3, padding=1)
        self.conv2 = nn.Conv2d(4, 4, 3, padding=1)
        self.spare = nn.Linear(4, 4)
        self.act = nn.ReLU(inplace=True)
        self.attention = nn.MultiheadAttention(4, 2, batch_first=True)
        self.project = nn.Linear(4, 6)
        self.gelu = nn.GELU()
        self.head = nn.Linear(6, 5)

    def forward(self, images: Tensor) -> Tensor:
        maps = self.act(self.conv1(images))
        maps = functional.relu_(self.conv2(maps))
        tokens = self.act(maps - 0.1).flatten(2).transpose(1, 2)
        mixed, _ = self.attention(tokens, tokens, tokens)
        logits: Tensor = self.head(self.gelu(self.project(mixed)).mean(1))
        return logits
