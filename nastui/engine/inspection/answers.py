"""What a model said to some images, and whether that is more than chance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nastui.engine.inspection.binomial import tail
from nastui.engine.inspection.finding import Finding
from nastui.records import Bool, Int64

LEAST = 20  # images that anything is said about
GUESSING = 0.01  # a model that is this likely no better than guessing is near chance


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

    @property
    def by_chance(self) -> float:
        """The top-1 of the same answers if they had nothing to do with the images: the agreement by chance in Cohen's
        kappa (1960). 1 / classes where they are equally many and no other output answers."""
        if not len(self.is_right):
            return 0.0
        expected, said = self.outputs[self.is_known], self.predicted[self.is_known]
        n = int(np.concatenate([expected, said]).max()) + 1
        counts = np.bincount(expected, minlength=n), np.bincount(said, minlength=n)
        return float(counts[0] @ counts[1]) / len(expected) ** 2

    @property
    def only_answer(self) -> int | None:
        """The output that all images get, enough images of several classes; None where there are more."""
        is_enough = len(self.predicted) >= LEAST and len(np.unique(self.class_ids)) > 1
        return int(self.predicted[0]) if is_enough and len(np.unique(self.predicted)) == 1 else None


def is_near_chance(answers: Answers) -> bool:
    n, n_right = len(answers.is_right), int(answers.is_right.sum())
    if n < LEAST or answers.n_classes < 2:
        return False
    # Few images cannot tell a weak model from chance: nothing is said of one that is right twice as often.
    return tail(n_right, n, answers.by_chance) > GUESSING and n_right < 2 * n * _guessed(answers)


def _guessed(answers: Answers) -> float:
    return max(answers.by_chance, 1 / answers.n_classes)


def near_chance(answers: Answers) -> list[Finding]:
    if not is_near_chance(answers):
        return []
    return [
        Finding(
            "near-chance",
            f"top-1 is {answers.top1:.1%} on {len(answers.is_right):,} images spread over {answers.n_classes:,} "
            f"classes; guessing gives {_guessed(answers):.1%}.",
            "Check weights, preprocessing and how classes were matched to outputs.",
        )
    ]


def one_answer(answers: Answers, name: str) -> list[Finding]:
    """`name`: of the output that all images get, if it is one."""
    if answers.only_answer is None:
        return []
    n_classes = len(np.unique(answers.class_ids))
    top1 = "" if answers.top1 is None else f" (top-1 {answers.top1:.3f})"
    return [
        Finding(
            "one-answer",
            f"All {len(answers.predicted):,} images, spread over {n_classes:,} classes, get the same answer: "
            f"{name}{top1}.",
            "Check how the images are prepared (size, mean, std), and the weights.",
        )
    ]
