"""Whether the model knows the images of a sample, and what would make it know them."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from nastui.engine.inspection.accuracy import Tried, best_alternative, better_preprocessing, predict
from nastui.engine.inspection.alternatives import Alternative, alternatives, own_preparation
from nastui.engine.inspection.answers import Answers, is_near_chance, near_chance, one_answer
from nastui.engine.inspection.finding import Finding
from nastui.engine.inspection.orders import other_order, other_outputs
from nastui.engine.inspection.pictures import pixel_range, replaced_preprocessing
from nastui.engine.inspection.running import Running
from nastui.engine.inspection.sample import Sample
from nastui.engine.plan import ScanPlan
from nastui.engine.preprocessing import Preprocessing, choose_preprocessing
from nastui.engine.sources import SourceImage
from nastui.errors import ScanError, ScanInterrupted
from nastui.records import Int64

_SECONDS = 12.0  # for all that is tried
_LOW = 0.5  # top-1: another size is tried only here, since it may take much longer
_MOST_ENLARGED = 2.5  # times, unless the model is no better than guessing

OnTried = Callable[[int, int], None]


def known_answers(plan: ScanPlan, sample: Sample, running: Running) -> Answers | None:
    """What the model says to the sample; None where it gives no logits."""
    predicted = predict(plan.model.module, sample.inputs(), running)
    return None if predicted is None else matched_answers(plan, sample, predicted)


def matched_answers(plan: ScanPlan, sample: Sample, predicted: Int64) -> Answers:
    """`predicted`: of the first images of the sample, or all."""
    class_ids = np.array([one.class_id for one in sample.alike()[: len(predicted)]], dtype=np.int64)
    outputs = [-1 if one.output is None else one.output for one in plan.classes]
    return Answers(predicted, np.array(outputs, dtype=np.int64)[class_ids], class_ids)


def check_knowledge(
    plan: ScanPlan,
    sample: Sample,
    answers: Answers,
    running: Running,
    *,
    with_larger: bool,
    on_tried: OnTried | None = None,
) -> list[Finding]:
    """What to do about too little accuracy; where none can be told, only whether the inputs look unprepared.

    `with_larger`: try sizes too that are larger than the inputs and the pictures are, which may take much time and
    memory.
    """
    order = other_order(answers)
    swapped = other_outputs(answers, order, [one.name for one in plan.classes], plan.output_names)
    if answers.top1 is None:
        return [*swapped, *pixel_range(sample.inputs())]
    best = _best_preparation(plan, sample, answers, running, with_larger=with_larger, on_tried=on_tried)
    if best is not None and (order is None or best.top1 > order.top1):
        return better_preprocessing(answers, best)
    if plan.model.is_random:
        return []  # it knows nothing yet, and that has been said
    return swapped or _asked_for_weights(plan, one_answer(answers, plan.outputs) or near_chance(answers))


def _asked_for_weights(plan: ScanPlan, found: list[Finding]) -> list[Finding]:
    """A factory's module without a file of weights may be as it was built, which nothing else tells."""
    code, colon, _ = plan.model.spec.partition(":")
    if plan.model.weights or not colon or "." not in code:
        return found
    return [replace(one, advice=f"No --weights were given. {one.advice}") for one in found]


def _best_preparation(
    plan: ScanPlan,
    sample: Sample,
    answers: Answers,
    running: Running,
    *,
    with_larger: bool,
    on_tried: OnTried | None,
) -> Tried | None:
    inputs, images = sample.inputs(), [one.image for one in sample.alike()]
    found = _worth_trying(plan, inputs, images[0], answers, with_larger=with_larger)
    deadline = time.monotonic() + _SECONDS
    tried: set[str] = set()

    def inputs_for(alternative: Alternative, places: Int64) -> Tensor:
        if not alternative.is_anew:
            return alternative.change(inputs[torch.from_numpy(places)])
        preprocessing = _prepared_anew(plan, images[0], alternative)
        return torch.stack([preprocessing(images[place]) for place in places.tolist()])

    def predict_changed(alternative: Alternative, places: Int64) -> Int64 | None:
        tried.add(alternative.name)
        if on_tried is not None:
            on_tried(len(tried), len(found))
        predicted: list[Int64] = []
        try:
            for start in range(0, len(places), running.at_once):
                if time.monotonic() > deadline:
                    return None
                changed = inputs_for(alternative, places[start : start + running.at_once])
                some = predict(plan.model.module, changed, running)
                if some is None:
                    return None
                predicted.append(some)
        except ScanInterrupted:
            raise
        except ScanError:  # a model for one size takes no other
            return None
        return np.concatenate(predicted)

    return best_alternative(answers, found, predict_changed)


def _worth_trying(
    plan: ScanPlan, inputs: Tensor, image: SourceImage, answers: Answers, *, with_larger: bool
) -> list[Alternative]:
    is_low = (answers.top1 or 0) < _LOW and image.tensor is None
    found = alternatives(plan.preprocessing, inputs, image.height if is_low else None)
    if not is_near_chance(answers):
        found = [one for one in found if one.size is None or one.size <= _MOST_ENLARGED * image.height]
    if not with_larger:
        largest = max(inputs.shape[-1], image.height)
        found = [one for one in found if one.size is None or one.size <= largest]
    is_replaced = bool(replaced_preprocessing(plan.preprocessing, plan.model))
    return [own_preparation(), *found] if is_replaced else found


def _prepared_anew(plan: ScanPlan, image: SourceImage, alternative: Alternative) -> Preprocessing:
    """The weights' own preprocessing, or the same as now for another size of the images."""
    if alternative.is_own:
        return choose_preprocessing(plan.model, image)
    done = plan.preprocessing.description
    mean, std = (value if isinstance(value, list) else None for value in (done.get("mean"), done.get("std")))
    return choose_preprocessing(plan.model, image, size=alternative.size, mean=mean, std=std)
