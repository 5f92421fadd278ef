"""A map-style dataset of (image, label), from a factory or given in Python."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image
from torch import Tensor

from nastui.engine.factories import call_factory, described
from nastui.engine.name_index import as_names
from nastui.engine.pictures import as_picture, picture_of_array, picture_of_tensor
from nastui.engine.sources.source import SourceImage
from nastui.errors import DataNotFound

_FORM = "It needs len(), items of (image, label), and .classes with a name for each label."


class DatasetSource:
    """A person's dataset. Images may be PIL, NumPy or uint8 tensors; float tensors go to the model as they are.

    Its `__getitem__` is called by one thread at a time: few datasets are made for more.
    """

    def __init__(self, dataset: Any, spec: str, classes: Sequence[str] | None = None) -> None:
        """`classes`: names by label, where `dataset` has no `.classes`.

        Raises DataNotFound where there are no names, no length, or labels that have no name.
        """
        self.spec = spec
        self.root = None
        self._dataset = dataset
        self._lock = threading.Lock()
        self.classes = _classes(dataset, spec, classes)
        self.labels = _labels(dataset, spec, len(self.classes))

    def key(self, index: int) -> str:
        return f"[{index}]"

    def n_bytes(self, index: int) -> int | None:
        return None

    def load(self, index: int) -> SourceImage:
        with self._lock:
            image = self._dataset[index][0]
        if isinstance(image, Image.Image):
            return SourceImage(as_picture(image), None)
        if isinstance(image, Tensor):
            is_ready = image.is_floating_point()
            return SourceImage(picture_of_tensor(image), None, image.float() if is_ready else None)
        if isinstance(image, np.ndarray):
            return SourceImage(picture_of_array(image), None)
        raise TypeError(f"the dataset gives a {type(image).__name__}; nastui takes PIL images, arrays and tensors")


def open_source(spec: str) -> DatasetSource:
    """Call a factory for its dataset; `CLASSES` in its file will do for `.classes`. Raises DataNotFound."""
    module, dataset = call_factory(spec, DataNotFound)
    return DatasetSource(dataset, spec, getattr(module, "CLASSES", None))


def _classes(dataset: Any, spec: str, given: Sequence[str] | None) -> tuple[str, ...]:
    names, inner = getattr(dataset, "classes", None), dataset
    while names is None and hasattr(inner, "dataset"):  # torch.utils.data.Subset
        inner = inner.dataset
        names = getattr(inner, "classes", None)
    names = given if names is None else names
    if isinstance(names, str) or not isinstance(names, Sequence) or not names:
        raise DataNotFound(f"The dataset {spec} ({type(dataset).__name__}) has no class names.", hint=_FORM)
    return as_names(names)


def _labels(dataset: Any, spec: str, n_classes: int) -> list[int]:
    """The class id of every image, from the dataset's own list of them or else by reading all items."""
    try:
        known = _known_labels(dataset)
        if known is None or len(known) != len(dataset):
            known = [dataset[index][1] for index in range(len(dataset))]
        labels = [int(label) for label in known]
    except Exception as exc:  # a person's own code may raise anything
        raise DataNotFound(f"The labels of {spec} cannot be read: {described(exc)}", hint=_FORM) from exc
    wrong = next((label for label in labels if not 0 <= label < n_classes), None)
    if wrong is not None:
        raise DataNotFound(f"{spec} has the label {wrong}, but {n_classes} class names.", hint=_FORM)
    if not labels:
        raise DataNotFound(f"The dataset {spec} is empty.", hint=_FORM)
    return labels


def _known_labels(dataset: Any) -> Any:
    """`.targets` or `.labels`, through `Subset` too; None where there are none or `target_transform` changes them."""
    if getattr(dataset, "target_transform", None) is not None:
        return None
    if hasattr(dataset, "dataset") and hasattr(dataset, "indices"):
        inner = _known_labels(dataset.dataset)
        return None if inner is None else [inner[index] for index in dataset.indices]
    targets = getattr(dataset, "targets", None)
    return getattr(dataset, "labels", None) if targets is None else targets
