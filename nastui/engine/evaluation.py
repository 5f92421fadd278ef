"""A model as a scan needs it: in evaluation mode and on a device, and afterwards as it was."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

from nastui.errors import UsageError


@contextmanager
def evaluating(module: nn.Module) -> Iterator[None]:
    """Evaluation mode inside the block: no dropout, and BatchNorm by its running statistics.

    Every submodule gets back the mode that it had, also where they differed.
    """
    modes = {child: child.training for child in module.modules()}
    module.eval()
    try:
        yield
    finally:
        for child, is_training in modes.items():
            child.training = is_training


def choose_device(name: str, module: nn.Module, *, is_borrowed: bool) -> torch.device:
    """The device called `name`. "auto": where a borrowed module already is, else the GPU if there is one.

    Raises UsageError for a device that this machine does not have.
    """
    if name == "auto":
        if is_borrowed:
            return next((parameter.device for parameter in module.parameters()), torch.device("cpu"))
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as exc:
        raise UsageError(f"The device '{name}' cannot be used here: {exc}", hint="Try --device cpu.") from exc
    return device
