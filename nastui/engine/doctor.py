"""Looking at a model and its images before a scan: what would be captured, what is wrong, and what it will cost."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from nastui.engine.forecast import Forecast, forecast_scan
from nastui.engine.inspection.examining import Examination, examine_plan
from nastui.engine.models import LoadedModel
from nastui.engine.plan import PixelOptions, ScanOptions, ScanPlan
from nastui.engine.preprocessing import Size
from nastui.engine.reduction import parse_reduction
from nastui.engine.scan import DEFAULT_BATCH_SIZE, ImageChoice, parse_value_type, planned
from nastui.limits import DEFAULT_RANGES

# What is under way, how much of it is done, and of how much.
OnStep = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A scan's plan, the device that the model is on, and the seconds that this took."""

    plan: ScanPlan
    place: torch.device
    seconds: float


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """All that `nastui doctor` says of a model and its images."""

    plan: ScanPlan
    place: torch.device
    examination: Examination
    forecast: Forecast


def diagnose(
    model: str | nn.Module | LoadedModel,
    data: Any,
    *,
    per_class: int | None = None,
    batch_size: int = DEFAULT_BATCH_SIZE,
    workers: int | None = None,
    on_step: OnStep | None = None,
    **options: Any,
) -> Diagnosis:
    """Try a scan on some of its images, look for faults, and leave nothing behind; `options` are those of `prepared`.

    Raises what the scan itself would raise for what is wrong with model, images, layers or classes.
    """
    report = on_step or (lambda what, done, total: None)
    with prepared(model, data, per_class=per_class, **options) as found:
        forecast = forecast_scan(
            found.plan,
            found.place,
            batch_size=batch_size,
            workers=workers,
            planning_seconds=found.seconds,
            on_progress=lambda done, total: report("Trying", done, total),
        )
        examination = examine_plan(
            found.plan,
            found.place,
            per_class=per_class,
            images_per_second=forecast.images_per_second,
            on_step=report,
        )
        return Diagnosis(found.plan, found.place, examination, forecast)


@contextmanager
def prepared(
    model: str | nn.Module | LoadedModel,
    data: Any,
    *,
    weights: str | Path | None = None,
    layers: str | Sequence[str] = "auto",
    reduce: str = "max",
    per_class: int | None = None,
    classes: Sequence[str] | None = None,
    class_map: str | Path | None = None,
    size: Size | None = None,
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
    grayscale: bool | None = None,
    device: str = "auto",
    seed: int = 0,
    ranges: int = DEFAULT_RANGES,
    dtype: str = "float32",
) -> Iterator[Prepared]:
    """The plan of a scan with these options, which are those of `scan`; the model is ready inside the block."""
    options = ScanOptions(
        layers=layers,
        reduction=parse_reduction(reduce),
        seed=seed,
        ranges=ranges,
        pixels=PixelOptions(size, mean, std, grayscale),
        class_map=Path(class_map) if isinstance(class_map, str) else class_map,
        command="nastui doctor",
        value_type=parse_value_type(dtype),
    )
    began = time.perf_counter()
    choice = ImageChoice(per_class, classes)
    with planned(model, data, options, choice, weights, device=device) as (plan, place):
        yield Prepared(plan, place, time.perf_counter() - began)
