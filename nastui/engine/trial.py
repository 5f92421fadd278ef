"""A short trial on a scan's first images: which memory format is faster, and what computing otherwise does to them."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

import numpy as np
import torch
from platformdirs import user_cache_path
from torch import Tensor, nn

from nastui.engine import torchscript_models
from nastui.engine.capture import ActivationCapture, Captured
from nastui.engine.computing import TOLERANCE, Computing, ComputingOptions, Effect, words
from nastui.engine.heap import kept_heap
from nastui.engine.loader import load_batches
from nastui.engine.plan import ScanPlan
from nastui.engine.reduction import parse_reduction
from nastui.engine.trial_cache import TrialCache
from nastui.errors import OutputExists, ScanError, ScanInterrupted, UsageError
from nastui.records import Float32, Int64, RunSpec

LEAST_IMAGES = 512  # of a scan for which a trial, which costs as much as some 100 of them, is worth its time
CLEAR_GAIN = 0.04
_TIMED_IMAGES, _COMPARED_IMAGES = 8, 32
_PAIRS = 5
_SECONDS = 6.0


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a trial depends on beside the plan."""

    device: torch.device
    batch_size: int
    cache: Path | None = None  # None: the user's

    def key(self, plan: ScanPlan, options: ComputingOptions) -> str:
        """A sum over all that may change which memory format is faster, or the values."""
        place = self.device
        name = torch.cuda.get_device_name(place) if place.type == "cuda" else torch.backends.cpu.get_cpu_capability()
        facts = [
            (plan.spec.weights_sha256, plan.spec.model, plan.spec.layers_sha256, plan.spec.preprocessing_sha256),
            (*plan.example.shape[1:], self.batch_size, options.precision),
            (str(place), name, torch.get_num_threads(), torch.__version__),
        ]
        return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def choose_computing(plan: ScanPlan, options: ComputingOptions, circumstances: Circumstances) -> Computing:
    """How a scan's model is to be run, decided once before its first image; its device must hold the model.

    Where nobody says the memory format and there are 2-d convolutions, channels last is tried against contiguous on the
    first images, unless the same trial has been made here before, or the scan is too short to be worth one. Whatever
    differs from a plain run comes with its measured effect. Raises UsageError for what the device cannot do, ScanError
    where the model cannot be run as was asked.
    """
    _check(plan, options, circumstances.device)
    asked = Computing(
        str(circumstances.device), options.memory_format or "contiguous", options.precision, options.compiled
    )
    if options.memory_format is not None or not _is_worth_a_trial(plan, options):
        return asked if asked.is_plain else _with_effect(_compared(plan, circumstances, asked), asked)
    cache = TrialCache(circumstances.cache or user_cache_path("nastui"))
    key = circumstances.key(plan, options)
    known = _known(cache, key)
    if known is None:
        known = _faster(_Trial(plan, circumstances, min(_TIMED_IMAGES, circumstances.batch_size)), asked)
        if asked.precision != "float32":
            known = _with_effect(_compared(plan, circumstances, asked), known)
        cache.put(key, known.describe())
    return known


def decide_computing(
    plan: ScanPlan, options: ComputingOptions, circumstances: Circumstances, begun: RunSpec | None
) -> Computing:
    """As the file of the unfinished scan says, where there is one (`begun`); else as `choose_computing` does.

    Raises OutputExists where that scan was begun in another way than the options say.
    """
    if begun is None:
        return choose_computing(plan, options, circumstances)
    known = Computing.read(begun.computing)
    if options.contradicts(known):
        raise OutputExists(
            f"The run that is there was begun with {words(known)}.",
            hint="Ask for the same to go on with it, write to another file, or replace it with --force.",
        )
    _check(plan, options, circumstances.device)
    return known


def _check(plan: ScanPlan, options: ComputingOptions, device: torch.device) -> None:
    options.check(device, parse_reduction(plan.spec.reduction))
    if options.compiled and plan.spec.model.startswith(f"{torchscript_models.KIND}:"):
        raise UsageError(
            "--compile gains nothing for a TorchScript file, whose modules are followed step by step.",
            hint="Leave it out, or save the model with torch.export.",
        )


def compare(plain: Captured, other: Captured) -> Effect:
    """What `other` differs in from `plain`, of the same images."""
    by_layer = {path: _difference(values, other.values[path]) for path, values in plain.values.items()}
    worst = max(by_layer, key=lambda path: by_layer[path])
    is_classifier = plain.output.ndim == 2
    changed = (plain.output.argmax(1) != other.output.argmax(1)).sum() if is_classifier else 0
    return Effect(len(plain.output), by_layer[worst], worst, _difference(plain.output, other.output), int(changed))


