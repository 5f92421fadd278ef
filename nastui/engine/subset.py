"""Which images of a set a run looks at, by a rule that others can repeat."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from nastui.engine.name_index import find_classes
from nastui.engine.sources.source import ImageSource
from nastui.errors import DataNotFound, UsageError
from nastui.records import ManifestImage


@dataclass(frozen=True, slots=True)
class Selection:
    """The images of a run, in the order of the image set.

    `classes`: names by the run's class id; the set's classes that have images and were asked for, in the set's order.
    `counts`: images by class id. `indices`: per image of the run its index in the set. `class_ids`: its class.
    """

    classes: tuple[str, ...]
    counts: tuple[int, ...]
    indices: tuple[int, ...]
    class_ids: tuple[int, ...]

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
    members: dict[int, list[int]] = {class_id: [] for class_id in sorted(wanted)}
    for index, label in enumerate(source.labels):
        if label in wanted:
            members[label].append(index)
    members = {class_id: indices for class_id, indices in members.items() if indices}
    if not members:
        raise DataNotFound(f"No class that was asked for has an image in {source.spec}.", hint="Choose other classes.")
    if per_class is not None:
        members = {c: _ranked(source, c, indices, seed)[:per_class] for c, indices in members.items()}
    run_ids = {class_id: run_id for run_id, class_id in enumerate(members)}
    chosen = sorted((index, run_ids[class_id]) for class_id, indices in members.items() for index in indices)
    names = tuple(source.classes[class_id] for class_id in members)
    counts = tuple(map(len, members.values()))
    return Selection(names, counts, tuple(i for i, _ in chosen), tuple(c for _, c in chosen))


def manifest(source: ImageSource, selection: Selection) -> list[ManifestImage]:
    """The run's images as the store wants them."""
    pairs = zip(selection.indices, selection.class_ids, strict=True)
    return [ManifestImage(class_id, source.key(index)) for index, class_id in pairs]


def manifest_sha256(source: ImageSource, selection: Selection) -> str:
    """The sha256 over the class names and, image by image, class, key and size of the file in bytes."""
    digest = hashlib.sha256()
    _add(digest, selection.classes)
    for index, class_id in zip(selection.indices, selection.class_ids, strict=True):
        _add(digest, (class_id, source.key(index), source.n_bytes(index)))
    return digest.hexdigest()


def _ranked(source: ImageSource, class_id: int, indices: list[int], seed: int) -> list[int]:
    def rank(index: int) -> bytes:
        text = f"{seed}\0{source.classes[class_id]}\0{source.key(index)}"
        return hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest()

    return sorted(indices, key=rank)


def _add(digest: hashlib._Hash, values: Iterable[object]) -> None:
    digest.update(("\0".join(map(str, values)) + "\n").encode("utf-8", "surrogateescape"))
