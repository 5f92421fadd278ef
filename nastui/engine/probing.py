"""Images shown to a run's model after the scan, to try something out: they are kept as probes (docs/probes.md)."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from nastui.engine.batches import highest
from nastui.engine.capture import ActivationCapture
from nastui.engine.computing import Computing
from nastui.engine.pictures import SUFFIXES, open_picture
from nastui.engine.plan import library_versions
from nastui.engine.rebuild import Anew, RebuiltModel, check_answers, rebuild_model, with_images
from nastui.engine.reduction import parse_reduction
from nastui.engine.sources.source import SourceImage
from nastui.engine.thumbnails import make_thumbnail
from nastui.errors import DataNotFound, ModelNotFound, NastuiError, ScanInterrupted
from nastui.probe_records import NewProbe, ProbeInfo
from nastui.records import NEURON
from nastui.store.probes import write_probe
from nastui.store.reader import RunReader

_NAMED = 5
_ID_DIGITS = 15  # of a sum in hexadecimal: what an int64 holds


@dataclass(frozen=True, slots=True)
class Probing:
    """How images are shown to the model. `note`: kept with each; None leaves the notes that are there.

    `command`: how it was asked for, kept in the run. `on_progress` is told how many of how many images are done,
    `on_remark` what a person should know. `should_stop` is asked after every image.
    """

    note: str | None = None
    device: str = "auto"
    command: str = "nastui.engine.probing in Python"
    on_progress: Callable[[int, int], None] = lambda done, total: None
    on_remark: Callable[[str], None] = lambda remark: None
    should_stop: Callable[[], bool] = lambda: False


@dataclass(frozen=True, slots=True)
class Probed:
    """What came of it: the ids of the probes, and of the others why they are none."""

    ids: tuple[int, ...]
    failures: tuple[str, ...]


def find_images(paths: Sequence[Path]) -> list[Path]:
    """The files, and the images in the folders and below them; each once, in order. What is not there stays among them,
    to be named with what cannot be read. Raises DataNotFound where nothing is there at all."""
    found: list[Path] = []
    for path in paths:
        place = _plain(path.expanduser().absolute())
        is_folder = place.is_dir()
        found += sorted(filter(_is_image, place.rglob("*"))) if is_folder else [place]
    if not any(image.exists() for image in found):
        where = ", ".join(map(str, paths[:_NAMED]))
        raise DataNotFound(f"There is no image at {where}.", hint="Name image files, or a folder that has some.")
    return list(dict.fromkeys(found))


def _plain(path: Path) -> Path:
    """The path without `x/..`, unless that leads elsewhere because x is a link."""
    plain = Path(os.path.normpath(path))
    return plain if not path.exists() or (plain.exists() and plain.samefile(path)) else path


def _is_image(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".") and path.is_file()


def probe_images(
    path: Path, images: Sequence[Path], probing: Probing | None = None, anew: Anew | None = None
) -> Probed:
    """Show images to the model of a run, finished or not, and keep in the run what all its layers give them.

    `images`: files, see `find_images`. The same file (by its sum) takes its own place again; of several that are equal
    the first is shown, with a remark on each of the others. The run's image set is
    needed only to check that the model still answers as it did; without it that is left out, with a remark.
    Raises what `rebuild` raises, UnsupportedOutput where a layer is not there any more, and ScanInterrupted.
    """
    probing = probing or Probing()
    with RunReader(path) as run:
        rebuilt = rebuild_model(run, anew)
        with rebuilt.ready(probing.device) as device:
            _check_answers(run, rebuilt, anew, device, probing)
            _say_precision(rebuilt, device, probing)
            return _probe_all(run, rebuilt, images, device, probing)


def _check_answers(
    run: RunReader, rebuilt: RebuiltModel, anew: Anew | None, device: torch.device, probing: Probing
) -> None:
    """Look whether the model's code is still the same, as far as the images of the run are at hand."""
    try:
        whole = with_images(rebuilt, run, anew)
    except (DataNotFound, ModelNotFound) as error:  # ModelNotFound: the factory of an image set
        if anew is not None and anew.data is not None:
            raise
        probing.on_remark(f"not checked whether the model still answers as in the scan: {error.message}")
        return
    check_answers(run, whole, device)


def _say_precision(rebuilt: RebuiltModel, device: torch.device, probing: Probing) -> None:
    then, now = Computing.read(rebuilt.spec.computing).precision, rebuilt.computing(device).precision
    if now != then:
        probing.on_remark(f"the scan computed in {then}, which {device.type} does not: the probes are in {now}")


