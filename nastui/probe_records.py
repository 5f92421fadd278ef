"""Probes: images that were shown to a run's model after the scan, outside every count and measure (docs/probes.md)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath

from nastui.records import Float32, Int32

_MARKS = "123456789abcdefghijklmnopqrstuvwxyz"
_ANY = "*"


@dataclass(frozen=True, slots=True)
class ProbeInfo:
    """One probe of a run. `source`: absolute path. `top5`: names of outputs with their logits, highest first."""

    id: int
    source: str
    sha256: str
    width: int
    height: int
    top5: tuple[tuple[str, float], ...]
    note: str
    created: str

    @property
    def name(self) -> str:
        """The name of its file."""
        return PurePath(self.source).name

    @property
    def predicted(self) -> str | None:
        """The model's top-1, None where it gives no logits."""
        return self.top5[0][0] if self.top5 else None

    @property
    def mark(self) -> str:
        """The character that stands for it in a footprint: its number, from 10 on a letter, from 36 on a star."""
        return _MARKS[self.id - 1] if self.id <= len(_MARKS) else _ANY


@dataclass(frozen=True, slots=True)
class NewProbe:
    """What there is to keep of a probe. `note` None leaves the one that is there.

    `top5`: (output, logit) pairs, highest first. `values`, `positions`: by the path of a layer, of its neurons, (U,).
    """

    source: str
    sha256: str
    width: int
    height: int
    top5: tuple[tuple[int, float], ...]
    thumbnail: bytes
    note: str | None
    values: Mapping[str, Float32]
    positions: Mapping[str, Int32]


@dataclass(frozen=True, slots=True)
class ProbeValues:
    """What the units of a layer, along one basis, give the probes: `values` (P, U), NaN where a probe has none."""

    probes: tuple[ProbeInfo, ...]
    values: Float32

    @property
    def marks(self) -> str:
        """A character a probe, in their order."""
        return "".join(probe.mark for probe in self.probes)
