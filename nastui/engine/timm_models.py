"""timm's models, `timm:NAME` and `timm:NAME@pretrained`: an optional extra."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from nastui.engine.loaded_model import LoadedModel
from nastui.engine.weights import find_misfit, fit_state_dict, read_state_dict, state_sha256, unwrapped, weights_sha256
from nastui.errors import ModelNotFound, WeightsError

KIND = "timm"
_PRETRAINED = "pretrained"


def load(location: str, weights: Path | None) -> LoadedModel:
    """Build `NAME`, which may end in a tag of timm's; with `@pretrained` with timm's own weights, which it downloads.

    Raises ModelNotFound where timm is not installed or has no such model, WeightsError where weights cannot be had or
    do not fit.
    """
    timm = _timm()
    name, at, wanted = location.partition("@")
    if at and wanted != _PRETRAINED:
        raise WeightsError(f"timm's weights are not named '{wanted}'.", hint=f"Write {KIND}:{name}@{_PRETRAINED}.")
    if not timm.is_model(name.partition(".")[0]):
        near = difflib.get_close_matches(name.lower(), timm.list_models(), n=5, cutoff=0.4)
        raise ModelNotFound(
            f"timm has no model '{name}'.", hint=f"Nearest: {', '.join(near)}." if near else "See timm.list_models()."
        )
    spec = f"{KIND}:{location}"
    module = _build(timm, name, is_pretrained=bool(at) and weights is None)
    if weights is not None:
        module, state = _build_for(timm, name, module, read_state_dict(weights))
        fit_state_dict(module, state, path=weights)
        return _loaded(timm, module, spec, str(weights), weights_sha256(weights))
    if at:
        return _loaded(timm, module, spec, _PRETRAINED, state_sha256(module))
    return _loaded(timm, module, spec, "", state_sha256(module), published=f"{spec}@{_PRETRAINED}")


def names_model(text: str) -> bool:
    """Whether timm is installed and has a model of that name."""
    try:
        return bool(_timm().is_model(text.partition(".")[0]))
    except ModelNotFound:
        return False


def _timm() -> Any:
    try:
        return importlib.import_module("timm")
    except ImportError as exc:
        raise ModelNotFound("timm is not installed.", hint="Install it: pip install 'nastui[timm]'.") from exc


def _build(timm: Any, name: str, *, is_pretrained: bool, **options: int) -> nn.Module:
    try:
        module: nn.Module = timm.create_model(name, pretrained=is_pretrained, **options)
    except Exception as exc:  # the hub's, the network's, and timm's own errors have nothing in common
        message = str(exc).strip().partition("\n")[0] or type(exc).__name__
        if not is_pretrained:
            raise ModelNotFound(f"timm does not build {name}: {message}", hint="See timm.list_models().") from exc
        raise WeightsError(
            f"timm's weights for {name} are not here and cannot be downloaded: {message}",
            hint="Fetch its safetensors file elsewhere (https://huggingface.co/timm), and give it with --weights.",
        ) from exc
    return module


def _build_for(
    timm: Any, name: str, module: nn.Module, state: Mapping[str, Tensor]
) -> tuple[nn.Module, Mapping[str, Tensor]]:
    """The module with as many outputs as `state` has, where nothing but these differs, and `state` in its names."""
    state = unwrapped(module, state)
    wrong = find_misfit(module, state).wrong_shapes
    n_outputs = {found[0] for _, found, _ in wrong if found}
    if wrong and len(n_outputs) == 1 and all(found[1:] == wanted[1:] for _, found, wanted in wrong):
        return _build(timm, name, is_pretrained=False, num_classes=n_outputs.pop()), state
    return module, state


def _loaded(timm: Any, module: nn.Module, spec: str, weights: str, sha256: str, published: str = "") -> LoadedModel:
    transform = timm.data.create_transform(**timm.data.resolve_model_data_config(module), is_training=False)
    return LoadedModel(
        module.eval(), transform, _classes(timm, module), spec, weights, sha256, bool(published), published
    )


def _classes(timm: Any, module: nn.Module) -> tuple[str, ...] | None:
    """Names of the outputs where there are as many as in a part of ImageNet that timm knows."""
    subset = timm.data.infer_imagenet_subset(module)
    return tuple(timm.data.ImageNetInfo(subset).label_descriptions()) if subset else None
