"""What a run was made of, as rows of a panel: each with the sum by which nastui tells it from anything else."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from nastui.records import NEURON, LayerInfo, RunInfo
from nastui.views.numbers import grouped

_SHOWN = 12  # digits of a sum; `nastui show` has them all


def run_rows(info: RunInfo, layers: Sequence[LayerInfo]) -> list[tuple[str, str]]:
    """(what, words) a row: model, weights, images, preprocessing, layers and how the model was run."""
    spec, scanned = info.spec, [layer for layer in layers if layer.basis == NEURON]
    n_units = sum(layer.n_units for layer in scanned)
    return [
        ("model", spec.model),
        ("weights", _with_sum(spec.weights or "none given", spec.weights_sha256)),
        ("images", _with_sum(f"{grouped(info.n_images)} of {spec.data}", spec.manifest_sha256)),
        ("preprocessing", _with_sum("", spec.preprocessing_sha256)),
        *_described(spec.preprocessing),
        ("layers", _with_sum(f"{grouped(len(scanned))}, {grouped(n_units)} units", spec.layers_sha256)),
        ("reduction", spec.reduction),
        ("tokens", next((layer.tokens for layer in scanned if layer.tokens is not None), "none in these layers")),
        ("stored as", next((layer.value_type for layer in scanned), "float32")),
        ("seed", str(spec.seed)),
        ("computing", "" if spec.computing != "{}" else "not noted"),
        *_described(spec.computing),
        ("scan", _with_sum("", spec.scan_sha256)),
        ("begun", info.created),
        ("finished", info.finished or "not yet"),
        ("command", spec.command),
    ]


def _with_sum(words: str, sha256: str) -> str:
    shown = f"sha256 {sha256[:_SHOWN]}…" if sha256 else "no sha256"
    return f"{words}  {shown}" if words else shown


def _described(text: str) -> Iterator[tuple[str, str]]:
    """A row for each entry of a JSON object, set in; what else the text may be is a row of its own."""
    try:
        found = json.loads(text)
    except ValueError:
        found = text
    if not isinstance(found, Mapping):
        yield "", str(found)
        return
    for name, value in found.items():
        if isinstance(value, Mapping):
            value = ", ".join(f"{key} {one}" for key, one in value.items())
        yield f"  {str(name).replace('_', ' ')}", str(value)
