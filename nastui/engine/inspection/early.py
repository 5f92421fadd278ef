"""What a scan says in its first seconds: little, and only what makes its values doubtful."""

from __future__ import annotations

import time

import numpy as np
import torch

from nastui.engine.inspection.accuracy import predict
from nastui.engine.inspection.answers import LEAST
from nastui.engine.inspection.finding import Finding
from nastui.engine.inspection.knowledge import check_knowledge, known_answers, matched_answers
from nastui.engine.inspection.pictures import few_images, random_transform
from nastui.engine.inspection.sample import Sample, load_sample
from nastui.engine.inspection.structure import batch_statistics, training_mode
from nastui.engine.inspection.values import check_weights
from nastui.engine.inspection.watching import watch_forward
from nastui.engine.plan import ScanPlan

_TWICE = 2
_LOOKED_AT = 32  # images at most, where nothing is wrong
_AT_ONCE = 8
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


def look_at_answers(plan: ScanPlan, device: torch.device) -> list[Finding]:
    """Whether the model knows these images, by a few that are spread over the classes; those of a scan come class by
    class. More are looked at, in other preparations too, where not half of them is right, or all answers are one."""
    images = plan.whole or plan.images
    n_images = len(images.indices)
    count = min(_LOOKED_AT, n_images // _SHARE_LOOKED_AT)
    if plan.model.is_random or plan.matching.n_matched == 0 or count < LEAST // 2:
        return []
    sample = load_sample(plan.source, images, plan.preprocessing, count)
    began = time.perf_counter()
    if not sample.loaded or not _is_doubtful(plan, sample, device):
        return []
    seconds = (time.perf_counter() - began) / len(sample.loaded)
    count = min(_MOST_TRIED, n_images // _SHARE_TRIED, max(LEAST, int(_SECONDS / seconds)))
    more = load_sample(plan.source, images, plan.preprocessing, count)
    answers = known_answers(plan, more, device)
    if answers is None or len(answers.predicted) < LEAST:
        return []
    return check_knowledge(plan, more, answers, device, with_larger=False)


def _is_doubtful(plan: ScanPlan, sample: Sample, device: torch.device) -> bool:
    """Whether fewer than half of the images whose class has an output are right, or all get one answer; no more are
    looked at than tell it."""
    inputs = sample.inputs()
    predicted = np.zeros(0, dtype=np.int64)
    n_known = int(matched_answers(plan, sample, np.zeros(len(inputs), dtype=np.int64)).is_known.sum())
    for start in range(0, len(inputs), _AT_ONCE):
        some = predict(plan.model.module, inputs[start : start + _AT_ONCE], device)
        if some is None:
            return False
        predicted = np.concatenate([predicted, some])
        is_right = matched_answers(plan, sample, predicted).is_right
        if 2 * (~is_right).sum() > n_known:
            return True
        if 2 * is_right.sum() >= n_known and len(np.unique(predicted)) > 1:
            return False
    return len(np.unique(matched_answers(plan, sample, predicted).class_ids)) > 1
