"""The model and the images of a run again, from what the run knows of them, and proof that they are the same.

A run keeps what was given for model, weights and images, and how these were prepared; a person may say anew what is
elsewhere by now, or what only their script had in hand.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import nn

from nastui.engine.computing import Computing, ComputingOptions
from nastui.engine.evaluation import evaluating, on_device
from nastui.engine.layers import CaptureLayer, select_layers
from nastui.engine.loader import first_decodable
from nastui.engine.models import FILE_KINDS, MODEL_KINDS, LoadedModel, Transform, adopt_model, load_model
from nastui.engine.plan import PixelOptions, example_inputs
from nastui.engine.preprocessing import Preprocessing, choose_preprocessing
from nastui.engine.reduction import parse_reduction
from nastui.engine.same_images import check_images
from nastui.engine.sources import ImageSource, folder_in, load_again, load_source
from nastui.engine.sources.source import SourceImage
from nastui.engine.subset import Selection, manifest_sha256
from nastui.engine.trace import Trace, run_forward, trace_calls
from nastui.engine.weights import state_sha256
from nastui.errors import DataNotFound, ModelNotFound, ScanError, UnsupportedOutput, UsageError, WeightsError
from nastui.records import LayerInfo, RunInfo, RunSpec
from nastui.store.reader import RunReader

_SAMPLE = 8  # images whose logits are compared with the scan's
_TOLERANCE = 0.01  # of the highest logit: devices and batches differ by less
_LOW_PRECISION_TOLERANCE = 0.05  # where the scan computed in bfloat16 or float16


@dataclass(frozen=True, slots=True)
class Anew:
    """What a person says anew of a run's model and images; None: as the run has it.

    `model`: a spec or a module in hand. `weights`: a file. `data`: a spec or a dataset. `transform`: where the scan was
    given one in Python.
    """

    model: str | nn.Module | None = None
    weights: Path | None = None
    data: Any = None
    pixels: PixelOptions = field(default_factory=PixelOptions)
    transform: Transform | None = None


@dataclass(frozen=True, slots=True)
class RebuiltModel:
    """The model of a run, and how it wants its images.

    `is_borrowed`: the model was in somebody's hand, and goes back to where it was.
    """

    model: LoadedModel
    preprocessing: Preprocessing
    spec: RunSpec
    is_borrowed: bool

    def computing(self, device: torch.device) -> Computing:
        """As the model was run in the scan, but not compiled: that pays for many images only. float32 where `device`
        does not compute in the scan's precision."""
        known = Computing.read(self.spec.computing)
        found = replace(known, device=str(device), compiled=False, effect=None)
        try:
            wanted = ComputingOptions(known.memory_format, known.precision)
            wanted.check(device, parse_reduction(self.spec.reduction))
        except UsageError:
            return replace(found, precision="float32")
        return found

    @contextmanager
    def ready(self, device: str) -> Iterator[torch.device]:
        """The device called so, with the model on it in evaluation mode inside the block; see `on_device`."""
        module = self.model.module
        with evaluating(module), on_device(device, module, is_borrowed=self.is_borrowed) as place:
            yield place

    def capture_layers(
        self, layers: Sequence[LayerInfo], image: SourceImage, device: torch.device
    ) -> tuple[CaptureLayer, ...]:
        """The run's layers in the model, which must be on `device`; `image`: one that it takes.

        Raises LayerNotFound or UnsupportedOutput where the model's code has changed so that one is not there any more.
        """
        example = example_inputs(self.preprocessing, image, self.spec.data).to(device)
        trace = trace_calls(self.model.module, example)
        return tuple(_capture_layer(trace, layer, self.spec) for layer in layers)


@dataclass(frozen=True, slots=True)
class Rebuilt(RebuiltModel):
    """What a run was made of: its model, and its images. `indices`: of these, by their ids, in `source`. `first`: one
    that decodes."""

    source: ImageSource
    indices: tuple[int, ...]
    first: SourceImage

    def capture_layer(self, layer: LayerInfo, device: torch.device) -> CaptureLayer:
        """The run's layer in the model; else as `capture_layers`."""
        return self.capture_layers([layer], self.first, device)[0]


