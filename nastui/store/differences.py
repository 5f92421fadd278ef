"""What sets two scans apart, in words: which of weights, preprocessing, images, layers and settings are others."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from nastui.records import NEURON, LayerInfo, LayerSpec, RunSpec, Tokens, ValueType

_SETTINGS = ("reduction", "seed", "ranges")
_NAMED = 3  # layers


class KeptLayer(NamedTuple):
    """A layer, and what a scan keeps of it; the names of the fields are those of LayerSpec."""

    path: str
    type: str
    shape: tuple[int, ...]
    value_type: ValueType
    tokens: Tokens | None


def kept_layers(layers: Iterable[LayerSpec | LayerInfo]) -> list[KeptLayer]:
    """The layers as they were scanned: along their neurons."""
    scanned = (layer for layer in layers if not isinstance(layer, LayerInfo) or layer.basis == NEURON)
    return [KeptLayer(one.path, one.type, one.shape, one.value_type, one.tokens) for one in scanned]


def what_differs(
    found: RunSpec, wanted: RunSpec, found_layers: Sequence[KeptLayer] = (), wanted_layers: Sequence[KeptLayer] = ()
) -> list[str]:
    """What is otherwise in `wanted` than in `found`, one thing each; empty for the same scan."""
    if found.scan_sha256 == wanted.scan_sha256:
        return []
    settings = [
        f"{name} {getattr(found, name)}, now {getattr(wanted, name)}"
        for name in _SETTINGS
        if getattr(found, name) != getattr(wanted, name)
    ]
    known = [*_weights(found, wanted), *_preprocessing(found, wanted), *_images(found, wanted), *settings]
    if found_layers and wanted_layers:
        # That layers have other shapes follows from the rest, as a rule.
        known += [*_layers(found_layers, wanted_layers)] or ([] if known else [*_shapes(found_layers, wanted_layers)])
    # The sum over the layers is over reduction and seed, too; runs of an older nastui have none.
    has_own_reason = (
        bool(found_layers and wanted_layers and known)
        or found.reduction != wanted.reduction
        or found.seed != wanted.seed
        or not found.layers_sha256
    )
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


def _layers(found: Sequence[KeptLayer], wanted: Sequence[KeptLayer]) -> Iterator[str]:
    """How the layers' values are kept, and which layers there are."""
    for name, then, now in (
        ("dtype", {layer.value_type for layer in found}, {layer.value_type for layer in wanted}),
        ("tokens", {layer.tokens for layer in found} - {None}, {layer.tokens for layer in wanted} - {None}),
    ):
        if then and now and then != now:
            yield f"{name} {_joined(then)}, now {_joined(now)}"
    known, new = [layer.path for layer in found], [layer.path for layer in wanted]
    missing, added = [path for path in known if path not in new], [path for path in new if path not in known]
    changes = [f"{word} {_few(paths)}" for word, paths in (("without", missing), ("also", added)) if paths]
    if changes:
        yield f"layers: {len(known):,}, now {len(new):,} ({', '.join(changes)})"


def _shapes(found: Sequence[KeptLayer], wanted: Sequence[KeptLayer]) -> Iterator[str]:
    """The first layer that is another one under its name."""
    new = {layer.path: layer for layer in wanted}
    for layer in found:
        now = new.get(layer.path, layer)
        if layer[:3] != now[:3]:
            yield f"layers: {layer.path} was {_made(layer)}, now {_made(now)}"
            return


def _joined(words: Iterable[object]) -> str:
    return " and ".join(sorted(map(str, words)))


def _few(paths: Sequence[str]) -> str:
    more = f" and {len(paths) - _NAMED:,} more" if len(paths) > _NAMED else ""
    return f"{', '.join(paths[:_NAMED])}{more}"


def _made(layer: KeptLayer) -> str:
    return f"{layer.type} {'×'.join(map(str, layer.shape))}"


def _described(spec: RunSpec) -> dict[str, Any]:
    try:
        described = json.loads(spec.preprocessing)
    except ValueError:
        return {}
    return described if isinstance(described, dict) else {}


def _short(sha256: str) -> str:
    return f"{sha256[:12]}…"
