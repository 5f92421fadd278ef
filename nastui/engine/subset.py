"""Which images of a set a run looks at, by a rule that others can repeat."""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from nastui.engine.name_index import find_classes
from nastui.engine.sources.source import ImageSource
from nastui.errors import DataNotFound, UsageError
from nastui.records import ManifestImage

_SIDES: tuple[Literal["left"], Literal["right"]] = ("left", "right")


@dataclass(frozen=True, slots=True)
class Selection:
    """The images of a run, in the order of the image set.

    `classes`: names by the run's class id; the set's classes that have images and were asked for, in the set's order.
    `counts`: images by class id. `indices`: per image of the run its index in the set. `class_ids`: its class. `asked`:
    how many of each class were asked for, None: all.
    """

    classes: tuple[str, ...]
    counts: tuple[int, ...]
    indices: tuple[int, ...]
    class_ids: tuple[int, ...]
    asked: int | None = None

    def n_images(self, class_id: int) -> int:
        return self.counts[class_id]


def select_images(
    source: ImageSource, *, per_class: int | None = None, classes: Sequence[str] | None = None, seed: int = 0
) -> Selection:
    """Choose all images, or `per_class` of each class, of all or the named `classes`.

    The rule: within a class, images are ranked by sha256 of "seed, class name, key" (joined by NUL, UTF-8), and the
    first `per_class` are taken. So a class's choice does not change when other classes or images come or go, except
    that an image that is new may take the place of another. Raises ClassNotFound, UsageError, DataNotFound.
    """
    if per_class is not None and per_class < 1:
        raise UsageError(f"--per-class is {per_class}.", hint="Give 1 or more, or leave it out to take all images.")
    wanted = set(range(len(source.classes)))
    if classes is not None:
        wanted = set(find_classes(classes, source.classes))
    members = {
        class_id: indices if per_class is None else _first(source, class_id, indices, seed, per_class)
        for class_id, indices in _members(source, sorted(wanted))
    }
    if not members:
        raise DataNotFound(f"No class that was asked for has an image in {source.spec}.", hint="Choose other classes.")
    counts = [len(indices) for indices in members.values()]
    indices, run_ids = np.concatenate(list(members.values())), np.repeat(np.arange(len(members)), counts)
    order = np.argsort(indices)
    names = tuple(source.classes[class_id] for class_id in members)
    return Selection(names, tuple(counts), tuple(indices[order].tolist()), tuple(run_ids[order].tolist()), per_class)


def manifest(source: ImageSource, selection: Selection) -> list[ManifestImage]:
    """The run's images as the store wants them."""
    pairs = zip(selection.indices, selection.class_ids, strict=True)
    return [ManifestImage(class_id, source.key(index)) for index, class_id in pairs]


def manifest_sha256(source: ImageSource, selection: Selection) -> str:
    """The sha256 over the class names and, image by image, class, key and stamp: the size of the file, as a rule."""
    digest = hashlib.sha256()
    _add(digest, selection.classes)
    for index, class_id in zip(selection.indices, selection.class_ids, strict=True):
        _add(digest, (class_id, source.key(index), source.stamp(index)))
    return digest.hexdigest()


def _members(source: ImageSource, class_ids: Sequence[int]) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """The images of each of these classes that has any, in the order of the set."""
    labels = np.asarray(source.labels)
    order = None  # most sets stand class by class, and may be too large to be put in order
    if (labels[1:] < labels[:-1]).any():
        order = np.argsort(labels, kind="stable")
        labels = labels[order]
    starts, ends = (np.searchsorted(labels, class_ids, side=side) for side in _SIDES)
    for class_id, start, end in zip(class_ids, starts.tolist(), ends.tolist(), strict=True):
        if start < end:
            yield class_id, np.arange(start, end) if order is None else order[start:end]


def _first(source: ImageSource, class_id: int, indices: NDArray[np.int64], seed: int, count: int) -> NDArray[np.int64]:
    """The `count` images of a class that rank first."""
    prefix = f"{seed}\0{source.classes[class_id]}\0"

    def rank(index: int) -> bytes:
        return hashlib.sha256((prefix + source.key(index)).encode("utf-8", "surrogateescape")).digest()

    return np.array(heapq.nsmallest(count, indices.tolist(), key=rank), np.int64)


def _add(digest: hashlib._Hash, values: Iterable[object]) -> None:
    digest.update(("\0".join(map(str, values)) + "\n").encode("utf-8", "surrogateescape"))
