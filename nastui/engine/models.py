"""Models by kind: `torchvision:NAME`, `timm:NAME`, `hf:FOLDER`, a file, a person's factory, or a module in hand.

A new kind is a file here with `load(location, weights) -> LoadedModel` and one line in MODEL_KINDS.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import torch
from torch import nn

from nastui.engine import exported_models, hf_models, timm_models, torchscript_models, torchvision_models
from nastui.engine.factories import call_factory, misspelt
from nastui.engine.loaded_model import LoadedModel, Transform, output_names
from nastui.engine.weights import fit_state_dict, read_state_dict, state_sha256, weights_sha256
from nastui.errors import ModelNotFound

__all__ = ["FILE_KINDS", "MODEL_KINDS", "LoadedModel", "Transform", "adopt_model", "load_model"]

MODEL_KINDS: Mapping[str, Callable[[str, Path | None], LoadedModel]] = {
    torchvision_models.KIND: torchvision_models.load,
    timm_models.KIND: timm_models.load,
    hf_models.KIND: hf_models.load,
    torchscript_models.KIND: torchscript_models.load,
    exported_models.KIND: exported_models.load,
}
FILE_KINDS = (hf_models.KIND, torchscript_models.KIND, exported_models.KIND)  # what they name may be a file or folder

_BUILD_SEED = 0


def load_model(spec: str, weights: Path | None = None) -> LoadedModel:
    """Build the model that `spec` names and load the `weights` file into it.

    Random initial values are the same every time. Raises ModelNotFound, or WeightsError where the weights do not fit.
    """
    kind, colon, location = spec.partition(":")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(_BUILD_SEED)
        if colon and kind in MODEL_KINDS:
            return MODEL_KINDS[kind](location, weights)
        if colon:
            if meant := misspelt(kind, MODEL_KINDS):
                raise ModelNotFound(f"There are no models '{kind}:'.", hint=f"Did you mean {meant}:{location}?")
            return _load_factory(spec, weights)
    raise ModelNotFound(f"'{spec}' names no model.", hint=_meant(spec))


def adopt_model(
    module: nn.Module, *, transform: Transform | None = None, classes: Sequence[str] | None = None, spec: str = ""
) -> LoadedModel:
    """Take a module that a person's own script has built. It is put in eval mode; its weights are hashed."""
    names = classes if classes is not None else getattr(module, "classes", None)
    module = _bare(module).eval()
    spec = spec or f"{type(module).__module__}.{type(module).__qualname__}"
    return LoadedModel(module, transform, output_names(names, spec), spec, "", state_sha256(module))


def _meant(spec: str) -> str:
    """What a spec without a kind may mean."""
    name = spec.partition("@")[0]
    kinds = [kind.KIND for kind in (torchvision_models, timm_models) if kind.names_model(name)]
    if kinds:
        return f"Did you mean {' or '.join(f'{kind}:{spec}' for kind in kinds)}?"
    path = Path(spec).expanduser()
    if path.is_dir() and (path / "config.json").is_file():
        return f"Did you mean {hf_models.KIND}:{spec}?"
    if path.suffix == ".pt2":
        return f"Did you mean {exported_models.KIND}:{spec}?"
    if path.suffix == ".py":
        return f"Which function of it? Write {spec}:factory."
    if path.is_file():
        return f"Is it weights, give it with --weights; is it TorchScript, write {torchscript_models.KIND}:{spec}."
    forms = ", ".join(f"{kind}:…" for kind in MODEL_KINDS)
    return f"Write {forms}, path/to/file.py:factory or package.module:factory."


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
    return LoadedModel(module, transform, classes, spec, str(weights), weights_sha256(weights))


def _bare(module: nn.Module) -> nn.Module:
    """The module inside DataParallel, whose layers a person knows by the inner names."""
    return module.module if isinstance(module, nn.DataParallel) else module
