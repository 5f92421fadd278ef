"""Everything that is decided before the first image is looked at, and the hash that says which scan this is."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from nastui import __version__
from nastui.engine.class_map import read_class_map
from nastui.engine.class_names import ClassMap, ClassMatch, match_classes
from nastui.engine.computing import Computing, effect_words
from nastui.engine.inspection.finding import Finding, named
from nastui.engine.inspection.pictures import unscaled_mean_std
from nastui.engine.layers import Selection as LayerSelection
from nastui.engine.layers import select_layers
from nastui.engine.loader import first_decodable
from nastui.engine.models import LoadedModel
from nastui.engine.output_names import name_outputs
from nastui.engine.preprocessing import Preprocessing, Size, choose_preprocessing
from nastui.engine.receptive_field import receptive_fields
from nastui.engine.reduction import Reduction
from nastui.engine.sources import ImageSource
from nastui.engine.sources.names import NAMES_FILE, may_have_names
from nastui.engine.sources.source import SourceImage
from nastui.engine.subset import Selection, manifest, manifest_sha256
from nastui.engine.trace import trace_calls
from nastui.errors import ScanError
from nastui.records import ClassInfo, LayerSpec, ManifestImage, RunSpec, Tokens, ValueType

_LIBRARIES = ("torch", "torchvision", "numpy", "pillow")


@dataclass(frozen=True, slots=True)
class PixelOptions:
    """What a person asks of the images' preparation; None leaves it to the model and the images."""

    size: Size | None = None
    mean: Sequence[float] | None = None
    std: Sequence[float] | None = None
    grayscale: bool | None = None


@dataclass(frozen=True, slots=True)
class ScanOptions:
    """What a person asks of a scan beside the model and the images. `command`: how they asked, kept in the run."""

    layers: str | Sequence[str]
    reduction: Reduction
    seed: int
    ranges: int
    pixels: PixelOptions
    class_map: Path | ClassMap | None
    command: str
    value_type: ValueType = "float32"
    tokens: Tokens = "all"


@dataclass(frozen=True, slots=True)
class ScanPlan:
    """A scan ready to start: what to run on which images, what to capture, and what to write down about it.

    `example`: two inputs for the model, on its device. `first_image`: of a part of a scan, the id that its first image
    has in the whole, and `whole` all images of that. `computing`: how the model is run, plainly where nobody chose; see
    `choose_computing`.
    """

    model: LoadedModel
    source: ImageSource
    images: Selection
    preprocessing: Preprocessing
    example: Tensor
    layers: LayerSelection
    matching: ClassMatch
    classes: tuple[ClassInfo, ...]
    outputs: tuple[str, ...]
    spec: RunSpec
    findings: tuple[Finding, ...]
    first_image: int = 0
    whole: Selection | None = None
    computing: Computing = field(default_factory=Computing)

    @property
    def warnings(self) -> tuple[str, ...]:
        effect = effect_words(self.computing)
        return (*(finding.sentence() for finding in self.findings), *(() if effect is None else (effect,)))

    @property
    def output_names(self) -> tuple[str, ...] | None:
        """What the model itself calls its outputs; None where they have numbers alone."""
        names = self.model.classes
        return names if names is not None and len(names) == len(self.outputs) else None

    def with_computing(self, computing: Computing) -> ScanPlan:
        """The same plan, the model run in this way."""
        return replace(self, computing=computing, spec=replace(self.spec, computing=computing.describe()))

    def part(self, images: range, spec: RunSpec) -> ScanPlan:
        """The plan for some consecutive images alone."""
        some = slice(images.start, images.stop)
        chosen = replace(self.images, indices=self.images.indices[some], class_ids=self.images.class_ids[some])
        return replace(self, images=chosen, spec=spec, first_image=images.start, whole=self.images)

    def manifest(self) -> list[ManifestImage]:
        return manifest(self.source, self.images)

    def measured_layers(self) -> list[LayerSpec]:
        """The layers with their receptive fields, for which some images go through the model."""
        layers = self.layers.layers
        fields = receptive_fields(self.model.module, layers, self.example)
        return [replace(layer.spec, field=fields[layer.spec.path]) for layer in layers]


def plan_scan(
    model: LoadedModel, source: ImageSource, images: Selection, options: ScanOptions, device: torch.device
) -> ScanPlan:
    """Look at one image, run it through the model, and decide. The model must be on `device`.

    Raises what is wrong with model, images, layers or classes before any time is spent.
    """
    first = first_decodable(source, images.indices)
    pixels = options.pixels
    preprocessing = choose_preprocessing(
        model, first, size=pixels.size, mean=pixels.mean, std=pixels.std, grayscale=pixels.grayscale
    )
    example = example_inputs(preprocessing, first, source.spec).to(device)
    trace = trace_calls(model.module, example)
    layers = select_layers(trace, options.layers, options.reduction, options.tokens).stored_as(options.value_type)
    n_outputs = trace.output.shape[1] if trace.output.ndim == 2 else 0
    class_map = read_class_map(options.class_map) if isinstance(options.class_map, Path) else options.class_map
    match = match_classes(images.classes, model.classes, n_outputs, class_map)
    classes = tuple(
        ClassInfo(class_id, name, match.outputs[class_id], images.counts[class_id])
        for class_id, name in enumerate(images.classes)
    )
    of_set = (Finding("image-set", note) for note in source.notes)
    notes = (Finding("layer-choice", note) for note in layers.notes)
    of_model = (*_model_findings(model, trace.output), *unscaled_mean_std(preprocessing))
    findings = (*of_set, *of_model, *notes, *_class_findings(match, model.classes, source.spec))
    outputs = name_outputs(model.classes, n_outputs, match, class_map)
    spec = _run_spec(model, source, images, preprocessing, layers, classes, outputs, options)
    if example.ndim == 4:
        spec = replace(spec, input_height=example.shape[2], input_width=example.shape[3])
    return ScanPlan(model, source, images, preprocessing, example, layers, match, classes, outputs, spec, findings)