def rebuild(run: RunReader, anew: Anew | None = None) -> Rebuilt:
    """Build the model of a run and open its images.

    Paths that are relative are looked up from the current folder, then from where the scan was started as far as that
    can be told, then from the run's own folder. Raises WeightsError, UsageError (the preprocessing) or DataNotFound
    where these are not those of the run, and what loading a model or image set raises.
    """
    anew, info = anew or Anew(), run.info()
    model = _load_model(info, anew)
    source, indices, first = _open_images(run, info, anew)
    return Rebuilt(model, _prepare(info, model, anew, first), info.spec, _is_borrowed(anew), source, indices, first)


@contextmanager
def answering(run: RunReader, anew: Anew | None, device: str) -> Iterator[tuple[Rebuilt, torch.device]]:
    """Rebuild the model and the images of a run, and inside the block have it on a device, answering as in the scan.

    Raises what `rebuild`, `on_device` and `check_answers` raise.
    """
    rebuilt = rebuild(run, anew)
    with rebuilt.ready(device) as place:
        check_answers(run, rebuilt, place)
        yield rebuilt, place


def rebuild_model(run: RunReader, anew: Anew | None = None) -> RebuiltModel:
    """Build the model of a run without its images, to show it others. Else as `rebuild`.

    Raises UsageError where only the image set knew how to make an image into what the model takes.
    """
    anew, info = anew or Anew(), run.info()
    model = _load_model(info, anew)
    preprocessing = _prepare(info, model, anew, _any_image(info))
    return RebuiltModel(model, preprocessing, info.spec, _is_borrowed(anew))


def with_images(rebuilt: RebuiltModel, run: RunReader, anew: Anew | None = None) -> Rebuilt:
    """The model with the run's images too. Raises what opening these does; see `rebuild`."""
    images = _open_images(run, run.info(), anew or Anew())
    return Rebuilt(rebuilt.model, rebuilt.preprocessing, rebuilt.spec, rebuilt.is_borrowed, *images)


def check_answers(run: RunReader, rebuilt: Rebuilt, device: torch.device) -> None:
    """Look whether the model, on `device`, gives some images the logits that it gave them in the scan.

    No sum is taken over a person's code; this is what it comes down to. Raises ScanError where it answers otherwise,
    UnsupportedOutput where it gives no logits.
    """
    answered = np.flatnonzero(run.image_table().prediction >= 0)
    some = answered[np.linspace(0, len(answered) - 1, min(_SAMPLE, len(answered))).astype(int)].tolist()
    is_exact = Computing.read(rebuilt.spec.computing).precision == "float32"
    tolerance = _TOLERANCE if is_exact else _LOW_PRECISION_TOLERANCE
    for image in run.images(some):
        picture = rebuilt.source.load(rebuilt.indices[image.id])
        with torch.inference_mode(), rebuilt.computing(device).casting(device):
            logits = run_forward(rebuilt.model.module, rebuilt.preprocessing(picture)[None].to(device))
        if logits.ndim != 2:
            raise UnsupportedOutput(
                f"The model returns shape {tuple(logits.shape[1:])} for an image, not logits.",
                hint="Nothing can be called right or wrong. Wrap it in a module whose forward returns the logits.",
            )
        then, now = image.top5[0][1], float(logits.max())
        if not abs(now - then) <= tolerance * float(logits.abs().max()):
            raise ScanError(
                f"The model answers otherwise than in the scan: {now:.5g} for {image.source}, where it was {then:.5g}.",
                hint="Its code or its transform has changed: use the code of that time, or scan again.",
            )


def _load_model(info: RunInfo, anew: Anew) -> LoadedModel:
    with _advice("--model and --weights say where they are by now."):
        model = _model(info.name, info.spec, anew, _places(info.path, info.spec))
    _check_weights(model, info.spec, info.name)
    return model if anew.transform is None else replace(model, transform=anew.transform)


def _is_borrowed(anew: Anew) -> bool:
    return isinstance(anew.model, nn.Module)


