"""Models: from `torchvision:NAME`, a person's factory or a module in hand to one object that a scan can use."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import nn

from nastui.engine.factories import call_factory
from nastui.engine.name_index import as_names
from nastui.engine.torchvision_models import find_torchvision_model, model_names
from nastui.engine.weights import file_sha256, fit_state_dict, read_state_dict, state_sha256
from nastui.errors import ModelNotFound

Transform = Callable[[Image.Image], Any]

TORCHVISION = "torchvision:"
_FORMS = "Write torchvision:NAME, torchvision:NAME@DEFAULT, path/to/file.py:factory or package.module:factory."
_BUILD_SEED = 0


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A module in eval mode on the CPU and what is known about it.

    `transform`: from a PIL image to the module's input, None where nobody gave one.
    `classes`: names of the outputs in order, None where nobody gave them; not checked against the number of outputs.
    `weights`: the file, torchvision's name for them, or "" where the module came as it is; `is_random` where that means
    that torchvision built it untrained. `weights_sha256`: over the file, or over the tensors where there is no file.
    """

    module: nn.Module
    transform: Transform | None
    classes: tuple[str, ...] | None
    spec: str
    weights: str
    weights_sha256: str
    is_random: bool = False

    @property
    def input_channels(self) -> int | None:
        """Colour channels that the first 2-d convolution takes, None where there is none: 1 is grey, 3 is RGB."""
        convolutions = (m for m in self.module.modules() if isinstance(m, nn.Conv2d))
        first = next(convolutions, None)
        return None if first is None else first.in_channels


def load_model(spec: str, weights: Path | None = None) -> LoadedModel:
    """Build the model that `spec` names and load the `weights` file into it.

    Random initial values are the same every time. Raises ModelNotFound, or WeightsError where the weights do not fit.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(_BUILD_SEED)
        if spec.startswith(TORCHVISION):
            return _load_torchvision(spec, weights)
        if ":" in spec:
            return _load_factory(spec, weights)
    hint = f"Did you mean {TORCHVISION}{spec}?" if spec.partition("@")[0] in model_names() else _FORMS
    raise ModelNotFound(f"'{spec}' names no model.", hint=hint)


def adopt_model(
    module: nn.Module, *, transform: Transform | None = None, classes: Sequence[str] | None = None, spec: str = ""
) -> LoadedModel:
    """Take a module that a person's own script has built. It is put in eval mode; its weights are hashed."""
    names = classes if classes is not None else getattr(module, "classes", None)
    module = _bare(module).eval()
    spec = spec or f"{type(module).__module__}.{type(module).__qualname__}"
    return LoadedModel(module, transform, output_names(names, spec), spec, "", state_sha256(module))


def output_names(value: object, spec: str) -> tuple[str, ...] | None:
    """`CLASSES` or `.classes` as a tuple of names. Raises ModelNotFound where it is no sequence of names."""
    if value is None or callable(value):
        return None
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise ModelNotFound(
            f"The output names of {spec} are a {type(value).__name__}.", hint="Give CLASSES as a tuple of names."
        )
    return as_names(value)


def _load_torchvision(spec: str, weights: Path | None) -> LoadedModel:
    found = find_torchvision_model(spec.removeprefix(TORCHVISION), weights)
    if weights is None:
        module = found.build().eval()
        name = found.enum.name if found.is_pretrained else ""
        is_random = not found.is_pretrained
        classes = found.categories
        return LoadedModel(
            module, found.transform, classes or None, spec, name, state_sha256(module), is_random=is_random
        )
    module, state, classes = found.build_for(read_state_dict(weights))
    fit_state_dict(module, state, path=weights)
    return LoadedModel(module.eval(), found.transform, classes or None, spec, str(weights), file_sha256(weights))


def _load_factory(spec: str, weights: Path | None) -> LoadedModel:
    source, made = call_factory(spec, ModelNotFound)
    module, transform = made if isinstance(made, tuple) and len(made) == 2 else (made, None)
    if not isinstance(module, nn.Module):
        raise ModelNotFound(
            f"{spec} returned a {type(made).__name__}, not a torch.nn.Module.",
            hint="Return the module, or the module and its transform.",
        )
    if transform is not None and not callable(transform):
        raise ModelNotFound(
            f"The transform that {spec} returned is a {type(transform).__name__}.",
            hint="Return a function from a PIL image to a tensor.",
        )
    names = getattr(module, "classes", None)
    classes = output_names(names if names is not None else getattr(source, "CLASSES", None), spec)
    module = _bare(module).eval()
    if weights is None:
        return LoadedModel(module, transform, classes, spec, "", state_sha256(module))
    fit_state_dict(module, read_state_dict(weights), path=weights)
    return LoadedModel(module, transform, classes, spec, str(weights), file_sha256(weights))


def _bare(module: nn.Module) -> nn.Module:
    """The module inside DataParallel, whose layers a person knows by the inner names."""
    return module.module if isinstance(module, nn.DataParallel) else module
