"""A dataset that can only be gone through from the front: torch's IterableDataset, a generator, a stream.

One pass at the beginning counts the images, reads their labels and takes a sum over each picture; the scan then goes
through it once more. An image that is not the same as in the first pass ends the scan: its label, its place in the
manifest and its values would belong to different pictures.
"""

from __future__ import annotations

import hashlib
import threading
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from nastui.engine.factories import described
from nastui.engine.sources.items import FORM, check_labels, class_names, image_of, label_of, source_image
from nastui.engine.sources.names import natural
from nastui.engine.sources.source import SourceImage
from nastui.errors import DataNotFound

_SUM = 16  # bytes kept of each picture's sha256
_SAME = "Turn off shuffling and random changes, or fix their seed in __iter__: every pass must give the same images."


class StreamSource:
    """Images in the order in which they come.

    `load` goes forward from where it is; an image that is behind starts a new pass. What is passed on the way is kept
    where `expect` has named it: threads ask for images in about their order, so these are few.
    """

    def __init__(
        self,
        dataset: Iterable[Any],
        spec: str,
        classes: Sequence[str] | None = None,
        again: Callable[[], Iterable[Any]] | None = None,
        notes: tuple[str, ...] = (),
    ) -> None:
        """Goes through the whole dataset. `again` makes it anew for a second pass. Raises DataNotFound."""
        if iter(dataset) is dataset and again is None:
            raise DataNotFound(
                f"The {type(dataset).__name__} can be gone through once only, and a scan needs more.",
                hint="Give an object whose __iter__ begins anew each time, or name a factory: file.py:function.",
            )
        self.spec, self.root, self.notes = spec, None, notes
        self._again = again or (lambda: dataset)
        self._lock = threading.Lock()
        self._sums = bytearray()
        labels = self._first_pass(dataset)
        self.classes, self.labels = _numbered(dataset, labels, spec, classes)
        self._pass: Iterator[Any] = iter(())
        self._next = len(self.labels)  # the image that the pass would give next: a new one has to begin
        self._expected = [bytearray(len(self.labels))]  # 1 where an image will be asked for; the last one counts
        self._kept: dict[int, Any] = {}

    def key(self, index: int) -> str:
        return f"[{index}]"

    def stamp(self, index: int) -> str | None:
        """The sum over the picture."""
        return self._sum(index).hex()

    def expect(self, indices: Sequence[int]) -> Callable[[], None]:
        """Say which images will be loaded from now on, each once: what is passed on the way to another is kept for it.

        Call what comes back when that is over; then counts again what was expected before.
        """
        expected = bytearray(len(self.labels))
        for index in indices:
            expected[index] = 1
        with self._lock:
            self._expected.append(expected)
            self._kept.clear()
        return lambda: self._forget(expected)

    def _forget(self, expected: bytearray) -> None:
        with self._lock:
            self._expected = [one for one in self._expected if one is not expected]
            self._kept.clear()

    def load(self, index: int) -> SourceImage:
        with self._lock:
            item = self._kept.pop(index) if index in self._kept else self._advance(index)
            self._expected[-1][index] = 0
        digest = picture_sha256(item)
        if digest[:_SUM] != self._sum(index):
            raise DataNotFound(f"{self.spec} gives another image {index:,} than in the first pass.", hint=_SAME)
        return source_image(item, digest.hex())

    def _sum(self, index: int) -> bytes:
        return bytes(self._sums[index * _SUM : (index + 1) * _SUM])

    def _first_pass(self, dataset: Iterable[Any]) -> list[Any]:
        labels = []
        try:
            for item in dataset:
                labels.append(_plain(label_of(item)))
                self._sums += picture_sha256(item)[:_SUM]
        except Exception as exc:  # a person's own code may raise anything
            raise DataNotFound(f"{self.spec} fails at image {len(labels):,}: {described(exc)}", hint=FORM) from exc
        if not labels:
            raise DataNotFound(f"The dataset {self.spec} is empty.", hint=FORM)
        return labels

    def _advance(self, index: int) -> Any:
        if index < self._next:
            self._pass, self._next = iter(self._again()), 0
            self._kept.clear()
        while True:
            try:
                item = next(self._pass)
            except StopIteration:
                raise DataNotFound(
                    f"{self.spec} ends after {self._next:,} images; in the first pass it had {len(self.labels):,}.",
                    hint=_SAME,
                ) from None
            except Exception as exc:  # a person's own code may raise anything
                raise DataNotFound(
                    f"{self.spec} fails at image {self._next:,}, unlike in the first pass: {described(exc)}", hint=_SAME
                ) from exc
            at, self._next = self._next, self._next + 1
            if at == index:
                return item
            if self._expected[-1][at]:
                self._kept[at] = item


def expect(source: object, indices: Sequence[int]) -> Callable[[], None]:
    """`StreamSource.expect`; nothing for sources of which any image can be had at any time."""
    return source.expect(indices) if isinstance(source, StreamSource) else lambda: None


def picture_sha256(item: Any) -> bytes:
    """A sum over the pixels of an item's image, and over its kind; of one that does not decode, over the reason."""
    image = image_of(item)
    try:
        if isinstance(image, Image.Image):
            kind, data = f"{image.mode} {image.size}", image.tobytes()
        else:
            array: NDArray[Any] = np.ascontiguousarray(image.detach().cpu() if isinstance(image, Tensor) else image)
            kind, data = f"{array.dtype} {array.shape}", array.tobytes()
    except Exception as exc:  # as decoding raises; the loader records it when its turn has come
        kind, data = f"{type(exc).__name__}: {exc}", b""
    return hashlib.sha256(kind.encode() + b"\0" + data).digest()


def _plain(label: Any) -> int | str:
    return label if isinstance(label, str) else int(label)


def _numbered(
    dataset: Any, labels: Sequence[int | str], spec: str, given: Sequence[str] | None
) -> tuple[tuple[str, ...], Sequence[int]]:
    """The classes, and class ids. Labels that are texts need no list of names."""
    texts = {label for label in labels if isinstance(label, str)}
    if len(texts) and given is None and not hasattr(dataset, "classes"):
        names = tuple(sorted(texts, key=natural))
    else:
        names = class_names(dataset, spec, given)
    numbers = {name: number for number, name in enumerate(names)}
    unknown = next((text for text in texts if text not in numbers), None)
    if unknown is not None:
        raise DataNotFound(f"{spec} has the label {unknown}, which is none of its classes.", hint=FORM)
    ids = array("q", (numbers[label] if isinstance(label, str) else label for label in labels))
    check_labels(ids, names, spec)
    return names, ids
