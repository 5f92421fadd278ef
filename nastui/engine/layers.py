"""Which layers a scan captures: dotted names and globs, matched against the calls that a forward pass really makes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from fnmatch import fnmatchcase

from torch import Tensor

from nastui.engine.outputs import Steps, written
from nastui.engine.reduction import Reduction, count_units, keeps_positions
from nastui.engine.tokens import TokenEvidence
from nastui.engine.trace import Call, Trace
from nastui.errors import LayerNotFound, UnsupportedOutput
from nastui.records import LayerSpec, Tokens, ValueType

AUTO = "auto"
_LISTED = 12
_NUMBERS = re.compile(r"[\d,]+")
_NAMED = 3


@dataclass(frozen=True, slots=True)
class CaptureLayer:
    """A layer to capture: call `number` (from 1) of `n_calls` of a module, units along `unit_dim` of its output.

    `steps` lead to the tensor where the output is a tuple, list or dict. `kept`: of a layer of tokens those that count,
    None where all do.
    """

    spec: LayerSpec
    module_path: str
    number: int
    n_calls: int
    unit_dim: int
    steps: Steps = ()
    kept: range | None = None

    def kept_part(self, output: Tensor) -> Tensor:
        """The part of the tensor (B, …) that counts, as a view; of a single token (B, D)."""
        if self.kept is None:
            return output
        return output[:, self.kept[0]] if len(self.kept) == 1 else output[:, self.kept[0] : self.kept[-1] + 1]


@dataclass(frozen=True, slots=True)
class Selection:
    """The layers chosen, in the order in which the model computes them, and what to tell a person about the choice."""

    layers: tuple[CaptureLayer, ...]
    notes: tuple[str, ...]

    @property
    def specs(self) -> list[LayerSpec]:
        """What the store is told of them; their receptive fields are not known yet."""
        return [layer.spec for layer in self.layers]

    def stored_as(self, value_type: ValueType) -> Selection:
        """The same layers, their values stored as `value_type`."""
        layers = tuple(replace(one, spec=replace(one.spec, value_type=value_type)) for one in self.layers)
        return replace(self, layers=layers)


def select_layers(
    trace: Trace, patterns: str | Sequence[str], reduction: Reduction, tokens: Tokens = "all"
) -> Selection:
    """Choose the layers that any of the patterns names.

    A pattern is `auto` (all convolutions and linear layers), a dotted name (`layer1.0.conv1`, or `relu#2` for the
    second call of a module that is called more than once; `relu` alone means all its calls) or a glob in which `*`
    stands for anything, dots included (`features.*`, `layer?.*.conv2`). Several come as a list or separated by commas.
    A glob passes over what cannot be captured and says so. `tokens`: which count of the layers that give tokens.

    Raises LayerNotFound for a pattern that matches nothing that is called, UnsupportedOutput for one that names nothing
    but what cannot be captured: no tensor with a row per image, or not the tokens that were asked for.
    """
    trace = replace(trace, calls=tuple(_with_tokens(call, trace.tokens, tokens) for call in trace.calls))
    chosen: dict[str, Call] = {}
    refused: dict[str, Call] = {}
    not_called: dict[str, None] = {}
    for pattern in _split(patterns):
        matches = _matches(pattern, trace.calls)
        if not any(not call.refusal for call in matches):
            _refuse(pattern, matches, trace)
        chosen |= {call.address: call for call in matches if not call.refusal}
        refused |= {call.address: call for call in matches if call.refusal}
        not_called |= dict.fromkeys(_never_called(pattern, trace))
    n_calls = {call.path: call.number for call in trace.calls}
    layers = tuple(
        _capture_layer(call, n_calls[call.path], reduction, tokens, trace.tokens)
        for call in trace.calls
        if call.address in chosen
    )
    notes = (
        *_token_notes(layers, tuple(refused.values()), tokens),
        *_element_notes(tuple(chosen.values())),
        *_refusal_notes(tuple(refused.values())),
        *_never_called_notes(tuple(not_called), trace),
    )
    return Selection(layers, notes)


def _with_tokens(call: Call, evidence: TokenEvidence, tokens: Tokens) -> Call:
    """The call, refused where it gives tokens but not those that were asked for."""
    kept = evidence.kept(call.shape[0], tokens) if call.has_tokens and not call.refusal else ""
    return replace(call, refusal=kept) if isinstance(kept, str) and kept else call


def _token_notes(layers: Sequence[CaptureLayer], refused: Sequence[Call], tokens: Tokens) -> list[str]:
    if tokens == "all" or any(layer.spec.tokens for layer in layers) or any(call.has_tokens for call in refused):
        return []
    return [f"No layer that was chosen gives tokens: to ask for '{tokens}' changes nothing."]


def _element_notes(chosen: Sequence[Call]) -> list[str]:
    """Of layers that return more than a tensor, which part of it is captured."""
    named = [call for call in chosen if call.steps and not call.address.endswith(written(call.steps))]
    notes = [f"Layer {call.address} returns more than a tensor: captured is {written(call.steps)}." for call in named]
    more = len(named) - _NAMED
    return [*notes[:_NAMED], *([f"{more:,} more layers return more than a tensor; so do they."] if more > 0 else [])]


def _refusal_notes(refused: Sequence[Call]) -> list[str]:
    """A note for each reason: those that differ in numbers alone are one."""
    by_reason: dict[str, list[Call]] = {}
    for call in refused:
        by_reason.setdefault(_NUMBERS.sub("", call.refusal), []).append(call)
    notes = []
    for calls in by_reason.values():
        what = "Layer" if len(calls) == 1 else f"{len(calls):,} layers are left out, such as"
        verb = " is left out: it" if len(calls) == 1 else ", which"
        notes.append(f"{what} {calls[0].address}{verb} {calls[0].refusal}.")
    return notes


def _never_called_notes(paths: Sequence[str], trace: Trace) -> list[str]:
    by_attention = [path for path in paths if path in trace.by_attention]
    others = [path for path in paths if path not in trace.by_attention]
    return [
        f"{words}: {', '.join(some[:_NAMED])}{f' and {len(some) - _NAMED:,} more' if len(some) > _NAMED else ''}."
        for words, some in (
            ("Left out, since the model never calls it", others),
            ("Left out, since nn.MultiheadAttention itself does their work (capture that)", by_attention),
        )
        if some
    ]


def _split(patterns: str | Sequence[str]) -> list[str]:
    given = [patterns] if isinstance(patterns, str) else list(patterns)
    names = [part.strip() for pattern in given for part in pattern.split(",") if part.strip()]
    if not names:
        raise LayerNotFound("No layer is named.", hint=f"Leave --layers out, or write '{AUTO}', for the usual ones.")
    return names


def _is_glob(pattern: str) -> bool:
    return any(character in pattern for character in "*?[")


def _matches(pattern: str, calls: Sequence[Call]) -> list[Call]:
    """The calls of that name or address; where there are none, those that the glob matches."""
    if pattern == AUTO:
        return [call for call in calls if call.is_auto]
    exact = [call for call in calls if pattern in (call.path, call.address)]
    if exact or not _is_glob(pattern):
        return exact
    return [call for call in calls if fnmatchcase(call.path, pattern) or fnmatchcase(call.address, pattern)]


def _never_called(pattern: str, trace: Trace) -> Iterable[str]:
    if pattern == AUTO:
        return trace.not_called_auto
    return [path for path in trace.not_called if path == pattern or (_is_glob(pattern) and fnmatchcase(path, pattern))]


def _refuse(pattern: str, matches: Sequence[Call], trace: Trace) -> None:
    """Say why a pattern gives no layer: nothing of that name, never called, or not capturable."""
    if matches:
        call = matches[0]
        raise UnsupportedOutput(
            f"Layer {call.address} ({call.type}) cannot be captured: it {call.refusal}.",
            hint=f"Choose a layer inside or after it. {_candidates(pattern, trace)}",
        )
    if _never_called(pattern, trace):
        raise LayerNotFound(
            f"The model has '{pattern}' but never calls it in its forward pass.", hint=_candidates(pattern, trace)
        )
    raise LayerNotFound(f"No layer matches '{pattern}'.", hint=_candidates(pattern, trace))


def _candidates(pattern: str, trace: Trace) -> str:
    """The layers there are, the nearest names first, then those that `auto` takes; many are only counted."""
    calls = {call.address: call for call in trace.calls if not call.refusal}
    if not calls:
        return "The model calls no named module that could be captured."
    nearest = get_close_matches(pattern.replace("*", ""), calls, n=_LISTED, cutoff=0.5)
    usual = [address for address, call in calls.items() if call.is_auto]
    shown = list(dict.fromkeys([*nearest, *usual, *calls]))[:_LISTED]
    width = max(map(len, shown))
    lines = [f"  {name:<{width}}  {calls[name].type}  {_shape(calls[name].shape)}" for name in shown]
    more = [f"  … and {len(calls) - len(shown)} more"] if len(calls) > len(shown) else []
    return "\n".join(["Layers of this model, or 'auto' for all convolutions and linear layers:", *lines, *more])


def _shape(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape))


def _capture_layer(
    call: Call, n_calls: int, reduction: Reduction, tokens: Tokens, evidence: TokenEvidence
) -> CaptureLayer:
    kept = evidence.kept(call.shape[0], tokens) if call.has_tokens and tokens != "all" else None
    assert not isinstance(kept, str)
    shape = call.shape if kept is None else (len(kept), call.shape[1])
    spec = LayerSpec(
        path=call.address,
        type=call.type,
        shape=call.shape,
        n_units=count_units(shape, call.unit_dim, reduction),
        has_positions=keeps_positions(reduction) and len(shape) > 1 and (kept is None or len(kept) > 1),
        unit_dim=call.unit_dim,
        tokens=tokens if call.has_tokens else None,
        token_grid=evidence.grid(call.shape[0]) if call.has_tokens else None,
    )
    return CaptureLayer(spec, call.path, call.number, n_calls, call.unit_dim, call.steps, kept)