def _open_images(run: RunReader, info: RunInfo, anew: Anew) -> tuple[ImageSource, tuple[int, ...], SourceImage]:
    """The run's image set, where its images are in it, and one of them that decodes."""
    with _advice("--data says where the images are by now."):
        if anew.data is None:
            source = _load_again(info.name, info.spec, _places(info.path, info.spec))
        else:
            source = load_source(anew.data)
    indices = _find_images(run, source, info.spec)
    check_images(info.path, source, indices, hint="Name the image set that was scanned with --data, or scan again.")
    return source, indices, first_decodable(source, indices)


def _any_image(info: RunInfo) -> SourceImage:
    """An image with the channels of the run's."""
    description = json.loads(info.spec.preprocessing)
    if "channels" not in description:
        raise UsageError(
            f"The image set of {info.name} gave what the model takes: how an image becomes that is not known.",
            hint="Scan pictures, with a transform or --size, --mean and --std, to show the model other ones later.",
        )
    return SourceImage(Image.new("L" if description["channels"] == "grey" else "RGB", (1, 1)), None)


def _prepare(info: RunInfo, model: LoadedModel, anew: Anew, example: SourceImage) -> Preprocessing:
    """What happens to the images, of which `example` is one."""
    pixels = _merged(anew.pixels, _pixels(json.loads(info.spec.preprocessing), model))
    preprocessing = choose_preprocessing(
        model, example, size=pixels.size, mean=pixels.mean, std=pixels.std, grayscale=pixels.grayscale
    )
    _check_preprocessing(preprocessing, info.spec, info.name)
    return preprocessing


def _capture_layer(trace: Trace, layer: LayerInfo, spec: RunSpec) -> CaptureLayer:
    found = select_layers(trace, layer.path, parse_reduction(spec.reduction), layer.tokens or "all").layers
    if len(found) != 1 or found[0].spec.shape != layer.shape:
        raise UnsupportedOutput(
            f"{layer.path} gives {' and '.join(str(one.spec.shape) for one in found)} by now, not {layer.shape}.",
            hint="The model's code has changed since the scan: use the code of that time, or scan again.",
        )
    return found[0]


@contextmanager
def _advice(words: str) -> Iterator[None]:
    try:
        yield
    except ScanError as exc:
        raise type(exc)(exc.message, hint=f"{exc.hint} {words}") from exc


def _places(path: Path, spec: RunSpec) -> list[Path]:
    """The folders that a relative path may start from."""
    places = [Path.cwd()]
    folder = folder_in(spec.data)
    if spec.data_root is not None and folder and not Path(folder).is_absolute():
        root, below = Path(spec.data_root), Path(folder).parts
        start = root.parts[: len(root.parts) - len(below)]
        if start + below == root.parts:
            places.append(Path(*start))
    return [*places, path.absolute().parent]


def _found(path: str, places: list[Path]) -> Path:
    """Where the file is; the path as it is where it is nowhere, so that whoever opens it complains."""
    wanted = Path(path).expanduser()
    return next((place / wanted for place in places if (place / wanted).exists()), wanted)


def _model(name: str, spec: RunSpec, anew: Anew, places: list[Path]) -> LoadedModel:
    if isinstance(anew.model, nn.Module):
        return adopt_model(anew.model)
    text = anew.model or spec.model
    if ":" not in text:
        raise ModelNotFound(
            f"{name} was scanned in Python, with a {text} in hand: no file says how to build that.",
            hint="Name a factory: --model path/to/file.py:factory.",
        )
    place, _, factory = text.rpartition(":")
    kind, _, location = text.partition(":")
    if kind in FILE_KINDS:
        text = f"{kind}:{_found(location, places)}"
    elif place.endswith(".py"):
        text = f"{_found(place, places)}:{factory}"
    weights = anew.weights or (_found(spec.weights, places) if _is_file(spec) else None)
    return load_model(text, weights)


def _is_file(spec: RunSpec) -> bool:
    """Whether the run's weights are a file: not torchvision's own, which it names, nor what a factory put in."""
    kind = spec.model.partition(":")[0]
    is_name = kind in MODEL_KINDS and "@" in spec.model and spec.weights.isidentifier()
    return bool(spec.weights) and not is_name


