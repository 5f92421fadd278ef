"""What a finished run shows to be wrong with the scan, in words for a person."""

from __future__ import annotations

import json

import numpy as np

from nastui.records import RunInfo
from nastui.store.reader import RunReader

_NAMED = 3
_DOUBTFUL = 0.5  # top-1


def find_faults(reader: RunReader, info: RunInfo) -> list[str]:
    """Images that did not decode, layers that gave every image the same values, and images that look unprepared."""
    return [*_failed_images(reader, info), *_constant_layers(reader, info), *_unprepared_images(info)]


def _unprepared_images(info: RunInfo) -> list[str]:
    """Nothing in the weights tells that a mean and std are missing; a low accuracy hints at it."""
    done = json.loads(info.spec.preprocessing)
    is_plain = set(done.get("mean", [1])) == {0} and set(done.get("std", [0])) == {1}
    if not is_plain or info.top1 is None or info.top1 >= _DOUBTFUL:
        return []
    return [
        f"top-1 is {info.top1:.1%}, and the images went in scaled to 0..1 and no further: "
        "if the model was trained otherwise, give --mean and --std."
    ]


def _failed_images(reader: RunReader, info: RunInfo) -> list[str]:
    if not info.n_failed:
        return []
    failed = np.flatnonzero(~reader.image_table().is_ok)
    named = reader.images(failed[:_NAMED].tolist())
    reasons = "; ".join(f"{image.source}: {image.error}" for image in named)
    more = "; …" if len(failed) > _NAMED else ""
    return [f"{info.n_failed:,} of {info.n_images:,} images could not be decoded and count nowhere: {reasons}{more}"]


def _constant_layers(reader: RunReader, info: RunInfo) -> list[str]:
    if info.n_images - info.n_failed < 2:
        return []
    constant = []
    for layer in reader.layers():
        units = reader.unit_table(layer)
        if bool(np.all((units.lo == units.hi) & (units.n > 1))):
            constant.append(layer.path)
    if not constant:
        return []
    return [
        f"{', '.join(constant)}: every image got the same values. "
        "Are the images really different, and do they reach this layer?"
    ]
