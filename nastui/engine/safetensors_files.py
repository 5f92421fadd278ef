"""Weights in safetensors files, one or several with an index: an optional extra, which timm and transformers bring."""

from __future__ import annotations

import importlib
import json
from pathlib import Path

from torch import Tensor

from nastui.engine.file_kinds import SAFETENSORS, file_kind, no_such_kind
from nastui.errors import WeightsError

SUFFIX = ".safetensors"
INDEX_SUFFIX = ".safetensors.index.json"


def read_safetensors(path: Path) -> dict[str, Tensor]:
    """The tensors by name, of all parts if `path` is an index. Raises WeightsError where they cannot be read."""
    try:
        load_file = importlib.import_module("safetensors.torch").load_file
    except ImportError as exc:
        raise WeightsError(
            f"{path} is a safetensors file, and safetensors is not installed.", hint="pip install safetensors"
        ) from exc
    state: dict[str, Tensor] = {}
    for file in shards(path) if path.name.endswith(INDEX_SUFFIX) else [path]:
        if not file.is_file():
            raise WeightsError(f"{path} names {file.name}, which is not beside it.", hint="Fetch all its parts.")
        try:
            state |= load_file(file)
        except Exception as exc:  # safetensors has an error type of its own in Rust
            if file_kind(file) != SAFETENSORS:
                message, hint = no_such_kind(file, "a safetensors file")
                raise WeightsError(message, hint=hint) from exc
            raise WeightsError(
                f"{file} is damaged, or it is cut short ({file.stat().st_size:,} bytes): {exc}",
                hint="Fetch or save it again.",
            ) from exc
    return state


def shards(index: Path) -> list[Path]:
    """The files that an index names, by name. Raises WeightsError where it is no index."""
    try:
        names = {str(name) for name in json.loads(index.read_text("utf-8"))["weight_map"].values()}
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as exc:
        raise WeightsError(f"{index} is no index of safetensors files: {exc}", hint="Fetch it again.") from exc
    return [index.parent / name for name in sorted(names)]
