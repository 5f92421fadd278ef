"""The main path: images through a model, layers reduced on the way, into one file (DESIGN §3)."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, NoReturn, get_args

import torch
from torch import nn

from nastui.engine.batches import ScannedBatch, scan_batches
from nastui.engine.class_names import ClassMap
from nastui.engine.evaluation import evaluating, on_device
from nastui.engine.findings import find_faults
from nastui.engine.inspection.early import FirstAnswers, before_the_first_batch
from nastui.engine.inspection.finding import Finding
from nastui.engine.models import LoadedModel, Transform, adopt_model, load_model
from nastui.engine.plan import PixelOptions, ScanOptions, ScanPlan, plan_scan
from nastui.engine.preprocessing import Size
from nastui.engine.reduction import parse_reduction
from nastui.engine.sources import load_source
from nastui.engine.subset import select_images
from nastui.engine.writing import BackgroundWriter
from nastui.errors import NotARun, ScanInterrupted, UsageError
from nastui.limits import DEFAULT_RANGES, MAX_RANGES
from nastui.measure_records import KindThresholds
from nastui.records import RunInfo, ValueType
from nastui.store.reader import RunReader
from nastui.store.writer import RunWriter

DEFAULT_BATCH_SIZE = 32


Stage = Literal["scanning", "merging", "measuring", "finished"]


@dataclass(frozen=True, slots=True)
class ScanProgress:
    """How far a scan is.

    `stage`: "scanning" counts images, as does "merging" where several processes have shared them; "measuring" counts
    units, "finished" comes once, at the end. `failed`: images of this session that did not decode. `bytes_written`: the
    file's size now. `warnings`: all so far that a person should know.
    """

    stage: Stage
    done: int
    total: int
    failed: int
    bytes_written: int
    warnings: tuple[str, ...]


OnProgress = Callable[[ScanProgress], None]


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
        value_type=_value_type(dtype),
    )
    choice = ImageChoice(per_class, classes, download)
    with planned(model, data, options, choice, weights, transform, outputs, device) as (plan, place):
        return ScanSession(plan, Path(out), place, batch_size, workers, kinds, on_progress, should_stop).run(
            force=force
        )


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


def _value_type(dtype: str) -> ValueType:
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


class ScanSession:
    """One go at a scan, from the first image or from where an earlier one stopped. `is_trial`: nobody reads the run, so
    it does not look for faults."""

    stage: Stage = "scanning"

    def __init__(
        self,
        plan: ScanPlan,
        out: Path,
        device: torch.device,
        batch_size: int,
        workers: int | None,
        kinds: KindThresholds | None,
        on_progress: OnProgress | None,
        should_stop: Callable[[], bool] | None,
        *,
        is_trial: bool = False,
    ) -> None:
        self._plan = plan
        self._out = out
        self._device = device
        self._batch_size = batch_size
        self._workers = workers
        self._kinds = kinds
        self._on_progress = on_progress
        self._should_stop = should_stop or (lambda: False)
        self._warnings: tuple[str, ...] = ()
        self._failed = 0
        self._first_answers = None if is_trial else FirstAnswers(plan, device)

    def run(self, *, force: bool) -> RunInfo:
        self.write(lambda writer: writer.finish(self._measuring, self._kinds), force=force)
        with RunReader(self._out) as reader:
            info = reader.info()
            self._warn(*find_faults(reader, info))
        self._report("finished", info.n_images, info.n_images)
        return info

    def write(self, finish: Callable[[BackgroundWriter], None], *, force: bool = False) -> None:
        """Look at all images that are missing; then `finish` may end the run."""
        self._warn(*self._plan.warnings)
        if self._first_answers is not None:
            self._say(before_the_first_batch(self._plan))
        with BackgroundWriter(lambda: self._open_writer(force=force)) as writer:
            try:
                self._scan(writer)
                finish(writer)
            except KeyboardInterrupt:
                self._stop(writer)

    def _open_writer(self, *, force: bool) -> RunWriter:
        plan = self._plan
        if self._out.exists() and not force:
            try:
                return RunWriter.resume(self._out, plan.spec)
            except NotARun:
                pass  # `create` says that something else lies there
        layers = plan.measured_layers()
        return RunWriter.create(self._out, plan.spec, plan.classes, plan.outputs, plan.manifest(), layers, force=force)

    def _scan(self, writer: BackgroundWriter) -> None:
        total = len(self._plan.images.indices)
        self._report(self.stage, writer.n_done, total)
        if writer.n_done == total:
            return
        with closing(self.batches(writer.n_done)) as batches:
            for scanned in batches:
                writer.append(scanned.batch)
                self._failed += scanned.n_failed
                if self._first_answers is not None:
                    self._say(self._first_answers.take(scanned.batch))
                self._report(self.stage, scanned.n_done, total)
                if self._should_stop() and scanned.n_done < total:
                    self._stop(writer)

    def batches(self, n_done: int) -> Generator[ScannedBatch, None, None]:
        """The images from `n_done` on."""
        return scan_batches(
            self._plan, n_done=n_done, batch_size=self._batch_size, workers=self._workers, device=self._device
        )

    def _stop(self, writer: BackgroundWriter) -> NoReturn:
        writer.checkpoint()
        total = len(self._plan.images.indices)
        raise ScanInterrupted(
            f"Stopped after {writer.n_done:,} of {total:,} images; {self._out} keeps them.",
            hint="The same command goes on from there.",
        )

    def _measuring(self, done: int, total: int) -> None:
        self._report("measuring", done, total)
        if self._should_stop():
            raise KeyboardInterrupt

    def _say(self, findings: Sequence[Finding]) -> None:
        self._warn(*(finding.sentence() for finding in findings))

    def _warn(self, *found: str) -> None:
        self._warnings += found
        if self._on_progress is None:
            for warning in found:
                warnings.warn(warning, stacklevel=4)

    def _report(self, stage: Stage, done: int, total: int) -> None:
        if self._on_progress is not None:
            size = size_with_log(self._out)
            self._on_progress(ScanProgress(stage, done, total, self._failed, size, self._warnings))


def size_with_log(path: Path) -> int:
    """Bytes of a run's file and of SQLite's write-ahead log beside it."""
    beside = (path, path.with_name(f"{path.name}-wal"))
    return sum(file.stat().st_size for file in beside if file.exists())
