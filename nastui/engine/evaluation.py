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
    except RuntimeError as exc:  # torch lists every kind that was ever built
        raise UsageError(
            f"'{name}' is no device.", hint="Write cpu, cuda, cuda:1 or mps; auto is the GPU where there is one."
        ) from exc
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as exc:
        raise UsageError(f"The device '{name}' cannot be used here: {exc}", hint="Try --device cpu.") from exc
    return device


@contextmanager
def on_device(name: str, module: nn.Module, *, is_borrowed: bool) -> Iterator[torch.device]:
    """The device called `name`, as `choose_device` has it, with the module on it; a borrowed one goes back afterwards.

    Raises UsageError where the module cannot be moved there, or not back since it lies on several other devices.
    """
    device = choose_device(name, module, is_borrowed=is_borrowed)
    homes = {tensor.device for tensor in (*module.parameters(), *module.buffers())}
    if not is_borrowed:
        _move(module, device)
    if not is_borrowed or not homes or device in homes:
        yield device
        return
    if len(homes) > 1:
        raise UsageError(
            f"The model lies on {' and '.join(sorted(map(str, homes)))} and would not get back there from {device}.",
            hint="Leave out device to use it where it is.",
        )
    (home,) = homes
    try:
        _move(module, device)
        yield device
    finally:
        module.to(home)


def _move(module: nn.Module, device: torch.device) -> None:
    try:
        module.to(device)
    except (RuntimeError, NotImplementedError) as exc:  # too little memory, among others
        raise UsageError(f"The model cannot be moved to {device}: {exc}", hint="Choose another device.") from exc
