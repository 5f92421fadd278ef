"""What a scan says in its first seconds: little, and only what makes its values doubtful."""

from __future__ import annotations

import torch

from nastui.engine.inspection.accuracy import LEAST
from nastui.engine.inspection.finding import Finding
from nastui.engine.inspection.knowledge import check_knowledge, known_answers
from nastui.engine.inspection.pictures import few_images, random_transform
from nastui.engine.inspection.sample import load_sample
from nastui.engine.inspection.structure import batch_statistics, training_mode
from nastui.engine.inspection.values import check_weights
from nastui.engine.inspection.watching import watch_forward
from nastui.engine.plan import ScanPlan
from nastui.records import Batch

_TWICE = 2
_DECIDE_AT = 64  # images
_DOUBTFUL = 0.5  # top-1
_MOST_TRIED = 128
_SHARE_TRIED = 20  # one image of so many is looked at a second time, where there is doubt


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


class FirstAnswers:
    """Follows the predictions of a scan's first images. Where too few are right, other images, spread over the classes,
    are tried in other preparations: only then does this cost anything."""

    def __init__(self, plan: ScanPlan, device: torch.device) -> None:
        self._plan = plan
        self._device = device
        self._n_right = 0
        self._n = 0
        self._is_done = not any(one.output is not None for one in plan.classes)

    def take(self, batch: Batch) -> list[Finding]:
        """What is to be said after this batch: once at most."""
        if self._is_done:
            return []
        for offset, image in enumerate(batch.images):
            output = self._plan.classes[self._plan.images.class_ids[batch.first_image + offset]].output
            if output is not None and image.top5:
                self._n += 1
                self._n_right += image.top5[0][0] == output
        if self._n < _DECIDE_AT:
            return []
        self._is_done = True
        return self._try() if self._n_right < _DOUBTFUL * self._n else []

    def _try(self) -> list[Finding]:
        count = min(_MOST_TRIED, len(self._plan.images.indices) // _SHARE_TRIED)
        if count < LEAST:
            return []
        sample = load_sample(self._plan.source, self._plan.images, self._plan.preprocessing, count)
        if not sample.loaded:
            return []
        answers = known_answers(self._plan, sample, self._device)
        if answers is None:
            return []
        return check_knowledge(self._plan, sample, answers, self._device, with_sizes=False)
