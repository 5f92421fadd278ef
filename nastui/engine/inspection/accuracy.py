"""Whether a model would know these images better if they were prepared otherwise.

It is said only where it is so beyond chance, by exact tests on images that are spread over the classes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from nastui.engine.inspection.alternatives import Alternative
from nastui.engine.inspection.answers import GUESSING, LEAST, Answers
from nastui.engine.inspection.binomial import gains, tail
from nastui.engine.inspection.finding import Finding
from nastui.engine.inspection.running import Running
from nastui.engine.trace import run_forward
from nastui.records import Bool, Int64

_CHANCE = 0.001
_LEAST_GAIN = 0.05
_PROMISING = 0.05  # more of the first images
_GOOD = 0.9  # nothing is tried where so much is right


@dataclass(frozen=True, slots=True)
class Tried:
    """An alternative and how right it made the model."""

    alternative: Alternative
    top1: float


def predict(module: nn.Module, inputs: Tensor, running: Running) -> Int64 | None:
    """The output with the highest logit for each of (N, ...); None where the model gives no logits."""
    found = []
    for some in running.batches(inputs):
        with torch.inference_mode():
            output = run_forward(module, some)
        if output.ndim != 2:
            return None
        found.append(output.argmax(1).cpu())
    return np.asarray(torch.cat(found).numpy(), dtype=np.int64)


def best_alternative(
    answers: Answers,
    found: Sequence[Alternative],
    predict_changed: Callable[[Alternative, Int64], Int64 | None],
) -> Tried | None:
    """The preparation that makes most of the images right, where it is better than the present one beyond chance.

    `predict_changed`: the predictions for the images at these places, prepared so. A quarter of the images decides
    which are worth more time, of those that need the pictures anew still fewer.
    """
    if answers.top1 is None or answers.top1 >= _GOOD or len(answers.is_right) < LEAST:
        return None
    places = np.flatnonzero(answers.is_known)
    best: tuple[Alternative, Bool] | None = None
    for alternative in found:
        is_right = _tried(answers, places, alternative, predict_changed)
        if is_right is None:
            continue
        is_beyond = bool(_chance(is_right, answers.is_right) * len(found) < _CHANCE)
        is_beyond &= tail(int(is_right.sum()), len(places), 1 / answers.n_classes) < GUESSING
        is_beyond &= bool(is_right.sum() - answers.is_right.sum() >= _LEAST_GAIN * len(places))
        # The more usual of two comes first, and gives way only to what is clearly better.
        if is_beyond and (best is None or _chance(is_right, best[1]) < GUESSING):
            best = alternative, is_right
    return None if best is None else Tried(best[0], float(best[1].mean()))


def _tried(
    answers: Answers,
    places: Int64,
    alternative: Alternative,
    predict_changed: Callable[[Alternative, Int64], Int64 | None],
) -> Bool | None:
    """Which of the images are right with this alternative; None where the first of them do not make it worth while."""
    n_first = LEAST if alternative.is_anew else max(LEAST, len(places) // 4)
    first, rest = places[:n_first], places[n_first:]
    right = _right(answers, first, predict_changed(alternative, first))
    if right is None or right.sum() < answers.is_right[: len(first)].sum() + _PROMISING * len(first):
        return None
    more = _right(answers, rest, predict_changed(alternative, rest)) if len(rest) else np.zeros(0, dtype=np.bool_)
    return None if more is None else np.concatenate([right, more])


def _chance(one: Bool, other: Bool) -> float:
    """How likely `one` is right so much oftener than `other` if both were equally good."""
    return gains(int((one & ~other).sum()), int((~one & other).sum()))


def _right(answers: Answers, places: Int64, predicted: Int64 | None) -> Bool | None:
    return None if predicted is None else np.asarray(predicted == answers.outputs[places])


def better_preprocessing(answers: Answers, tried: Tried | None) -> list[Finding]:
    if tried is None:
        return []
    return [
        Finding(
            "better-preprocessing",
            f"With {tried.alternative.name} top-1 rises from {answers.top1:.3f} to {tried.top1:.3f} on "
            f"{len(answers.is_right):,} images spread over {answers.n_classes:,} classes.",
            tried.alternative.how,
            tried.alternative.options,
        )
    ]
