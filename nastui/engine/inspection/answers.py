"""What a model said to some images, and whether that is more than chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nastui.engine.inspection.finding import Finding
from nastui.records import Bool, Float64, Int64
from nastui.stats.intervals import Z, share_interval

LEAST = 20  # images that anything is said about
GUESSING = 0.01  # what is this likely to come of guessing is no better than it
_NEAR = 1 / 3  # of what guessing leaves to be gained: a model that may have gained so much is not near chance


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
        expected, said = self._shares
        return float(expected @ said)

    @property
    def chance_error(self) -> float:
        """The standard deviation of the top-1 over all ways to deal the same answers out to the images anew (for many
        images that of Fleiss, Cohen and Everitt 1969)."""
        n = len(self.is_right)
        if n < 2:
            return 0.0
        expected, said = self._shares
        chance = self.by_chance
        variance = chance + chance**2 - float((expected * said) @ (expected + said))
        return float(np.sqrt(max(variance, 0.0) / (n - 1)))

    @property
    def _shares(self) -> tuple[Float64, Float64]:
        """(K,) each: of the images whose class has an output, those that should get each output, and that do."""
        expected, said = self.outputs[self.is_known], self.predicted[self.is_known]
        k = int(np.concatenate([[0], expected, said]).max()) + 1
        n = max(len(expected), 1)
        return np.bincount(expected, minlength=k) / n, np.bincount(said, minlength=k) / n

    @property
    def only_answer(self) -> int | None:
        """The output that all images get, enough images of several classes; None where there are more. Nothing can be
        told where no class has an output: that the largest is the same says little of numbers that are no logits."""
        is_enough = len(self.predicted) >= LEAST and len(np.unique(self.class_ids)) > 1 and self.is_known.any()
        return int(self.predicted[0]) if is_enough and len(np.unique(self.predicted)) == 1 else None


def is_near_chance(answers: Answers) -> bool:
    """Whether top-1 is not beyond what the same answers give by chance, and the images suffice to tell that it is not
    far better either."""
    n, n_right = len(answers.is_right), int(answers.is_right.sum())
    if n < LEAST or answers.n_classes < 2:
        return False
    chance = answers.by_chance
    # Half an image less, for counts are whole.
    is_beyond = (n_right - 0.5) / n > chance + Z * answers.chance_error
    return not is_beyond and float(share_interval(n_right, n)[1]) < chance + _NEAR * (1 - chance)


def near_chance(answers: Answers) -> list[Finding]:
    if not is_near_chance(answers):
        return []
    return [
        Finding(
            "near-chance",
            f"top-1 is {answers.top1:.1%} on {len(answers.is_right):,} images spread over {answers.n_classes:,} "
            f"classes; guessing gives {answers.by_chance:.1%}.",
            "Check weights, preprocessing and how classes were matched to outputs.",
        )
    ]


def one_answer(answers: Answers, names: Sequence[str]) -> list[Finding]:
    """`names`: of the model's outputs; a model with one can give no other answer."""
    if answers.only_answer is None or len(names) < 2:
        return []
    n_classes = len(np.unique(answers.class_ids))
    top1 = "" if answers.top1 is None else f" (top-1 {answers.top1:.3f})"
    return [
        Finding(
            "one-answer",
            f"All {len(answers.predicted):,} images, spread over {n_classes:,} classes, get the same answer: "
            f"{names[answers.only_answer]}{top1}.",
            "Check how the images are prepared (size, mean, std), and the weights.",
        )
    ]
