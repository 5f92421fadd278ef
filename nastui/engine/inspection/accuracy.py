"""Whether a model knows these images, whether it would if they were prepared otherwise, or its outputs read otherwise.

Everything is said only where it is beyond chance, by exact tests on images that are spread over the classes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from nastui.engine.inspection.alternatives import Alternative
from nastui.engine.inspection.binomial import gains, tail
from nastui.engine.inspection.finding import Finding, named
from nastui.engine.trace import run_forward
from nastui.records import Bool, Int64

_GUESSING = 0.01  # a model that is this likely no better than guessing is near chance
_CHANCE = 0.001
LEAST = 20  # images that anything is said about
_LEAST_GAIN = 0.05
_PROMISING = 0.05  # more of the first images
_GOOD = 0.9  # nothing is tried where so much is right
_BATCH = 32
_LEAST_ORDER_GAIN = 0.3


@dataclass(frozen=True, slots=True)
class Answers:
    """`predicted` (N,): the output with the highest logit; `outputs` (N,): that of the image's class, -1 for none;
    `class_ids` (N,)."""

    predicted: Int64
    outputs: Int64
    class_ids: Int64

    @property
    def is_known(self) -> Bool:
        return np.asarray(self.outputs >= 0)

    @property
    def is_right(self) -> Bool:
        """(M,), of the images whose class has an output."""
        return np.asarray((self.predicted == self.outputs)[self.is_known])

    @property
    def top1(self) -> float | None:
        return float(self.is_right.mean()) if len(self.is_right) else None

    @property
    def n_classes(self) -> int:
        return len(np.unique(self.class_ids[self.is_known]))


@dataclass(frozen=True, slots=True)
class Tried:
    """An alternative and how right it made the model."""

    alternative: Alternative
    top1: float


def predict(module: nn.Module, inputs: Tensor, device: torch.device) -> Int64 | None:
    """The output with the highest logit for each of (N, ...); None where the model gives no logits."""
    found = []
    for start in range(0, len(inputs), _BATCH):
        with torch.inference_mode():
            output = run_forward(module, inputs[start : start + _BATCH].to(device))
        if output.ndim != 2:
            return None
        found.append(output.argmax(1).cpu())
    return np.asarray(torch.cat(found).numpy(), dtype=np.int64)


def is_near_chance(answers: Answers) -> bool:
    n, n_classes = len(answers.is_right), answers.n_classes
    if n < LEAST or n_classes < 2:
        return False
    return tail(int(answers.is_right.sum()), n, 1 / n_classes) > _GUESSING


def near_chance(answers: Answers) -> list[Finding]:
    if not is_near_chance(answers):
        return []
    return [
        Finding(
            "near-chance",
            f"top-1 is {answers.top1:.1%} on {len(answers.is_right):,} images spread over {answers.n_classes:,} "
            f"classes; guessing gives {1 / answers.n_classes:.1%}.",
            "Check weights, preprocessing and how classes were matched to outputs.",
        )
    ]


def best_alternative(
    answers: Answers,
    found: Sequence[Alternative],
    predict_changed: Callable[[Alternative, Int64], Int64 | None],
) -> Tried | None:
    """The preparation that makes most of the images right, where it is better than the present one beyond chance.

    `predict_changed`: the predictions for the images at these places, prepared so. A quarter of the images decides
    which are worth more time, of other sizes still fewer.
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
        is_beyond &= tail(int(is_right.sum()), len(places), 1 / answers.n_classes) < _GUESSING
        is_beyond &= bool(is_right.sum() - answers.is_right.sum() >= _LEAST_GAIN * len(places))
        # The more usual of two comes first, and gives way only to what is clearly better.
        if is_beyond and (best is None or _chance(is_right, best[1]) < _GUESSING):
            best = alternative, is_right
    return None if best is None else Tried(best[0], float(best[1].mean()))


def _tried(
    answers: Answers,
    places: Int64,
    alternative: Alternative,
    predict_changed: Callable[[Alternative, Int64], Int64 | None],
) -> Bool | None:
    """Which of the images are right with this alternative; None where the first of them do not make it worth while."""
    n_first = LEAST if alternative.size is not None else max(LEAST, len(places) // 4)
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
        )
    ]


@dataclass(frozen=True, slots=True)
class Order:
    """Another way to read the outputs. `outputs`: class id → output. `top1`: with it, and `now` as they were matched,
    on the `n` images that did not decide it."""

    outputs: dict[int, int]
    top1: float
    now: float
    n: int


def other_order(answers: Answers) -> Order | None:
    """Which output each class has by what its images are called, where that is far better than the present matching.

    Half of the images says which output a class should have, the other half tests it.
    """
    tested = _every_second(answers.class_ids)
    order = _consistent_order(answers, ~tested)
    expected = np.array([order.get(class_id, -1) for class_id in answers.class_ids.tolist()], dtype=np.int64)
    would_be = (answers.predicted == expected) & tested
    is_now = (answers.predicted == answers.outputs) & tested
    n = int(tested.sum())
    if n < LEAST or len(order) < 2:
        return None
    gain = (would_be.sum() - is_now.sum()) / n
    if gain < _LEAST_ORDER_GAIN or gains(int((would_be & ~is_now).sum()), int((is_now & ~would_be).sum())) > _CHANCE:
        return None
    return Order(order, float(would_be.sum()) / n, float(is_now.sum()) / n, n)


def other_outputs(answers: Answers, order: Order | None, classes: Sequence[str]) -> list[Finding]:
    """Images of a class are called the same, but not by its name: the outputs are in another order, or unnamed."""
    if order is None:
        return []
    outputs = {int(c): int(o) for c, o in zip(answers.class_ids, answers.outputs, strict=True)}
    cases = [f"{classes[c]} → {output}" for c, output in order.outputs.items() if outputs[c] != output]
    now = f" instead of {order.now:.3f}" if answers.top1 is not None else ""
    return [
        Finding(
            "other-outputs",
            f"The model tells these classes apart, but by other outputs than they were matched to: with {named(cases)} "
            f"top-1 would be {order.top1:.3f}{now} ({order.n:,} images that did not decide this).",
            "Give the right names with the model (CLASSES), or a --class-map of class and output.",
        )
    ]


def _every_second(class_ids: Int64) -> Bool:
    """Marks every second image of each class."""
    marked = np.zeros(len(class_ids), dtype=np.bool_)
    for class_id in np.unique(class_ids):
        marked[np.flatnonzero(class_ids == class_id)[1::2]] = True
    return marked


def _consistent_order(answers: Answers, decides: Bool) -> dict[int, int]:
    """Class id → output: the pair seen most often first, each class and each output once."""
    pairs = Counter(zip(answers.class_ids[decides].tolist(), answers.predicted[decides].tolist(), strict=True))
    order: dict[int, int] = {}
    for (class_id, output), _ in pairs.most_common():
        if class_id not in order and output not in order.values():
            order[class_id] = output
    return dict(sorted(order.items()))
