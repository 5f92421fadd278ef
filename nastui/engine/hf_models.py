"""Hugging Face's image classifiers, `hf:FOLDER` or `hf:NAME`: an optional extra."""

from __future__ import annotations

import difflib
import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from nastui.engine.loaded_model import LoadedModel, Transform
from nastui.engine.weights import fit_state_dict, read_state_dict, state_sha256, weights_sha256
from nastui.errors import ModelNotFound, WeightsError

KIND = "hf"


def load(location: str, weights: Path | None) -> LoadedModel:
    """Build the model of a folder of `save_pretrained`, or of the hub, with its transform and the names of its outputs.

    No code that comes with it is run. Raises ModelNotFound where transformers is not installed, the model cannot be had
    or does not classify images, WeightsError where weights are missing or do not fit.
    """
    hub, spec = _transformers(), f"{KIND}:{location}"
    folder = Path(location).expanduser()
    _check_place(location, folder)
    place = str(folder) if folder.is_dir() else location
    config = _had(location, lambda: hub.AutoConfig.from_pretrained(place))
    if type(config) not in hub.AutoModelForImageClassification._model_mapping:
        raise ModelNotFound(
            f"{spec} is a {config.model_type} model, which does not classify images.",
            hint="Name one that AutoModelForImageClassification takes, or a factory.",
        )
    classes, transform = _classes(config), _transform(hub, place)
    if weights is not None:
        module = hub.AutoModelForImageClassification.from_config(config)
        fit_state_dict(module, read_state_dict(weights), path=weights)
        return LoadedModel(module.float().eval(), transform, classes, spec, str(weights), weights_sha256(weights))
    module, found = _had(
        location, lambda: hub.AutoModelForImageClassification.from_pretrained(place, output_loading_info=True)
    )
    missing = [*found["missing_keys"]]
    if missing:
        names = ", ".join(sorted(missing)[:3])
        raise WeightsError(
            f"{spec} has no weights for {len(missing):,} tensors, {names} among them: they would be random.",
            hint="Name a model that was trained to classify images, or give a state dict with --weights.",
        )
    module = module.float().eval()
    return LoadedModel(module, transform, classes, spec, "", state_sha256(module))


def _check_place(location: str, folder: Path) -> None:
    """Raise ModelNotFound for what can be neither a folder of a model nor the name of one."""
    hint = f"Write {KIND}:FOLDER, one made by save_pretrained, or {KIND}:OWNER/NAME as on the hub."
    if folder.is_file():
        raise ModelNotFound(f"{location} is a file, not a folder.", hint=hint)
    if location and folder.is_dir() and not (folder / "config.json").is_file():
        raise ModelNotFound(f"The folder {location} has no config.json: it holds no model.", hint=hint)
    if not location or (not folder.is_dir() and (location[0] in "/.~" or location[-1] == "/")):
        raise ModelNotFound(f"There is no folder {location or '(no path)'}.", hint=hint)


def _nearest(location: str) -> str:
    """Models of the hub that are in the cache and called nearly so, in a sentence; "" where there are none."""
    from huggingface_hub.constants import HF_HUB_CACHE

    known = [path.name.removeprefix("models--").replace("--", "/") for path in Path(HF_HUB_CACHE).glob("models--*")]
    by_name = {name.casefold(): name for name in known}
    near = difflib.get_close_matches(location.casefold(), by_name, n=3, cutoff=0.6)
    return f"Nearest in the cache: {', '.join(by_name[name] for name in near)}. " if near else ""


@dataclass(frozen=True, slots=True)
class ProcessorTransform:
    """An image processor of transformers as a function from a picture to a tensor (C, H, W)."""

    processor: Any

    def __call__(self, picture: Image.Image) -> Tensor:
        pixels = self.processor(images=picture, return_tensors="pt")["pixel_values"][0]
        return torch.as_tensor(pixels)

    def __repr__(self) -> str:
        return str(self.processor.to_json_string())


def _transformers() -> Any:
    try:
        hub = importlib.import_module("transformers")
        hub.utils.logging.set_verbosity_error()  # nastui says itself what is wrong
        hub.utils.logging.disable_progress_bar()
    except ImportError as exc:
        raise ModelNotFound("transformers is not installed.", hint="Install it: pip install 'nastui[hf]'.") from exc
    return hub


def _had(location: str, ask: Any) -> Any:
    """What transformers gives, its many errors in nastui's words."""
    try:
        return ask()
    except Exception as exc:  # the hub's, the network's, the file formats' and transformers' own
        message = str(exc).strip().partition("\n")[0] or type(exc).__name__
        elsewhere = "Without a network: hf download NAME --local-dir FOLDER where there is one, then hf:FOLDER."
        is_folder = Path(location).expanduser().is_dir()
        raise ModelNotFound(
            f"{KIND}:{location} cannot be had: {message}",
            hint="Look into its config.json." if is_folder else f"{_nearest(location)}{elsewhere}",
        ) from exc


def _classes(config: Any) -> tuple[str, ...] | None:
    """The labels in order, None where nobody has named them."""
    names = tuple(str(config.id2label[index]) for index in sorted(config.id2label))
    return None if all(name == f"LABEL_{index}" for index, name in enumerate(names)) else names


def _transform(hub: Any, place: str) -> Transform | None:
    try:
        return ProcessorTransform(hub.AutoImageProcessor.from_pretrained(place))
    except (OSError, ValueError, ImportError):  # it has none, or none that works here: plain scaling is said in the run
        return None
