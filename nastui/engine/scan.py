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
from nastui.engine.computing import AUTO, Computing, ComputingOptions
from nastui.engine.evaluation import evaluating, on_device
from nastui.engine.loader import default_workers
from nastui.engine.models import LoadedModel, Transform, adopt_model, load_model
from nastui.engine.plan import PixelOptions, ScanOptions, ScanPlan, plan_scan
from nastui.engine.preprocessing import Size
from nastui.engine.ranks import Ranks
from nastui.engine.reduction import parse_reduction
from nastui.engine.session import OnProgress, ScanProgress, ScanSession
from nastui.engine.shared_scan import SharedScan
from nastui.engine.sources import load_source
from nastui.engine.subset import select_images
from nastui.engine.tokens import parse_tokens
from nastui.engine.torchrun import join_ranks
from nastui.engine.trial import Circumstances, decide_computing
from nastui.errors import UsageError
from nastui.limits import DEFAULT_RANGES, MAX_RANGES
from nastui.measure_records import KindThresholds
from nastui.records import RunInfo, ValueType
from nastui.store.faults import check_folder
from nastui.store.parts import begun_spec, discard_parts, has_parts

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
    tokens: str = "all",
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
    memory_format: str = AUTO,
    precision: str = "float32",
    compiled: bool = False,
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

    `model`: a spec (docs/models.md), or a module in hand, which is left as it was. `data`: a spec (docs/images.md), or
    any dataset of (image, label) with `.classes`. `transform`, `outputs` (names, in order): of a module in hand.
    `layers`, `tokens`: see `select_layers`; `reduce`: `reduce_output`; `per_class`, `classes`, `seed`:
    `select_images`; `kinds`: `rule_kinds`; `dtype`: how values are stored, `memory_format`, `precision`, `compiled`:
    how the model is run, see `choose_computing`; `distributed`: `SharedScan`. The others change the speed alone.
    `on_progress` is called after every batch, and by another thread while units are measured; without it, warnings come
    through Python's `warnings`. `should_stop` is asked after every batch. Raises ScanInterrupted when stopped,
    OutputExists where `out` is another scan or finished (`force` replaces it), and nastui's other errors.
    """
    _check_counts(batch_size=batch_size, ranges=ranges, workers=workers)
    check_folder(Path(out).resolve())
    pixels, value_type = PixelOptions(size, mean, std, grayscale), parse_value_type(dtype)
    class_map = Path(class_map) if isinstance(class_map, str) else class_map
    reduction, kept = parse_reduction(reduce), parse_tokens(tokens)
    options = ScanOptions(layers, reduction, seed, ranges, pixels, class_map, command, value_type, kept)
    choice = ImageChoice(per_class, classes, download)
    wanted = ComputingOptions.parse(memory_format, precision, compiled=compiled)
    pace = _Pace(batch_size, workers, kinds, on_progress, should_stop)
    with (
        (join_ranks() if distributed else Ranks()).together() as ranks,
        planned(model, data, options, choice, weights, transform, outputs, ranks.device(device)) as (plan, place),
    ):
        return _scan(plan, place, Path(out), ranks, wanted, pace, force=force)


@dataclass(frozen=True, slots=True)
class _Pace:
    """What does not change the content of a scan's file."""

    batch_size: int
    workers: int | None
    kinds: KindThresholds | None
    on_progress: OnProgress | None
    should_stop: Callable[[], bool] | None


def _scan(
    plan: ScanPlan, place: torch.device, out: Path, ranks: Ranks, wanted: ComputingOptions, pace: _Pace, *, force: bool
) -> RunInfo:
    """Decide how the model is run, then scan alone or together with others."""
    path = out.resolve()
    if ranks.count == 1 and force:
        discard_parts(path)
    begun = None if force else begun_spec(path, plan.spec)
    around = Circumstances(place, pace.batch_size)
    decided = ranks.told_by_first("computing", lambda: decide_computing(plan, wanted, around, begun).describe())
    plan = plan.with_computing(Computing.read(decided))
    if ranks.count > 1 or has_parts(path):
        workers, stop = pace.workers or default_workers(ranks.n_local), pace.should_stop or (lambda: False)
        shared = SharedScan(plan, path, ranks, place, pace.batch_size, workers, pace.kinds, pace.on_progress, stop)
        return shared.run(force=force)
    session = ScanSession(
        plan, out, place, pace.batch_size, pace.workers, pace.kinds, pace.on_progress, pace.should_stop
    )
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
