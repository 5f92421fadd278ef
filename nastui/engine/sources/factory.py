"""A dataset of (image, label), from a factory or given in Python."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from torch.utils.data import DataLoader, IterableDataset

from nastui.engine.factories import call_factory, described
from nastui.engine.sources.hf import HuggingFaceImages, with_usual_names
from nastui.engine.sources.items import check_labels, class_names, label_of, source_image
from nastui.engine.sources.location import Parts, no_folder
from nastui.engine.sources.source import ImageSource, SourceImage
from nastui.engine.sources.stream import StreamSource
from nastui.errors import DataNotFound

_FORM = "It needs len(), items of (image, label), and .classes with a name for each label."


class DatasetSource:
    """A person's map-style dataset.

    Its `__getitem__` is called by one thread at a time: few datasets are made for more.
    """

    def __init__(
        self,
        dataset: Any,
        spec: str,
        classes: Sequence[str] | None = None,
        *,
        labels: Sequence[int] | None = None,
        root: Path | None = None,
        version: str | None = None,
        notes: tuple[str, ...] = (),
    ) -> None:
        """`classes`: names by label, where `dataset` has no `.classes`. `labels`: where they are known already.
        `version`: what tells the set from others with as many images; None where nothing does.

        Raises DataNotFound where there are no names, no length, or labels that have no name.
        """
        self.spec, self.root, self.notes = spec, root, notes
        self._dataset = dataset
        self._version = version
        self._lock = threading.Lock()
        self.classes = class_names(dataset, spec, classes)
        self.labels = _labels(dataset, spec, self.classes) if labels is None else labels
        if not self.labels:
            raise DataNotFound(f"The dataset {spec} is empty.", hint=_FORM)

    def key(self, index: int) -> str:
        return f"[{index}]"

    def stamp(self, index: int) -> str | None:
        return self._version

    def load(self, index: int) -> SourceImage:
        with self._lock:
            item = self._dataset[index]
        return source_image(item)


def parts(location: str) -> Parts:
    return no_folder(location)


def open_source(spec: str) -> ImageSource:
    """Call a factory for its dataset; `CLASSES` in its file will do for `.classes`. Raises DataNotFound."""
    module, dataset = call_factory(spec, DataNotFound)
    return take_dataset(dataset, spec, getattr(module, "CLASSES", None), lambda: call_factory(spec, DataNotFound)[1])


def take_dataset(
    dataset: Any, spec: str, classes: Sequence[str] | None = None, again: Callable[[], Any] | None = None
) -> ImageSource:
    """A source for what a person has: a map-style or iterable dataset, one of Hugging Face's, or a DataLoader.

    `again` makes the dataset anew, where it can be gone through once only. Raises DataNotFound.
    """
    notes: tuple[str, ...] = ()
    if isinstance(dataset, DataLoader):
        dataset = dataset.dataset
        notes = (
            f"{spec} is a DataLoader: its dataset is taken, image by image and in order; its batches, its order and its"
            " collate_fn are left out.",
        )
    if _is_of_hugging_face(dataset, "datasets.arrow_dataset", "Dataset"):
        return HuggingFaceImages(dataset, spec, None, notes=notes)
    if _is_of_hugging_face(dataset, "datasets.iterable_dataset", "IterableDataset"):
        dataset, names = with_usual_names(dataset, spec)
        return StreamSource(dataset, spec, names, again, notes)
    is_stream = isinstance(dataset, IterableDataset) or not hasattr(dataset, "__getitem__")
    if is_stream and isinstance(dataset, Iterable):
        return StreamSource(dataset, spec, classes, again, notes)
    return DatasetSource(dataset, spec, classes, notes=notes)


def _is_of_hugging_face(dataset: Any, module: str, name: str) -> bool:
    """Whether it is of this class, told without importing `datasets`."""
    return any((one.__module__, one.__name__) == (module, name) for one in type(dataset).__mro__)


def _labels(dataset: Any, spec: str, classes: Sequence[str]) -> list[int]:
    """The class id of every image, from the dataset's own list of them or else by reading all items."""
    try:
        known = _known_labels(dataset)
        if known is None or len(known) != len(dataset):
            known = [label_of(dataset[index]) for index in range(len(dataset))]
        numbers = {name: number for number, name in enumerate(classes)}
        labels = [numbers[label] if isinstance(label, str) else int(label) for label in known]
    except Exception as exc:  # a person's own code may raise anything
        raise DataNotFound(f"The labels of {spec} cannot be read: {described(exc)}", hint=_FORM) from exc
    check_labels(labels, classes, spec)
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
