"""All checks of a scan's plan, one after the other, and what they saw of model and images on the way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath

import torch

from nastui.engine.inspection.finding import CHECKS, Finding
from nastui.engine.inspection.knowledge import check_knowledge, known_answers
from nastui.engine.inspection.pictures import check_pictures
from nastui.engine.inspection.running import Running
from nastui.engine.inspection.sample import Sample, load_sample
from nastui.engine.inspection.stability import check_stability
from nastui.engine.inspection.structure import check_structure
from nastui.engine.inspection.values import check_values, check_weights
from nastui.engine.inspection.watching import watch_forward
from nastui.engine.plan import ScanPlan
from nastui.engine.trace import Trace, trace_calls

_SAMPLE = (48, 256)  # at least and at most
_SECONDS = 4.0  # of the model's work for the sample
_FOR_STABILITY = 8
_FOR_VALUES = 16
_LEVELS = ("error", "warning", "note")

OnStep = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """Of the sample. `formats`: file suffix, or "" where there are no files, and how many. `sizes`: smallest and
    largest (width, height), by area; None where none was read. `n_failed` of `n` could not be read."""

    n: int
    n_failed: int
    formats: Mapping[str, int]
    sizes: tuple[tuple[int, int], tuple[int, int]] | None


@dataclass(frozen=True, slots=True)
class Examination:
    """`findings`: the worst first. `top1`: on the images of the sample whose class has an output, `n_matched`; None
    where there are none."""

    trace: Trace
    images: ImageFacts
    top1: float | None
    n_matched: int
    findings: tuple[Finding, ...]


def examine_plan(
    plan: ScanPlan,
    device: torch.device,
    *,
    batch_size: int,
    per_class: int | None = None,
    images_per_second: float = float("inf"),
    on_step: OnStep | None = None,
) -> Examination:
    """Run every check. The sample is as large as the model can look at in some seconds, `batch_size` images at once at
    most."""
    report = on_step or (lambda what, done, total: None)
    module, running = plan.model.module, Running(device, batch_size)
    trace = trace_calls(module, plan.example)
    least, most = _SAMPLE
    count = int(min(most, max(least, images_per_second * _SECONDS)))
    sample = load_sample(plan.source, plan.images, plan.preprocessing, count, partial(report, "Reading"))
    found = [*plan.findings, *check_weights(module), *_check_structure(plan, trace)]
    top1, n_matched = None, 0
    if sample.loaded:
        found += check_pictures(sample, plan.images, per_class, plan.preprocessing, plan.model)
        some = sample.inputs()[:_FOR_VALUES]
        found += check_values(module, some, plan.layers.layers, running)
        found += check_stability(module, some[: min(_FOR_STABILITY, batch_size)].to(device))
        answers = known_answers(plan, sample, running)
        if answers is not None:
            top1, n_matched = answers.top1, len(answers.is_right)
            on_tried = partial(report, "Comparing")
            found += check_knowledge(plan, sample, answers, running, with_larger=True, on_tried=on_tried)
    order = {check: (_LEVELS.index(level), place) for place, (check, level) in enumerate(CHECKS.items())}
    ranked = sorted(found, key=lambda finding: order[finding.check])
    return Examination(trace, _image_facts(sample), top1, n_matched, tuple(ranked))


def _check_structure(plan: ScanPlan, trace: Trace) -> list[Finding]:
    watched = watch_forward(plan.model.module, plan.example, plan.layers.layers)
    return check_structure(plan.model.module, trace, watched)


def _image_facts(sample: Sample) -> ImageFacts:
    keys = [one.key for one in sample.loaded] + [key for key, _ in sample.failed]
    sizes = sorted({(one.image.width, one.image.height) for one in sample.loaded}, key=lambda size: size[0] * size[1])
    formats = Counter(PurePosixPath(key).suffix.lower().lstrip(".") for key in keys)
    return ImageFacts(
        len(keys), len(sample.failed), dict(formats.most_common()), (sizes[0], sizes[-1]) if sizes else None
    )