def _probe_all(
    run: RunReader, rebuilt: RebuiltModel, images: Sequence[Path], device: torch.device, probing: Probing
) -> Probed:
    ids: list[int] = []
    failures: list[str] = []
    answers: _Answers | None = None
    equals = _Equals({probe.sha256: probe for probe in run.probes()}, probing.on_remark)
    with ExitStack() as stack:
        for n_done, image in enumerate(images):
            probing.on_progress(n_done, len(images))
            if probing.should_stop():
                raise ScanInterrupted(
                    f"Stopped after {n_done:,} of {len(images):,} images; the run keeps these.",
                    hint="The same command shows the others too.",
                )
            try:
                shown = _load(rebuilt, image)
            except NastuiError as error:
                failures.append(f"{image}: {error.message}")
                continue
            except Exception as exc:  # broken files and a person's own transform may raise anything
                failures.append(f"{image}: {_reason(exc)}")
                continue
            if not equals.is_new(shown):
                continue
            if answers is None:
                answers = _Answers(run, rebuilt, shown.image, device)
                stack.enter_context(answers.capture)
            probe = answers.to(shown, probing.note)
            ids.append(write_probe(run.info().path, probe, probing.command, library_versions()))
    probing.on_progress(len(images), len(images))
    return Probed(tuple(ids), tuple(failures))


def _reason(exc: Exception) -> str:
    """Why an image cannot be shown, in a line."""
    if isinstance(exc, OSError) and exc.strerror:
        return exc.strerror
    return " ".join(str(exc).split()) or type(exc).__name__


@dataclass(frozen=True, slots=True)
class _Shown:
    """An image file as the model takes it: `inputs` (C, H, W)."""

    path: Path
    sha256: str
    image: SourceImage
    inputs: Tensor


def _load(rebuilt: RebuiltModel, path: Path) -> _Shown:
    data = path.read_bytes()
    sha256 = hashlib.sha256(data).hexdigest()
    image = SourceImage(open_picture(data), sha256)
    inputs = rebuilt.preprocessing(image)
    spec = rebuilt.spec
    wanted, found = (spec.input_height, spec.input_width), (*inputs.shape[1:],)
    if None not in wanted and found != wanted:
        raise DataNotFound(
            f"it comes out at {found[-1]}×{found[0]} pixels (width × height), and the model was scanned with"
            f" {wanted[1]}×{wanted[0]}",
            hint="Give it that size.",
        )
    return _Shown(path, sha256, image, inputs)


class _Equals:
    """Tells files of the same contents: these are one probe, and whoever named several hears which one stays."""

    def __init__(self, known: Mapping[str, ProbeInfo], say: Callable[[str], None]) -> None:
        self._known = known
        self._say = say
        self._shown: dict[str, Path] = {}

    def is_new(self, shown: _Shown) -> bool:
        """Whether no file with these contents was shown before it in this call."""
        first = self._shown.setdefault(shown.sha256, shown.path)
        if first != shown.path:
            self._say(f"{shown.path} has the same contents as {first}: one probe, called {first.name}")
            return False
        probe = self._known.get(shown.sha256)
        if probe is not None and probe.source != str(shown.path):
            self._say(f"{shown.path} has the same contents as probe {probe.id}, {probe.source}, and takes its place")
        return True


class _Answers:
    """What a run's layers give images, one image at a time: so none depends on its company. `capture` is to be open."""

    def __init__(self, run: RunReader, rebuilt: RebuiltModel, first: SourceImage, device: torch.device) -> None:
        self._run = run
        self._device = device
        spec, neurons = rebuilt.spec, [layer for layer in run.layers() if layer.basis == NEURON]
        layers, reduction = rebuilt.capture_layers(neurons, first, device), parse_reduction(spec.reduction)
        module = rebuilt.model.module
        self.capture = ActivationCapture(module, layers, reduction, spec.seed, rebuilt.computing(device))

    def to(self, shown: _Shown, note: str | None) -> NewProbe:
        """What they give this one."""
        captured = self.capture.run(shown.inputs[None].to(self._device), np.array([self._image_id(shown)]))
        top5 = highest(captured.output)[0] if captured.output.ndim == 2 else ()
        return NewProbe(
            source=str(shown.path),
            sha256=shown.sha256,
            width=shown.image.width,
            height=shown.image.height,
            top5=top5,
            thumbnail=make_thumbnail(shown.image.picture),
            note=note,
            values={path: values[0] for path, values in captured.values.items()},
            positions={path: kept[0] for path, kept in captured.positions.items()},
        )

    def _image_id(self, shown: _Shown) -> int:
        """What decides which position `sample` takes: the id of the run's image that is this file, else the file's
        sum."""
        known = self._run.image_with_sha256(shown.sha256)
        return int(shown.sha256[:_ID_DIGITS], 16) if known is None else known


def failure_words(failures: Sequence[str]) -> Iterator[str]:
    """The first reasons, and how many more there are."""
    yield from failures[:_NAMED]
    if len(failures) > _NAMED:
        yield f"and {len(failures) - _NAMED:,} more"