def _load_again(name: str, spec: RunSpec, places: list[Path]) -> ImageSource:
    if ":" not in spec.data:
        raise DataNotFound(
            f"{name} was scanned in Python, with a {spec.data} in hand: no file says how to make that.",
            hint="Name a factory: --data path/to/file.py:factory.",
        )
    if spec.data_root is not None:
        folder = folder_in(spec.data)
        return load_again(spec.data, [Path(spec.data_root), *(place / folder for place in places if folder)])
    place, _, factory = spec.data.rpartition(":")
    return load_source(f"{_found(place, places)}:{factory}" if place.endswith(".py") else spec.data)


def _check_weights(model: LoadedModel, spec: RunSpec, name: str) -> None:
    """A file's sum is over the file, a module's over its tensors: one that was in hand then may be a file now."""
    if spec.weights_sha256 not in (model.weights_sha256, state_sha256(model.module)):
        raise WeightsError(
            f"The weights of {model.spec} ({model.weights or 'as it was built'}) are not those that {name} was made "
            f"with: sha256 {model.weights_sha256[:12]}…, not {spec.weights_sha256[:12]}….",
            hint=f"Name the right file with --weights ({spec.weights or 'none was given'} in the scan), or scan again.",
        )


def _find_images(run: RunReader, source: ImageSource, spec: RunSpec) -> tuple[int, ...]:
    """The run's images in `source`. Raises DataNotFound where they are not the same ones."""
    places = {source.key(index): index for index in range(len(source.labels))}
    images = run.images(range(len(run.image_table().class_id)))
    missing = [image.source for image in images if image.source not in places]
    if missing:
        raise DataNotFound(
            f"{len(missing):,} of the run's {len(images):,} images are not in {source.spec}, {missing[0]} among them.",
            hint="Name the image set that was scanned with --data, or scan again.",
        )
    indices, classes = tuple(places[image.source] for image in images), run.classes()
    names, counts = tuple(one.name for one in classes), tuple(one.n_images for one in classes)
    selection = Selection(names, counts, indices, tuple(image.class_id for image in images))
    if manifest_sha256(source, selection) != spec.manifest_sha256:
        raise DataNotFound(
            f"The images of {source.spec} are not those that were scanned: some files have another size by now.",
            hint="Name the image set that was scanned with --data, or scan again.",
        )
    return indices


def _pixels(description: dict[str, Any], model: LoadedModel) -> PixelOptions:
    """The options that lead to a preprocessing, from its description in the run."""
    kind = description["kind"]
    if kind == "torchvision ImageClassification":
        return PixelOptions(mean=description["mean"], std=description["std"])
    if kind != "plain":
        return PixelOptions()  # the model or the image set brings its own
    grayscale = description["channels"] == "grey" if model.input_channels not in (1, 3) else None
    if "note" in description:  # nobody asked for anything
        return PixelOptions(grayscale=grayscale)
    size = re.match(r"(\d+)×(\d+) ", description["size"])
    height_width = (int(size[1]), int(size[2])) if size else None
    return PixelOptions(height_width, description["mean"], description["std"], grayscale)


def _merged(anew: PixelOptions, known: PixelOptions) -> PixelOptions:
    return PixelOptions(
        known.size if anew.size is None else anew.size,
        known.mean if anew.mean is None else anew.mean,
        known.std if anew.std is None else anew.std,
        known.grayscale if anew.grayscale is None else anew.grayscale,
    )


def _check_preprocessing(preprocessing: Preprocessing, spec: RunSpec, name: str) -> None:
    if preprocessing.sha256 == spec.preprocessing_sha256:
        return
    then, now = json.loads(spec.preprocessing), json.loads(preprocessing.describe())
    different = [key for key in {**then, **now} if then.get(key) != now.get(key)]
    words = "; ".join(f"{key} was {then.get(key, 'not there')}, is {now.get(key, 'not there')}" for key in different)
    raise UsageError(
        f"The images would not be prepared as for {name}: {words}.",
        hint="Use the transform of that time, say --size, --mean, --std or --grayscale as in the scan, or scan again.",
    )
