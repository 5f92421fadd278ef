"""Whether the model knows the images of a sample, and what would make it know them."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import torch

from nastui.engine.inspection.accuracy import (
    Answers,
    best_alternative,
    better_preprocessing,
    near_chance,
    other_outputs,
    predict,
)
from nastui.engine.inspection.alternatives import Alternative, alternatives
from nastui.engine.inspection.finding import Finding
from nastui.engine.inspection.pictures import pixel_range
from nastui.engine.inspection.sample import Sample
from nastui.engine.plan import ScanPlan
from nastui.errors import ScanError, UnsupportedOutput
from nastui.records import Int64

_SECONDS = 12.0  # for all that is tried
_LOW = 0.5  # top-1: another size is tried only here, since it may take much longer
_AT_ONCE = 32

OnTried = Callable[[int, int], None]


def known_answers(plan: ScanPlan, sample: Sample, device: torch.device) -> Answers | None:
    """What the model says to the sample; None where it gives no logits."""
    predicted = predict(plan.model.module, sample.inputs(), device)
    if predicted is None:
        return None
    class_ids = np.array([one.class_id for one in sample.alike()], dtype=np.int64)
    outputs = [-1 if one.output is None else one.output for one in plan.classes]
    return Answers(predicted, np.array(outputs, dtype=np.int64)[class_ids], class_ids)


def check_knowledge(
    plan: ScanPlan,
    sample: Sample,
    answers: Answers,
    device: torch.device,
    *,
    with_sizes: bool,
    on_tried: OnTried | None = None,
) -> list[Finding]:
    """What to do about too little accuracy; where none can be told, only whether the inputs look unprepared.

    `with_sizes`: try other sizes too, which may take much time and memory.
    """
    classes = [one.name for one in plan.classes]
    if answers.top1 is None:
        return [*other_outputs(answers, classes), *pixel_range(sample.inputs())]
    inputs = sample.inputs()
    picture = sample.loaded[0].image
    is_low = with_sizes and answers.top1 < _LOW and picture.tensor is None
    found = alternatives(plan.preprocessing, inputs, picture.height if is_low else None)
    deadline = time.monotonic() + _SECONDS
    tried: set[str] = set()

    def predict_changed(alternative: Alternative, places: Int64) -> Int64 | None:
        tried.add(alternative.name)
        if on_tried is not None:
            on_tried(len(tried), len(found))
        predicted: list[Int64] = []
        try:
            for start in range(0, len(places), _AT_ONCE):
                part = inputs[torch.from_numpy(places[start : start + _AT_ONCE])]
                if time.monotonic() > deadline:
                    return None
                some = predict(plan.model.module, alternative.change(part), device)
                if some is None:
                    return None
                predicted.append(some)
        except (ScanError, UnsupportedOutput):  # a model for one size takes no other
            return None
        return np.concatenate(predicted)

    best = best_alternative(answers, found, predict_changed)
    if best is not None:
        return better_preprocessing(answers, best)
    return other_outputs(answers, classes) or near_chance(answers)
