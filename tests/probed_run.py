"""A made-up run with probes: each is an image of the run again, changed by a known amount."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from PIL import Image

from nastui.probe_records import ProbeInfo
from nastui.records import Float32, LayerInfo
from tests.fake_run import FakeRun


def probe(number: int, name: str, **changes: Any) -> ProbeInfo:
    """A probe with this number; two outputs."""
    top5 = (("dog", 4.5), ("cat", 1.25))
    found = ProbeInfo(number, f"/pics/{name}", f"{number:064x}", 32, 24, top5, "", "2026-01-02T00:00:00Z")
    return replace(found, **changes)


class ProbedRun(FakeRun):
    """Probe i is the run's image `images[i]` with `shifts[i]` added to all values."""

    def __init__(self, images: Sequence[int] = (0, 5, 9), shifts: Sequence[float] = (0.0, 0.0, 0.0)) -> None:
        super().__init__()
        self.images_shown, self.shifts = list(images), list(shifts)
        names = ("grey.png", "mirrored.png", "stripes.png", "more.png")
        self.known = [probe(i + 1, names[i % len(names)]) for i in range(len(images))]
        self.n_value_reads = 0

    def probes(self) -> tuple[ProbeInfo, ...]:
        return tuple(self.known)

    def probe_values(self, layer: LayerInfo) -> Float32:
        self.n_value_reads += 1
        values = self.matrices[layer.basis_id][self.images_shown[: len(self.known)]]
        shifted: Float32 = (values + np.array(self.shifts[: len(self.known)], dtype=np.float32)[:, None]).astype(
            np.float32
        )
        return shifted

    def probe_thumbnails(self, ids: Sequence[int]) -> dict[int, bytes]:
        found = {}
        for probe_id in ids:
            data = io.BytesIO()
            Image.new("RGB", (8, 8), (0, 40 * probe_id, 200)).save(data, "png")
            found[probe_id] = data.getvalue()
        return found