def _difference(plain: Float32, other: Float32) -> float:
    """The largest one as a share of the span of the plain values; 1 where only one of both is finite."""
    finite = np.isfinite(plain)
    if not np.array_equal(finite, np.isfinite(other)):
        return 1.0
    if not finite.any():
        return 0.0
    largest = float(np.abs(plain[finite].astype(np.float64) - other[finite]).max())
    return largest / (float(np.ptp(plain[finite])) or 1.0) if largest else 0.0


def _is_worth_a_trial(plan: ScanPlan, options: ComputingOptions) -> bool:
    """A compiler chooses the layout itself; a model without 2-d convolutions has nothing to gain."""
    if options.compiled or plan.example.ndim != 4:
        return False
    return len(plan.images.indices) >= LEAST_IMAGES and any(
        isinstance(one, nn.Conv2d) for one in plan.model.module.modules()
    )


def _known(cache: TrialCache, key: str) -> Computing | None:
    text = cache.get(key)
    try:
        return None if text is None else Computing.read(text)
    except (ValueError, TypeError):
        return None


def _faster(trial: _Trial, contiguous: Computing) -> Computing:
    """Contiguous, unless channels last is clearly faster and gives the same values: then with what it differs in."""
    other = replace(contiguous, memory_format="channels_last")
    if not trial.has_images:
        return contiguous
    try:
        effect = compare(trial.run(contiguous), trial.run(other))
    except ScanInterrupted:  # by Ctrl-C, which is no answer to be kept
        raise
    except ScanError:  # code that looks at strides, `view` after a convolution for one
        return contiguous
    is_same = effect.largest_difference <= TOLERANCE or contiguous.precision != "float32"
    is_faster = is_same and trial.ratio(other, contiguous) <= 1 - CLEAR_GAIN
    return replace(other, effect=effect) if is_faster else contiguous


def _with_effect(trial: _Trial, computing: Computing) -> Computing:
    """The same with its effect. Raises ScanError where the model cannot be run so."""
    if not trial.has_images:
        return computing
    plain = trial.run(Computing(computing.device))
    try:
        other = trial.run(computing)
    except ScanError as exc:
        if computing.memory_format == "channels_last":
            raise ScanError(
                f"The model does not run in channels last: {exc.message}", hint="Choose --memory-format contiguous."
            ) from exc
        raise
    return replace(computing, effect=compare(plain, other))


def _compared(plan: ScanPlan, circumstances: Circumstances, asked: Computing) -> _Trial:
    """As many images as say something; what is compiled is compiled for the size of a batch."""
    size = circumstances.batch_size
    return _Trial(plan, circumstances, size if asked.compiled else min(_COMPARED_IMAGES, size))


class _Trial:
    """The scan's first images, as many as asked for, and the model."""

    def __init__(self, plan: ScanPlan, circumstances: Circumstances, n_images: int) -> None:
        self._plan = plan
        self._device = circumstances.device
        self._inputs, self._ids = _first_inputs(plan, n_images)

    @property
    def has_images(self) -> bool:
        """Whether any of them decodes."""
        return self._inputs is not None

    def run(self, computing: Computing) -> Captured:
        """What they give, computed in this way."""
        with kept_heap(), self._capture(computing) as capture:
            return capture.run(self._on_device(), self._ids)

    def ratio(self, one: Computing, other: Computing) -> float:
        """How long `one` takes as a share of the time of `other`: the median of as many pairs as some seconds hold."""
        began, ratios = time.perf_counter(), list[float]()
        with kept_heap():
            while len(ratios) < _PAIRS and (not ratios or time.perf_counter() - began < _SECONDS):
                ratios.append(self._seconds(one) / self._seconds(other))
        return median(ratios)

    def _seconds(self, computing: Computing) -> float:
        inputs = computing.inputs(self._on_device())
        with self._capture(computing) as capture:
            began = time.perf_counter()
            capture.run(inputs, self._ids)
            return time.perf_counter() - began

    def _capture(self, computing: Computing) -> ActivationCapture:
        plan, reduction = self._plan, parse_reduction(self._plan.spec.reduction)
        return ActivationCapture(plan.model.module, plan.layers.layers, reduction, plan.spec.seed, computing)

    def _on_device(self) -> Tensor:
        assert self._inputs is not None
        return self._inputs.to(self._device, copy=True)  # a model may change its input in place


def _first_inputs(plan: ScanPlan, n_images: int) -> tuple[Tensor | None, Int64]:
    """The first images that decode, prepared, and their ids."""
    indices: Sequence[int] = plan.images.indices[:n_images]
    with closing(load_batches(plan.source, indices, plan.preprocessing, batch_size=n_images)) as batches:
        batch = next(batches)
    return batch.inputs, np.array(batch.rows, dtype=np.int64)
