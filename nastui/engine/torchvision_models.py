"""torchvision's classification models, their own weights, and what those weights say about images and outputs."""

from __future__ import annotations

import difflib
import re
import urllib.error
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torchvision
from torch import Tensor, nn

from nastui.engine.loaded_model import LoadedModel
from nastui.engine.weights import find_misfit, fit_state_dict, read_state_dict, state_sha256, unwrapped, weights_sha256
from nastui.errors import ModelNotFound, WeightsError

KIND = "torchvision"


def load(location: str, weights: Path | None) -> LoadedModel:
    """Build `NAME`, with torchvision's own weights if it is `NAME@WEIGHTS`, or with those of a file.

    Raises ModelNotFound or WeightsError.
    """
    spec, found = f"{KIND}:{location}", find_torchvision_model(location, weights)
    if weights is None:
        module = found.build().eval()
        name, published = (found.enum.name, "") if found.is_pretrained else ("", f"{spec}@DEFAULT")
        return LoadedModel(
            module,
            found.transform,
            found.categories or None,
            spec,
            name,
            state_sha256(module),
            is_random=not found.is_pretrained,
            published=published,
        )
    module, state, classes = found.build_for(read_state_dict(weights))
    fit_state_dict(module, state, path=weights)
    return LoadedModel(module.eval(), found.transform, classes or None, spec, str(weights), weights_sha256(weights))


@dataclass(frozen=True, slots=True)
class TorchvisionModel:
    """A model name and the member of its weights enum that gives transform and categories (None: it has no weights)."""

    name: str
    enum: Any
    is_pretrained: bool

    @property
    def transform(self) -> Any:
        return None if self.enum is None else self.enum.transforms()

    @property
    def categories(self) -> tuple[str, ...]:
        return () if self.enum is None else tuple(self.enum.meta.get("categories") or ())

    def build(self) -> nn.Module:
        """The module, with torchvision's weights if asked for. Raises WeightsError where they cannot be had."""
        if not self.is_pretrained:
            return self._without_weights({})
        try:
            module: nn.Module = torchvision.models.get_model(self.name, weights=self.enum)
        except (urllib.error.URLError, OSError, RuntimeError) as exc:
            folder = Path(torch.hub.get_dir()) / "checkpoints"
            raise WeightsError(
                f"torchvision's weights {self.enum} are not in {folder} and cannot be downloaded: {exc}.",
                hint=f"Fetch {self.enum.url} elsewhere and put it there, or give a file with --weights.",
            ) from exc
        return module

    def build_for(self, state: Mapping[str, Tensor]) -> tuple[nn.Module, Mapping[str, Tensor], tuple[str, ...]]:
        """A module with as many outputs as `state` has, `state` in its names, and the names of the outputs if known."""
        module = self._without_weights({})
        state = _with_modern_names(unwrapped(module, state))
        wrong = find_misfit(module, state).wrong_shapes
        n_outputs = {found[0] for _, found, _ in wrong if found}
        if wrong and len(n_outputs) == 1 and all(found[1:] == wanted[1:] for _, found, wanted in wrong):
            # Nothing but a first dimension differs, everywhere to the same number: the same model with another head.
            module = self._without_weights({"num_classes": n_outputs.pop()})
            return module, state, ()
        return module, state, self.categories

    def _without_weights(self, options: dict[str, int]) -> nn.Module:
        if self.name in ("googlenet", "inception_v3"):
            options = {**options, "init_weights": True}  # torchvision warns where this is left open
        module: nn.Module = torchvision.models.get_model(self.name, weights=None, **options)
        return module


def model_names() -> list[str]:
    """All of torchvision's classification models."""
    return list(torchvision.models.list_models(module=torchvision.models))


def names_model(text: str) -> bool:
    """Whether torchvision has a classification model of that name."""
    return text in model_names()


def find_torchvision_model(text: str, weights: Path | None) -> TorchvisionModel:
    """Read `NAME` or `NAME@WEIGHTS` (e.g. `@DEFAULT`).

    Without `@WEIGHTS` a `weights` file that torchvision published decides by its name whose transform is used, else
    the model's default weights. Raises ModelNotFound with the nearest names, WeightsError for unknown `@WEIGHTS`.
    """
    name, at, wanted = text.partition("@")
    if name not in model_names():
        near = difflib.get_close_matches(name.lower(), model_names(), n=5, cutoff=0.4)
        raise ModelNotFound(
            f"torchvision has no classification model '{name}'.",
            hint=f"Nearest: {', '.join(near)}." if near else "See torchvision.models.list_models().",
        )
    members = list(torchvision.models.get_model_weights(name))
    if not at:
        default = getattr(torchvision.models.get_model_weights(name), "DEFAULT", None)
        return TorchvisionModel(name, _published_as(members, weights) or default, is_pretrained=False)
    enum = getattr(torchvision.models.get_model_weights(name), wanted.rpartition(".")[2], None)
    if enum is None or enum not in members:
        names = ", ".join(["DEFAULT", *(member.name for member in members)])
        raise WeightsError(f"torchvision's {name} has no weights '{wanted}'.", hint=f"It has: {names}.")
    return TorchvisionModel(name, enum, is_pretrained=weights is None)


def _published_as(members: list[Any], weights: Path | None) -> Any:
    return next((m for m in members if weights is not None and m.url.rpartition("/")[2] == weights.name), None)


def _with_modern_names(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """DenseNet's published files still call `norm1` of a dense layer `norm.1`, and so on."""
    return {re.sub(r"(denselayer\d+\.(?:norm|conv))\.([12])\.", r"\1\2.", name): t for name, t in state.items()}
