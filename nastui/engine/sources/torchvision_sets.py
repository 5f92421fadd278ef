"""`torchvision:NAME[:SPLIT[:FOLDER]]`: the image sets for classification that torchvision knows.

FOLDER is what a script gives them as `root`; without one, $NASTUI_DATA or the user's cache folder.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Sequence
from inspect import signature
from pathlib import Path
from typing import Any

import numpy as np
from platformdirs import user_cache_path

from nastui.engine.name_index import as_names
from nastui.engine.sources.factory import DatasetSource
from nastui.engine.sources.files import FileImages
from nastui.engine.sources.location import Parts
from nastui.engine.sources.names import natural
from nastui.errors import DataNotFound

_TRAIN_TEST = ("train", "test")
_TRAIN_VAL = ("train", "val")
_THREE = ("train", "val", "test")

# What each can be asked for; the last is taken where nothing is said.
SETS: dict[str, tuple[str, ...]] = {
    "CIFAR10": _TRAIN_TEST,
    "CIFAR100": _TRAIN_TEST,
    "Caltech101": (),
    "Caltech256": (),
    "Country211": ("train", "valid", "test"),
    "DTD": _THREE,
    "EMNIST-balanced": _TRAIN_TEST,
    "EMNIST-byclass": _TRAIN_TEST,
    "EMNIST-bymerge": _TRAIN_TEST,
    "EMNIST-digits": _TRAIN_TEST,
    "EMNIST-letters": _TRAIN_TEST,
    "EMNIST-mnist": _TRAIN_TEST,
    "EuroSAT": (),
    "FER2013": ("test", "train"),
    "FGVCAircraft": ("train", "val", "trainval", "test"),
    "FashionMNIST": _TRAIN_TEST,
    "Flowers102": _THREE,
    "Food101": _TRAIN_TEST,
    "GTSRB": _TRAIN_TEST,
    "ImageNet": _TRAIN_VAL,
    "Imagenette": _TRAIN_VAL,
    "KMNIST": _TRAIN_TEST,
    "MNIST": _TRAIN_TEST,
    "OxfordIIITPet": ("trainval", "test"),
    "QMNIST": _TRAIN_TEST,
    "RenderedSST2": _THREE,
    "STL10": _TRAIN_TEST,
    "SUN397": (),
    "SVHN": ("train", "extra", "test"),
    "StanfordCars": _TRAIN_TEST,
    "USPS": _TRAIN_TEST,
}

_DIGITS = tuple("0123456789")
# The names of the classes where torchvision has none. FER2013: Goodfellow et al., arXiv 1307.0414;
# GTSRB's signs go by number in its files, so here too. MNIST's are "0 - zero" in torchvision, and "0" everywhere else.
_NAMES: dict[str, tuple[str, ...]] = {
    "MNIST": _DIGITS,
    "SVHN": _DIGITS,
    "USPS": _DIGITS,
    "QMNIST": _DIGITS,
    "GTSRB": tuple(map(str, range(43))),
    "FER2013": ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"),
}


def parts(location: str) -> Parts:
    name, _, rest = location.partition(":")
    split, _, folder = rest.partition(":")
    return f"{name}:{split}:", folder, ""


def open_source(location: str, *, download: bool = False) -> FileImages | DatasetSource:
    """Open a set that is in the folder, or with `download` get it from where torchvision has it from.

    Raises DataNotFound where there is no such set or split, or it is not in the folder.
    """
    name, _, rest = location.partition(":")
    split, _, folder = rest.partition(":")
    known = {known.casefold(): known for known in SETS}
    name = known.get(name.casefold(), name)
    if name not in SETS:
        near = difflib.get_close_matches(name.casefold(), known, n=4, cutoff=0.5)
        said = f"Nearest: {', '.join(known[one] for one in near)}. " if near else ""
        raise DataNotFound(f"There is no set '{name}' for torchvision:.", hint=f"{said}There are {', '.join(SETS)}.")
    splits = SETS[name]
    if split and split not in splits:
        there = f"{name} has {', '.join(splits)}." if splits else f"Write torchvision:{name}."
        raise DataNotFound(f"{name} has no split '{split}'.", hint=there)
    root = Path(folder).expanduser() if folder else _usual_folder()
    split = split or (splits[-1] if splits else "")
    dataset = _make(name, split, root.resolve(), download=download)
    return _as_source(dataset, f"torchvision:{location}", f"{name} {split}".strip(), root.resolve())


def _usual_folder() -> Path:
    named = os.environ.get("NASTUI_DATA")
    return Path(named).expanduser() if named else user_cache_path("nastui") / "datasets"


def _make(name: str, split: str, root: Path, *, download: bool) -> Any:
    from torchvision import datasets

    class_name, _, part = name.partition("-")
    make = getattr(datasets, class_name)
    takes = _parameters(make)
    options: dict[str, Any] = {}
    if part:
        options["split"] = part
    if split:
        options |= {"split": split} if "split" in takes and not part else {"train": split == "train"}
    if "download" in takes:
        options["download"] = download
    elif download:
        raise DataNotFound(
            f"{name} cannot be downloaded by torchvision.", hint=f"Get it from its authors and put it into {root}."
        )
    advice = _advice(name, "download" in takes)
    if not download and not root.is_dir():  # some would make it, and be empty then
        raise DataNotFound(f"{name} is not in {root}: there is no such folder.", hint=advice)
    if name == "ImageNet" and not (root / split).is_dir():  # torchvision would unpack up to 138 GB unasked
        raise DataNotFound(
            f"ImageNet is not in {root}: there is no folder {split}.",
            hint=f"{advice} To unpack its archives run torchvision.datasets.ImageNet('{root}', '{split}') once.",
        )
    try:
        if download:
            root.mkdir(parents=True, exist_ok=True)
        return make(root=str(root), **options)
    except Exception as exc:  # each set has its own way to say that files are missing, damaged or out of reach
        what = " ".join(str(exc).split()) or type(exc).__name__
        verb = "could not be downloaded to" if download else "is not in"
        raise DataNotFound(f"{name} {verb} {root}: {what}", hint=advice) from exc


def _parameters(make: type) -> set[str]:
    """What a set can be given, also through `**kwargs` to the classes that it is made from."""
    return {name for one in make.__mro__ if "__init__" in vars(one) for name in signature(one).parameters}


def _advice(name: str, can_download: bool) -> str:
    form = f"torchvision:{name}:{SETS[name][-1] if SETS[name] else ''}:FOLDER"
    where = f"ay where it is: {form}, or NASTUI_DATA=FOLDER before the command."
    return f"Add --download to get it, or s{where}" if can_download else f"S{where}"


def _as_source(dataset: Any, spec: str, version: str, root: Path) -> FileImages | DatasetSource:
    name = version.split(" ")[0]
    dataset.classes = _NAMES.get(name) or getattr(dataset, "classes", None) or getattr(dataset, "categories", ())
    try:
        labels = _labels(dataset)
    except (TypeError, ValueError) as exc:  # FER2013 gives None for the labels of its test images
        raise DataNotFound(f"{version} has images without labels.", hint="Take another split.") from exc
    paths = _paths(dataset, root)
    if paths is None or labels is None:
        return DatasetSource(dataset, spec, labels=labels, root=root, version=version)
    chosen = sorted(range(len(paths)), key=lambda index: (labels[index], natural(paths[index])))
    return FileImages(spec, root, as_names(dataset.classes), [labels[i] for i in chosen], [paths[i] for i in chosen])


def _labels(dataset: Any) -> list[int] | None:
    """From the set's own list, without an image being read."""
    for name in ("targets", "labels", "_labels", "y"):
        found = getattr(dataset, name, None)
        if found is not None and len(found) == len(dataset):
            return [int(label[0] if np.ndim(label) else label) for label in found]  # QMNIST: who wrote it, too
    samples = getattr(dataset, "_samples", None)
    return None if samples is None else [int(sample[1]) for sample in samples]


def _paths(dataset: Any, root: Path) -> list[str] | None:
    """The images' files from `root` on; None where they are not files of their own."""
    for name in ("samples", "_samples", "_image_files", "_images"):
        found: Sequence[Any] = getattr(dataset, name, None) or ()
        first = [sample[0] if isinstance(sample, tuple) else sample for sample in found]
        if first and all(isinstance(path, str | Path) for path in first):
            paths = [Path(path) for path in first]
            return [path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path) for path in paths]
    return None