def example_inputs(preprocessing: Preprocessing, image: SourceImage, name: str) -> Tensor:
    """A batch of two, so that a dimension that follows the batch shows."""
    try:
        tensor = preprocessing(image)
    except ScanError:
        raise
    except Exception as exc:  # a person's own transform may raise anything
        raise ScanError(
            f"The model's transform fails on an image of {name}: {type(exc).__name__}: {exc}",
            hint="Check that it takes one PIL image and gives one tensor.",
        ) from exc
    return torch.stack([tensor, tensor])


def _model_findings(model: LoadedModel, output: Tensor) -> list[Finding]:
    found = []
    if model.is_random:
        advice = f"give a weights file, or write {model.published} for published ones."
        found.append(Finding("random-weights", f"{model.spec} has random weights:", advice))
    if output.ndim != 2:
        shape = tuple(output.shape[1:])
        text = f"The model returns shape {shape} for an image, not logits: no predictions are kept."
        found.append(Finding("no-logits", text))
    elif model.classes is not None and len(model.classes) != output.shape[1]:
        text = (
            f"The model has {output.shape[1]:,} outputs but {len(model.classes):,} names for them, "
            "which are left out: they would be on the wrong ones."
        )
        found.append(Finding("output-names", text))
    return found


def _class_findings(match: ClassMatch, names: Sequence[str] | None, images: str) -> list[Finding]:
    if not match.unmatched:
        return []
    check = "classes-without-output"
    if not match.n_matched:
        both = "" if names is None else f"; classes: {_quoted(match.classes)}; outputs: {_quoted(names)}"
        text = f"No class could be matched to an output ({match.note}{both}), so no accuracy is claimed;"
        are_numbers = all(name.lstrip("-").isdecimal() for name in match.classes)
        beside = f", or {NAMES_FILE} beside the images: a class a line, from 0 on" if are_numbers else ""
        return [Finding(check, text, f"--class-map can say it{beside if may_have_names(images) else ''}.")]
    some = named([str(one) for one in match.unmatched], separator="; ")
    of = f"{len(match.unmatched):,} of {len(match.outputs):,} classes have no output"
    return [Finding(check, f"{of}, and accuracy leaves them out: {some}.")]


def _quoted(names: Sequence[str]) -> str:
    return named([f"'{name}'" for name in names])


def _run_spec(
    model: LoadedModel,
    source: ImageSource,
    images: Selection,
    preprocessing: Preprocessing,
    layers: LayerSelection,
    classes: Sequence[ClassInfo],
    outputs: Sequence[str],
    options: ScanOptions,
) -> RunSpec:
    images_sha256 = manifest_sha256(source, images)
    # A dataset's pictures have nothing known of them: where they come from must tell them apart.
    is_known = source.root is not None or source.stamp(images.indices[0]) is not None
    identity = {
        "weights": model.weights_sha256,
        "preprocessing": preprocessing.sha256,
        "images": images_sha256,
        "image_set": "" if is_known else source.spec,
        "layers": [_identity_of(layer.spec) for layer in layers.layers],
        "classes": [(one.name, one.output) for one in classes],
        "outputs": list(outputs),
        "reduction": options.reduction,
        "seed": options.seed,
        "ranges": options.ranges,
    }
    return RunSpec(
        command=options.command,
        versions=library_versions(),
        model=model.spec,
        weights=model.weights,
        data=source.spec,
        data_root=None if source.root is None else str(source.root),
        weights_sha256=model.weights_sha256,
        preprocessing=preprocessing.describe(),
        preprocessing_sha256=preprocessing.sha256,
        manifest_sha256=images_sha256,
        reduction=options.reduction,
        seed=options.seed,
        scan_sha256=_sha256(identity),
        layers_sha256=_sha256({key: identity[key] for key in ("layers", "reduction", "seed")}),
        ranges=options.ranges,
    )


def _identity_of(layer: LayerSpec) -> tuple[Any, ...]:
    """What came later counts only where it is not as before, so that scans of older files stay the same scans."""
    later: dict[str, str] = {"value_type": layer.value_type} if layer.value_type != "float32" else {}
    later |= {"tokens": layer.tokens} if layer.tokens not in (None, "all") else {}
    return (layer.path, layer.type, layer.shape, *([later] if later else ()))


def _sha256(identity: Mapping[str, Any]) -> str:
    text = json.dumps(identity, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def library_versions() -> dict[str, str]:
    """Of nastui, Python, and what computes the values."""
    libraries = {name: version(name) for name in _LIBRARIES}
    return {"nastui": __version__, "python": platform.python_version(), **libraries}
