"""Whether the model knows the images by other outputs than those that their classes were matched to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nastui.engine.inspection.answers import LEAST, Answers
from nastui.engine.inspection.binomial import gains
from nastui.engine.inspection.finding import Finding, named
from nastui.records import Bool, Int64

_CHANCE = 0.001
_LEAST_GAIN = 0.1
_CLEAR_GAIN = 0.3  # enough also where the outputs would be right for fewer than half of the images


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
    least = _LEAST_GAIN if 2 * would_be.sum() >= n else _CLEAR_GAIN
    if gain < least or gains(int((would_be & ~is_now).sum()), int((is_now & ~would_be).sum())) > _CHANCE:
        return None
    return Order(order, float(would_be.sum()) / n, float(is_now.sum()) / n, n)


def other_outputs(
    answers: Answers, order: Order | None, classes: Sequence[str], names: Sequence[str] | None
) -> list[Finding]:
    """Images of a class are called the same, but not by its name: the outputs are in another order, or unnamed, or the
    model was trained for other things. `names`: of the outputs, None where nobody knows them."""
    if order is None:
        return []
    now = {int(c): int(o) for c, o in zip(answers.class_ids, answers.outputs, strict=True)}
    pairs = {c: output for c, output in order.outputs.items() if now[c] != output}
    cases = [
        f"{classes[c]} → {output if names is None else f'{names[output]} ({output})'}" for c, output in pairs.items()
    ]
    if names is not None and not {*pairs.values()} <= {*now.values()}:
        return [_other_things(cases)]
    instead = f" instead of {order.now:.3f}" if answers.top1 is not None else ""
    return [
        Finding(
            "other-outputs",
            f"The model tells these classes apart, but by other outputs than they were matched to: with {named(cases)} "
            f"top-1 would be {order.top1:.3f}{instead} ({order.n:,} images that did not decide this).",
            "Give the right names with the model (CLASSES), or a --class-map of class and output.",
        )
    ]


def _other_things(cases: list[str]) -> Finding:
    """Of a model whose outputs have names of their own: a map of them all would count wrong answers as right."""
    return Finding(
        "other-outputs",
        f"The model answers classes by outputs of other names: {named(cases)}.",
        "Put into a --class-map those pairs alone that mean the same: any other would count wrong answers as right.",
    )


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
