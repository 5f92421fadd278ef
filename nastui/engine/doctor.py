"""Looking at a model and its images before a scan: what would be captured, what is wrong, and what it will cost."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn

from nastui.engine.computing import AUTO, ComputingOptions, words
from nastui.engine.forecast import Forecast, forecast_scan
from nastui.engine.inspection.examining import Examination, examine_plan
from nastui.engine.layers import select_layers
from nastui.engine.models import LoadedModel
from nastui.engine.plan import PixelOptions, ScanOptions, ScanPlan
from nastui.engine.preprocessing import Size
from nastui.engine.reduction import parse_reduction
from nastui.engine.scan import DEFAULT_BATCH_SIZE, ImageChoice, parse_value_type, planned
from nastui.engine.tokens import parse_tokens
from nastui.engine.trace import Call
from nastui.engine.trial import Circumstances, choose_computing
from nastui.limits import DEFAULT_RANGES
from nastui.records import LayerSpec

# What is under way, how much of it is done, and of how much.
OnStep = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A scan's plan, the device that the model is on, and the seconds that this took. How the model is run fastest is
    found out once and remembered: that counts in no scan to come."""

    plan: ScanPlan
    place: torch.device
    seconds: float


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """All that `nastui doctor` says of a model and its images. `all_layers`: those that could be captured, in the order
    in which the model computes them; `refused`: the calls of modules that cannot be."""

    plan: ScanPlan
    place: torch.device
    all_layers: tuple[LayerSpec, ...]
    refused: tuple[Call, ...]
    examination: Examination
    forecast: Forecast

    @property
    def n_parameters(self) -> int:
        return sum(parameter.numel() for parameter in self.plan.model.module.parameters())

    @property
    def computing_words(self) -> str:
        """How the model is run."""
        return words(self.plan.computing)


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
    with prepared(model, data, per_class=per_class, batch_size=batch_size, **options) as found:
        forecast = forecast_scan(
            found.plan,
            found.place,
            batch_size=batch_size,
            workers=workers,
            planning_seconds=found.seconds,
            on_progress=partial(report, "Trying"),
        )
        rate = forecast.images_per_second
        seen = examine_plan(
            found.plan,
            found.place,
            batch_size=batch_size,
            per_class=per_class,
            images_per_second=rate,
            on_step=report,
        )
        possible = select_layers(seen.trace, "*", parse_reduction(found.plan.spec.reduction))
        refused = tuple(call for call in seen.trace.calls if call.refusal)
        layers = tuple(layer.spec for layer in possible.layers)
        return Diagnosis(found.plan, found.place, layers, refused, seen, forecast)


@contextmanager
def prepared(
    model: str | nn.Module | LoadedModel,
    data: Any,
    *,
    weights: str | Path | None = None,
    layers: str | Sequence[str] = "auto",
    reduce: str = "max",
    tokens: str = "all",
    per_class: int | None = None,
    classes: Sequence[str] | None = None,
    class_map: str | Path | None = None,
    size: Size | None = None,
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
    grayscale: bool | None = None,
    download: bool = False,
    batch_size: int = DEFAULT_BATCH_SIZE,
    device: str = "auto",
    memory_format: str = AUTO,
    precision: str = "float32",
    compiled: bool = False,
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
        tokens=parse_tokens(tokens),
    )
    began = time.perf_counter()
    choice = ImageChoice(per_class, classes, download)
    wanted = ComputingOptions.parse(memory_format, precision, compiled=compiled)
    with planned(model, data, options, choice, weights, device=device) as (plan, place):
        seconds = time.perf_counter() - began
        computing = choose_computing(plan, wanted, Circumstances(place, batch_size))
        yield Prepared(plan.with_computing(computing), place, seconds)
