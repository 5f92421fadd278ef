"""What a scan says in its first seconds: little, and only what makes its values doubtful."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import numpy as np

from nastui.engine.inspection.accuracy import predict
from nastui.engine.inspection.answers import LEAST
from nastui.engine.inspection.finding import Finding
from nastui.engine.inspection.knowledge import check_knowledge, known_answers, matched_answers
from nastui.engine.inspection.pictures import few_images, random_transform
from nastui.engine.inspection.running import Running
from nastui.engine.inspection.sample import Sample, load_sample
from nastui.engine.inspection.structure import batch_statistics, training_mode
from nastui.engine.inspection.values import check_weights
from nastui.engine.inspection.watching import watch_forward
from nastui.engine.plan import ScanPlan
from nastui.errors import ScanError, ScanInterrupted

_TWICE = 2
_LOOKED_AT = 32  # images at most, where nothing is wrong
_SHARE_LOOKED_AT = 10  # one image of so many at most is looked at twice
_MOST_TRIED = 128
_SHARE_TRIED = 5  # and one of so many where there is doubt
_SECONDS = 4.0  # of the model's work for them


def before_the_first_batch(plan: ScanPlan) -> list[Finding]:
    """One forward pass of the example, two images prepared twice, and how many images there are."""
    module = plan.model.module
    found = [*few_images(plan.images, plan.images.asked), *check_weights(module)]
    sample = load_sample(plan.source, plan.images, plan.preprocessing, _TWICE)
    found += random_transform(sample.loaded, plan.preprocessing)
    try:
        watched = watch_forward(module, plan.example, ())
    except Exception:  # a model that does not bear being watched is scanned all the same
        return found
    return [*found, *training_mode(watched.training), *batch_statistics(watched.batch_statistics)]


def look_at_answers(plan: ScanPlan, running: Running) -> list[Finding]:
    """Whether the model knows these images, by a few that are spread over the classes; those of a scan come class by
    class. More are looked at, in other preparations too, where not half of them is right, or all answers are one.

    Nothing is said where the model is too slow for it, or fails: the scan itself says how.
    """
    images = plan.whole or plan.images
    count = min(_LOOKED_AT, len(images.indices) // _SHARE_LOOKED_AT)
    if plan.model.is_random or plan.matching.n_matched == 0 or count < LEAST // 2 or len({*images.class_ids}) < 2:
        return []
    try:
        return _look(plan, running, count)
    except ScanInterrupted:
        raise
    except (ScanError, _OutOfTime):
        return []


class _OutOfTime(Exception):
    """The model has had its seconds."""


def _look(plan: ScanPlan, running: Running, count: int) -> list[Finding]:
    images = plan.whole or plan.images
    sample = _load(plan, running, count)
    limited = replace(running, check=_Limit(running.check, _SECONDS))
    began = time.perf_counter()
    if not sample.loaded or not (n_doubted := _n_doubted(plan, sample, limited)):
        return []
    spent = time.perf_counter() - began
    count = min(_MOST_TRIED, len(images.indices) // _SHARE_TRIED, int((_SECONDS - spent) * n_doubted / spent))
    if count < LEAST:
        return []
    more = _load(plan, running, count)
    answers = known_answers(plan, more, replace(running, check=_Limit(running.check, _SECONDS - spent)))
    if answers is None or len(answers.predicted) < LEAST:
        return []
    return check_knowledge(plan, more, answers, running, with_larger=False)


class _Limit:
    """Ends the model's work after so many seconds from now."""

    def __init__(self, check: Callable[[], None], seconds: float) -> None:
        self._check = check
        self._end = time.perf_counter() + seconds

    def __call__(self) -> None:
        self._check()
        if time.perf_counter() >= self._end:
            raise _OutOfTime


def _load(plan: ScanPlan, running: Running, count: int) -> Sample:
    images = plan.whole or plan.images
    return load_sample(plan.source, images, plan.preprocessing, count, lambda _done, _total: running.check())


def _n_doubted(plan: ScanPlan, sample: Sample, running: Running) -> int:
    """How many images tell that fewer than half of those whose class has an output are right, or that all get one
    answer; 0 where it is not so. No more are looked at than tell it."""
    inputs = sample.inputs()
    n = len(inputs)
    predicted = np.zeros(0, dtype=np.int64)
    n_known = int(matched_answers(plan, sample, np.zeros(n, dtype=np.int64)).is_known.sum())
    # Two images first: they tell how slow the model is.
    for start, end in pairwise(sorted({0, min(2, n), *range(running.at_once, n, running.at_once), n})):
        some = predict(plan.model.module, inputs[start:end], running)
        if some is None:
            return 0
        predicted = np.concatenate([predicted, some])
        is_right = matched_answers(plan, sample, predicted).is_right
        if 2 * (~is_right).sum() > n_known:
            return len(predicted)
        if 2 * is_right.sum() >= n_known and len(np.unique(predicted)) > 1:
            return 0
    return len(predicted) if len(np.unique(matched_answers(plan, sample, predicted).class_ids)) > 1 else 0
