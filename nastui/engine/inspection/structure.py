"""What the way in which a model calls its modules means for a scan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import nn
from torch.nn.modules.dropout import _DropoutNd

from nastui.engine.inspection.finding import Finding, named
from nastui.engine.inspection.watching import Overwritten, Watched
from nastui.engine.module_types import is_auto_layer, is_made_by, type_name
from nastui.engine.trace import Trace

_DROPPING = frozenset(["DropPath", "StochasticDepth"])  # of timm and transformers, and of torchvision


def check_structure(module: nn.Module, trace: Trace, watched: Watched) -> list[Finding]:
    return [
        *training_mode(watched.training),
        *batch_statistics(watched.batch_statistics),
        *overwritten_layers(watched.overwritten),
        *called_again(module, trace),
        *by_function(watched.functions),
        *never_called(module, trace),
    ]


def training_mode(training: Sequence[str]) -> list[Finding]:
    if not training:
        return []
    return [
        Finding(
            "train-mode",
            f"{named(list(training))} ran in training mode although the model was put in evaluation mode: values "
            "depend on chance, or on the other images of a batch.",
            "Leave out train() in the model's forward, and give F.dropout training=self.training.",
        )
    ]


def batch_statistics(paths: Sequence[str]) -> list[Finding]:
    if not paths:
        return []
    return [
        Finding(
            "batch-statistics",
            f"{named(list(paths))} has no running statistics: an image's values depend on the others of its batch.",
            "Build it with track_running_stats=True, or read the values with that in mind.",
        )
    ]


def overwritten_layers(overwritten: Sequence[Overwritten]) -> list[Finding]:
    if not overwritten:
        return []
    cases = [f"{case.address} by {case.by}" for case in overwritten]
    what = "1 captured layer has its output" if len(cases) == 1 else f"{len(cases):,} captured layers have their output"
    return [
        Finding(
            "overwritten",
            f"{what} overwritten in place: {named(cases)}.",
            "nastui reads it before that; a hook of your own that keeps the tensor would see the later values.",
        )
    ]


def called_again(module: nn.Module, trace: Trace) -> list[Finding]:
    counts: dict[str, int] = {}
    for call in trace.calls:
        if not _passes_on(module, call.path):
            counts[call.path] = call.number  # however many tensors a call gave
    again = [f"{path} ({count} times)" for path, count in counts.items() if count > 1]
    if not again:
        return []
    first = next(path for path, count in counts.items() if count > 1)
    what = "1 module is" if len(again) == 1 else f"{len(again):,} modules are"
    return [
        Finding(
            "called-again",
            f"{what} called more than once for an image: {named(again)}.",
            f"Each call is a layer of its own: {first}#1, {first}#2; {first} alone means all of them.",
        )
    ]


def _passes_on(module: nn.Module, path: str) -> bool:
    """Whether a module gives what it takes when the model is not in training: nobody captures it for itself."""
    child = module.get_submodule(path)
    return is_made_by(child, (nn.Identity, _DropoutNd)) or type_name(child) in _DROPPING


def by_function(functions: Mapping[tuple[str, str], int]) -> list[Finding]:
    if not functions:
        return []
    cases = [
        f"{path or 'the model'} calls {name}{'' if count == 1 else f' {count} times'}"
        for (path, name), count in functions.items()
    ]
    return [
        Finding(
            "by-function",
            f"Nonlinearities by function: {named(cases)}.",
            "There is no module to capture after them: capture the layer before and read what goes into them, or the "
            "module around them for what comes out.",
        )
    ]


def never_called(module: nn.Module, trace: Trace) -> list[Finding]:
    called = {call.path for call in trace.calls}
    leaves = {path for path, child in module.named_modules() if path and not any(True for _ in child.children())}
    missing = [
        path for path in trace.not_called if path in leaves and path not in called and not _passes_on(module, path)
    ]
    if not missing:
        return []
    layers = [path for path in missing if is_auto_layer(module.get_submodule(path))]
    of_these = f" ({len(layers):,} of them convolutions or linear layers)" if layers else ""
    text = f"{len(missing):,} {'module is' if len(missing) == 1 else 'modules are'} never called{of_these}: "
    advice = "They cannot be captured. If they should run, look at the model's forward."
    if {*missing} == {*trace.by_attention}:
        advice = "nn.MultiheadAttention reads their weights itself: capture that module, or the block around it."
    rest = [path for path in missing if path not in layers]
    return [Finding("never-called", f"{text}{named([*layers, *rest])}.", advice)]
