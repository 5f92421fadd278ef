"""Whether counts of right predictions are more than chance: exact binomial tails."""

from __future__ import annotations

from math import comb


def tail(successes: int, trials: int, chance: float) -> float:
    """The probability of at least `successes` in `trials`, each with probability `chance`."""
    return sum(comb(trials, k) * chance**k * (1 - chance) ** (trials - k) for k in range(successes, trials + 1))


def gains(only_new: int, only_old: int) -> float:
    """McNemar's exact test, one-sided: the probability that so many of the images on which two ways differ are right
    in the new way alone, if both were equally good."""
    return tail(only_new, only_new + only_old, 0.5)
