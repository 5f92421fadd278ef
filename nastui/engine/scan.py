"""The main path: images through a model, layers reduced on the way, into one file (DESIGN §3)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args

import torch
from torch import nn

from nastui.engine.class_names import ClassMap
from nastui.engine.evaluation import evaluating, on_device
from nastui.engine.loader import default_workers
from nastui.engine.models import LoadedModel, Transform, adopt_model, load_model
from nastui.engine.plan import PixelOptions, ScanOptions, ScanPlan, plan_scan
from nastui.engine.preprocessing import Size
from nastui.engine.ranks import Ranks, join_ranks
from nastui.engine.reduction import parse_reduction
from nastui.engine.session import OnProgress, ScanProgress, ScanSession
from nastui.engine.shared_scan import SharedScan
from nastui.engine.sources import load_source
from nastui.engine.subset import select_images
from nastui.errors import UsageError
from nastui.limits import DEFAULT_RANGES, MAX_RANGES
from nastui.measure_records import KindThresholds
from nastui.records import RunInfo, ValueType
from nastui.store.parts import discard_parts, has_parts

__all__ = ["OnProgress", "ScanProgress", "ScanSession", "planned", "scan"]

DEFAULT_BATCH_SIZE = 32


def scan(
    model: str | nn.Module | LoadedModel,
    data: Any,
    *,
    out: str | Path,
    weights: str | Path | None = None,
    layers: str | Sequence[str] = "auto",
    reduce: str = "max",
    per_class: int | None = None,
    classes: Sequence[str] | None = None,
    download: bool = False,
    class_map: str | Path | ClassMap | None = None,
    size: Size | None = None,
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
    grayscale: bool | None = None,
    transform: Transform | None = None,
    outputs: Sequence[str] | None = None,
    batch_size: int = DEFAULT_BATCH_SIZE,
    workers: int | None = None,
    device: str = "auto",
    seed: int = 0,
    ranges: int = DEFAULT_RANGES,
    dtype: str = "float32",
    kinds: KindThresholds | None = None,
    force: bool = False,
    distributed: bool = False,
    command: str = "nastui.scan(…) in Python",
    on_progress: OnProgress | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> RunInfo:
    """Look at a model on an image set and write the run to `out`; the same call resumes an unfinished file.

    `model`: a spec (`torchvision:alexnet`, `file.py:factory`) or a module in hand, which is left as it was, mode and
    device. `data`: a spec (`imagefolder:PATH`, `csv:FILE`, `file.py:factory`; docs/images.md has all) or any dataset of
    (image, label) with `.classes`. `download`: fetch a published set that is not here. `transform` and `outputs` (names
    of the model's outputs, in order) belong to a module in hand.
    `layers`: names, globs or "auto"; see `select_layers`. `reduce`: see `reduce_output`. `per_class`, `classes` and
    `seed`: see `select_images`. `dtype`: how values are stored; float16 takes half the space and keeps three digits.
    `kinds`: see `rule_kinds`. `batch_size`, `workers` and `device` change the speed alone.
    `distributed`: share the images with the other processes that torchrun has started, which must all call this; see
    `SharedScan`.
    `on_progress` is called after every batch, and by another thread while units are measured; without it, warnings come
    through Python's `warnings`. `should_stop` is asked after every batch.
    Raises ScanInterrupted when stopped by `should_stop` or Ctrl-C, OutputExists where `out` is another scan or finished
    (`force` replaces it), and the other errors of nastui.errors for what is wrong with model, images or layers.
    """
    _check_counts(batch_size=batch_size, ranges=ranges, workers=workers)
    options = ScanOptions(
        layers=layers,
        reduction=parse_reduction(reduce),
        seed=seed,
        ranges=ranges,
        pixels=PixelOptions(size, mean, std, grayscale),
        class_map=Path(class_map) if isinstance(class_map, str) else class_map,
        command=command,
        value_type=parse_value_type(dtype),
    )
    choice = ImageChoice(per_class, classes, download)
    path = Path(out).resolve()
    with (
        (join_ranks() if distributed else Ranks()).together() as ranks,
        planned(model, data, options, choice, weights, transform, outputs, ranks.device(device)) as (plan, place),
    ):
        if ranks.count == 1 and force:
            discard_parts(path)
        if ranks.count > 1 or has_parts(path):
            threads, stop = workers or default_workers(ranks.n_local), should_stop or (lambda: False)
            return SharedScan(plan, path, ranks, place, batch_size, threads, kinds, on_progress, stop).run(force=force)
        session = ScanSession(plan, Path(out), place, batch_size, workers, kinds, on_progress, should_stop)
        return session.run(force=force)


@dataclass(frozen=True, slots=True)
class ImageChoice:
    """Which images of a set: see `select_images`. `download`: see `load_source`."""

    per_class: int | None = None
    classes: Sequence[str] | None = None
    download: bool = False


@contextmanager
def planned(
    model: str | nn.Module | LoadedModel,
    data: Any,
    options: ScanOptions,
    choice: ImageChoice,
    weights: str | Path | None = None,
    transform: Transform | None = None,
    outputs: Sequence[str] | None = None,
    device: str = "auto",
) -> Iterator[tuple[ScanPlan, torch.device]]:
    """The plan of a scan and the device that its model is on, inside the block in evaluation mode; see `scan`."""
    with ExitStack() as stack:
        if isinstance(model, nn.Module):
            stack.enter_context(evaluating(model))
        loaded = _load(model, weights, transform, outputs)
        place = stack.enter_context(on_device(device, loaded.module, is_borrowed=not isinstance(model, str)))
        source = load_source(data, download=choice.download)
        images = select_images(source, per_class=choice.per_class, classes=choice.classes, seed=options.seed)
        yield plan_scan(loaded, source, images, options, place), place


def _check_counts(*, ranges: int, **counts: int | None) -> None:
    for name, count in {**counts, "ranges": ranges}.items():
        if count is not None and count < 1:
            raise UsageError(f"{name} is {count}.", hint="Give 1 or more.")
    if ranges > MAX_RANGES:
        raise UsageError(f"ranges is {ranges}.", hint=f"Give {MAX_RANGES} or fewer.")


def parse_value_type(dtype: str) -> ValueType:
    known: tuple[ValueType, ...] = get_args(ValueType)
    if dtype not in known:
        raise UsageError(f"dtype is '{dtype}'.", hint="Give float32 or float16.")
    return known[known.index(dtype)]


def _load(
    model: str | nn.Module | LoadedModel,
    weights: str | Path | None,
    transform: Transform | None,
    outputs: Sequence[str] | None,
) -> LoadedModel:
    if isinstance(model, str):
        loaded = load_model(model, None if weights is None else Path(weights))
        if outputs is not None:
            loaded = replace(loaded, classes=tuple(outputs))
        return loaded if transform is None else replace(loaded, transform=transform)
    if weights is not None:
        raise UsageError("A module in hand has its weights already.", hint="Load them into it, or give a model spec.")
    if isinstance(model, LoadedModel):
        return model
    return adopt_model(model, transform=transform, classes=outputs)
