"""What a module is, whether it was built by its own code or read from a file in which its class is only a name."""

from __future__ import annotations

import re

from torch import nn

CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)

_MANGLED = re.compile(r"___torch_mangle_\d+\.")
_TORCH = "torch.nn.modules."


def module_type(module: nn.Module) -> type[nn.Module]:
    """The class of a module. One read from an exported or TorchScript file has only a name, which counts if it is one
    of torch's own; else the class is that of what runs it."""
    name = _told_name(module)
    found = getattr(nn, name.rpartition(".")[2], None) if name.startswith(_TORCH) else None
    return found if isinstance(found, type) and issubclass(found, nn.Module) else type(module)


def type_name(module: nn.Module) -> str:
    """The name of a module's class, as a person knows it."""
    return (_told_name(module) or type(module).__name__).rpartition(".")[2]


def is_made_by(module: nn.Module, kinds: type[nn.Module] | tuple[type[nn.Module], ...]) -> bool:
    """Whether the module is one of `kinds`, by its class or by what the file says that it was."""
    return issubclass(module_type(module), kinds)


def is_auto_layer(module: nn.Module) -> bool:
    """Whether `auto` captures this module: convolutions and linear layers, whose outputs precede the nonlinearity."""
    return is_made_by(module, (*CONVOLUTIONS, nn.Linear))


def _told_name(module: nn.Module) -> str:
    """What `torch.export` or nastui's TorchScript modules say that the module was, in full; else nothing."""
    tell = getattr(module, "type_name", None)
    told = tell() if callable(tell) and not isinstance(tell, nn.Module) else None
    return _MANGLED.sub("", told.removeprefix("__torch__.")) if isinstance(told, str) else ""
