"""Whether counts of right predictions are more than chance: exact binomial tails."""

from __future__ import annotations

import numpy as np


def tail(successes: int, trials: int, chance: float) -> float:
    """The probability of at least `successes` in `trials`, each with probability `chance`."""
    if successes <= 0 or chance >= 1:
        return 1.0
    if successes > trials or chance <= 0:
        return 0.0
    # Logarithms, for the counts of a whole scan are beyond what a float can hold.
    factorials = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, trials + 1)))])
    k = np.arange(successes, trials + 1)
    ways = factorials[trials] - factorials[k] - factorials[trials - k]
    return float(min(1.0, np.exp(ways + k * np.log(chance) + (trials - k) * np.log1p(-chance)).sum()))


def gains(only_new: int, only_old: int) -> float:
    """McNemar's exact test, one-sided: the probability that so many of the images on which two ways differ are right
    in the new way alone, if both were equally good."""
    return tail(only_new, only_new + only_old, 0.5)
