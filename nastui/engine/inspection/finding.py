"""What an inspection found, and all the checks that there are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Level = Literal["error", "warning", "note"]

_NAMED = 3

# An error: a scan would fail, or its values would be wrong. A warning: they may be of something else than was meant.
CHECKS: Mapping[str, Level] = {
    "nan-weights": "error",
    "train-mode": "error",
    "random-forward": "error",
    "batch-dependent": "error",
    "not-finite": "error",
    "batch-statistics": "warning",
    "random-weights": "warning",
    "no-logits": "warning",
    "output-names": "warning",
    "classes-without-output": "warning",
    "constant-layer": "warning",
    "constant-channel": "warning",
    "pixel-range": "warning",
    "random-transform": "warning",
    "replaced-preprocessing": "warning",
    "better-preprocessing": "warning",
    "unscaled-mean-std": "warning",
    "one-answer": "warning",
    "near-chance": "warning",
    "other-outputs": "warning",
    "unreadable-images": "warning",
    "same-image-two-classes": "warning",
    "few-images": "note",
    "enlarged-images": "note",
    "layer-choice": "note",
    "image-set": "note",
    "overwritten": "note",
    "called-again": "note",
    "by-function": "note",
    "never-called": "note",
    "probabilities": "note",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """`text`: what was found, with values. `advice`: what to do. `options`: of a scan, by name, that mend it; None for
    one that is to be left out."""

    check: str
    text: str
    advice: str = ""
    options: Mapping[str, str | None] = field(default_factory=dict)

    @property
    def level(self) -> Level:
        return CHECKS[self.check]

    def sentence(self) -> str:
        return f"{self.text} {self.advice}".strip()


def named(names: tuple[str, ...] | list[str], *, separator: str = ", ") -> str:
    """The first of many names, and how many more there are."""
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return f"{separator.join(names[:_NAMED])}{more}"
