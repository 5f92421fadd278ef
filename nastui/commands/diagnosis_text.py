"""What `nastui doctor` found, as text to read and as a record for other programs."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, cast

from rich.filesize import decimal

from nastui.printing import Record, Value, aligned, duration, escaped
from nastui.store.tiles import image_bytes

if TYPE_CHECKING:
    from nastui.commands.next_scan import NextScan
    from nastui.engine.doctor import Diagnosis
    from nastui.engine.inspection.finding import Finding
    from nastui.records import LayerSpec

_WIDTH = 100
_SHA256 = 12  # its first characters, enough to tell two apart
_COLUMNS = ("address", "type", "shape", "units", "bytes")


def diagnosis_lines(found: Diagnosis, after: NextScan, *, all_layers: bool) -> Iterator[str]:
    """One part after the other, each with a heading."""
    parts: dict[str, Sequence[str]] = {
        "model": _model_lines(found),
        "images": _image_lines(found),
        "layers": _layer_lines(found, all_layers=all_layers),
        "findings": _finding_lines(found.examination.findings),
        "forecast": _forecast_lines(found),
        "next": [*([after.note] if after.note else []), after.command],
    }
    for place, (heading, lines) in enumerate(parts.items()):
        if place:
            yield ""
        yield heading
        yield from (f"  {escaped(line)}".rstrip() for line in lines)


def diagnosis_record(found: Diagnosis, after: NextScan) -> Record:
    """The same for other programs; sizes in bytes, times in seconds."""
    plan, forecast, images = found.plan, found.forecast, found.examination.images
    chosen = {layer.spec.path for layer in plan.layers.layers}
    return {
        "model": {
            "spec": plan.model.spec,
            "weights": plan.model.weights,
            "weights_sha256": plan.model.weights_sha256,
            "parameters": found.n_parameters,
            "outputs": len(plan.outputs),
            "device": str(found.place),
            "computing": cast(Value, json.loads(plan.spec.computing)),
        },
        "images": {
            "spec": plan.source.spec,
            "count": forecast.n_images,
            "classes": dict(zip(plan.images.classes, plan.images.counts, strict=True)),
            "sample": images.n,
            "unreadable": images.n_failed,
            "formats": dict(images.formats),
            "sizes": None if images.sizes is None else [[*size] for size in images.sizes],
            "preprocessing": cast(Value, json.loads(plan.spec.preprocessing)),
            "matching": plan.matching.note,
            "matched": plan.matching.n_matched,
            "top1": found.examination.top1,
        },
        "layers": [
            {**_layer_row(spec, forecast.n_images), "is_captured": spec.path in chosen} for spec in found.all_layers
        ],
        "findings": [
            {
                "level": one.level,
                "check": one.check,
                "text": one.text,
                "advice": one.advice,
                "options": dict(one.options),
            }
            for one in found.examination.findings
        ],
        "forecast": {
            "tried": forecast.n_tried,
            "file_bytes": forecast.file_bytes,
            "disk_bytes": forecast.disk_bytes,
            "peak_bytes": forecast.peak_bytes,
            "device_bytes": forecast.device_bytes,
            "seconds": forecast.seconds,
            "measuring_seconds": forecast.measuring_seconds,
            "images_per_second": forecast.images_per_second,
        },
        "command": after.command,
    }


def _model_lines(found: Diagnosis) -> list[str]:
    model = found.plan.model
    weights = f", weights {model.weights}" if model.weights else ""
    names = "with names" if model.classes is not None else "without names"
    return [
        f"{model.spec}{weights}, sha256 {model.weights_sha256[:_SHA256]}",
        f"{found.n_parameters:,} parameters, {len(found.plan.outputs):,} outputs {names}",
        f"runs in evaluation mode on {found.place}, {found.computing_words}",
    ]


def _image_lines(found: Diagnosis) -> list[str]:
    plan, facts, forecast = found.plan, found.examination.images, found.forecast
    fewest, most = min(plan.images.counts), max(plan.images.counts)
    counts = f"{fewest:,} each" if fewest == most else f"{fewest:,} to {most:,} each"
    classes = f"{len(plan.images.classes):,} classes" if len(plan.images.classes) != 1 else "1 class"
    read = "all read" if not facts.n_failed else f"{facts.n_failed:,} not readable"
    inputs = "×".join(map(str, plan.example.shape[1:]))
    top1 = found.examination.top1
    return [
        f"{plan.source.spec}: {forecast.n_images:,} images of {classes}, {counts}",
        f"a sample of {facts.n:,}: {_formats(facts.formats)}{_sizes(facts.sizes)}, {read}",
        *_preprocessing(inputs, json.loads(plan.spec.preprocessing)),
        f"{plan.matching.n_matched:,} of {classes} matched to outputs, {plan.matching.note}",
        "top-1 unknown"
        if top1 is None
        else f"top-1 {top1:.3f} of {found.examination.n_matched:,} images of the sample",
    ]


def _formats(formats: Mapping[str, int]) -> str:
    named = [f"{count:,} {suffix}" if len(formats) > 1 else suffix for suffix, count in formats.items() if suffix]
    return " ".join(named) or "no files"


def _sizes(sizes: tuple[tuple[int, int], tuple[int, int]] | None) -> str:
    if sizes is None:
        return ""
    smallest, largest = ("×".join(map(str, size)) for size in sizes)
    return f", {smallest} pixels" if smallest == largest else f", {smallest} to {largest} pixels"


def _preprocessing(inputs: str, description: Mapping[str, object]) -> list[str]:
    """As it is written down, in words; a transform of its own as it prints itself, below."""
    said = [_written(description.get("kind", ""))]
    said += [
        f"{key} {_written(value)}" for key, value in description.items() if key not in ("kind", "note", "transform")
    ]
    return [f"go in as {inputs}: {', '.join(said)}", *_transform(description.get("transform"))]


def _transform(text: object) -> list[str]:
    if not isinstance(text, str):
        return []
    try:
        options = json.loads(text)
    except ValueError:
        options = None
    if isinstance(options, dict):  # an image processor of transformers
        text = ", ".join(f"{key} {_written(value)}" for key, value in options.items() if value is not None)
        return textwrap.wrap(text, _WIDTH, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False)
    return [f"  {line}" for line in text.splitlines()]


def _written(value: object) -> str:
    if isinstance(value, dict):
        return " ".join(f"{key} {_written(one)}" for key, one in value.items())
    if isinstance(value, list):
        return " ".join(f"{one:.4g}" if isinstance(one, float) else str(one) for one in value)
    return str(value)


def _layer_lines(found: Diagnosis, *, all_layers: bool) -> list[str]:
    chosen = [layer.spec for layer in found.plan.layers.layers]
    shown = found.all_layers if all_layers else chosen
    paths = {spec.path for spec in chosen}
    rows = [[*_layer_row(spec, found.forecast.n_images).values()] for spec in shown]
    columns = list(_COLUMNS)
    if all_layers:
        columns.append("")
        rows = [[*row, "captured" if spec.path in paths else ""] for row, spec in zip(rows, shown, strict=True)]
    n_units = sum(spec.n_units for spec in chosen)
    lines = [
        f"{len(chosen):,} captured, {n_units:,} units, {found.plan.spec.reduction} of each map",
        *aligned(columns, rows),
    ]
    if not all_layers and len(found.all_layers) > len(chosen):
        lines.append(
            f"{len(found.all_layers) - len(chosen):,} more could be: --all-layers lists them, --layers chooses them"
        )
    if all_layers:
        lines += [f"{call.address} ({call.type}) cannot be: it {call.refusal}" for call in found.refused]
    return lines


def _layer_row(spec: LayerSpec, n_images: int) -> dict[str, Value]:
    return {
        "address": spec.path,
        "type": spec.type,
        "shape": "×".join(map(str, spec.shape)),
        "units": spec.n_units,
        "bytes": n_images * image_bytes([spec]),
    }


def _finding_lines(findings: Sequence[Finding]) -> list[str]:
    if not findings:
        return ["nothing looks wrong"]
    lines: list[str] = []
    for finding in findings:
        lines.append(f"{finding.level}: {finding.check}")
        lines += textwrap.wrap(
            finding.sentence(), _WIDTH, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False
        )
    return lines


def _forecast_lines(found: Diagnosis) -> list[str]:
    forecast = found.forecast
    device = "" if forecast.device_bytes is None else f", and {decimal(forecast.device_bytes)} of the GPU's"
    return [
        f"file    {decimal(forecast.file_bytes)}; at most {decimal(forecast.disk_bytes)} while it is written",
        f"memory  {decimal(forecast.peak_bytes)} at most{device}",
        f"time    {duration(forecast.seconds)}: {forecast.images_per_second:,.0f} images/s, "
        f"then {duration(forecast.measuring_seconds)} for the measures (tried on {forecast.n_tried:,} images)",
    ]
