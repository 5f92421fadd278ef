"""What sets two scans apart, in words: which of weights, preprocessing, images, layers and settings are others."""

from __future__ import annotations

import json
from typing import Any

from nastui.records import RunSpec

_SETTINGS = ("reduction", "seed", "ranges")


def what_differs(found: RunSpec, wanted: RunSpec) -> list[str]:
    """What is otherwise in `wanted` than in `found`, one thing each; empty for the same scan."""
    if found.scan_sha256 == wanted.scan_sha256:
        return []
    settings = [
        f"{name} {getattr(found, name)}, now {getattr(wanted, name)}"
        for name in _SETTINGS
        if getattr(found, name) != getattr(wanted, name)
    ]
    known = [*_weights(found, wanted), *_preprocessing(found, wanted), *_images(found, wanted), *settings]
    # The sum over the layers is over reduction and seed, too; runs of an older nastui have none.
    has_own_reason = found.reduction != wanted.reduction or found.seed != wanted.seed or not found.layers_sha256
    if found.layers_sha256 != wanted.layers_sha256 and not has_own_reason:
        known.append("the layers: other ones, or others of their shapes, or kept in another way")
    return known or ["what the classes or outputs are called, or which output stands for which class"]


def _weights(found: RunSpec, wanted: RunSpec) -> list[str]:
    if found.weights_sha256 == wanted.weights_sha256:
        return []
    return [
        f"the weights of {found.model} (sha256 {_short(found.weights_sha256)}, now {_short(wanted.weights_sha256)})"
    ]


def _preprocessing(found: RunSpec, wanted: RunSpec) -> list[str]:
    if found.preprocessing_sha256 == wanted.preprocessing_sha256:
        return []
    then, now = _described(found), _described(wanted)
    keys = [key for key in {**then, **now} if then.get(key) != now.get(key) and key != "note"]
    words = "; ".join(f"{key} {then.get(key, 'not given')}, now {now.get(key, 'not given')}" for key in keys)
    return [f"preprocessing: {words}" if words else "preprocessing"]


def _images(found: RunSpec, wanted: RunSpec) -> list[str]:
    if found.manifest_sha256 == wanted.manifest_sha256:
        return []
    sums = f"sha256 {_short(found.manifest_sha256)}, now {_short(wanted.manifest_sha256)}"
    return [f"the images of {found.data}, their classes, names, sizes or order ({sums})"]


def _described(spec: RunSpec) -> dict[str, Any]:
    try:
        described = json.loads(spec.preprocessing)
    except ValueError:
        return {}
    return described if isinstance(described, dict) else {}


def _short(sha256: str) -> str:
    return f"{sha256[:12]}…"
