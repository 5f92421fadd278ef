"""The demo's network: five convolutions over 8×8 grey digits in 0..1."""

from __future__ import annotations

from collections import OrderedDict

from torch import nn

CLASSES = tuple("0123456789")


def digits_net() -> nn.Module:
    """An untrained network, 83,962 parameters: (B, 1, 8, 8) to logits (B, 10)."""
    return nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(1, 16, 3, padding=1),
            relu1=nn.ReLU(),
            conv2=nn.Conv2d(16, 32, 3, padding=1),
            relu2=nn.ReLU(),
            pool2=nn.MaxPool2d(2),
            conv3=nn.Conv2d(32, 48, 3, padding=1),
            relu3=nn.ReLU(),
            conv4=nn.Conv2d(48, 64, 3, padding=1),
            relu4=nn.ReLU(),
            pool4=nn.MaxPool2d(2),
            conv5=nn.Conv2d(64, 64, 3, padding=1),
            relu5=nn.ReLU(),
            pool5=nn.AdaptiveAvgPool2d(1),
            flatten=nn.Flatten(),
            head=nn.Linear(64, len(CLASSES)),
        )
    )
