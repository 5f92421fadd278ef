"""Some images of a scan, as evenly spread over its classes as can be, loaded and prepared."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from nastui.engine.loader import default_workers
from nastui.engine.preprocessing import Preprocessing
from nastui.engine.sources import ImageSource, SourceImage
from nastui.engine.sources.stream import expect
from nastui.engine.subset import Selection
from nastui.errors import NastuiError

_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Loaded:
    """An image that decoded and could be prepared. `class_id`: in the run."""

    key: str
    class_id: int
    image: SourceImage
    tensor: Tensor


@dataclass(frozen=True, slots=True)
class Sample:
    """`failed`: (key, reason) of images that did not decode, or that the preprocessing does not take."""

    loaded: tuple[Loaded, ...]
    failed: tuple[tuple[str, str], ...]

    def inputs(self) -> Tensor:
        """(B, ...) on the CPU; those that have the shape of the first."""
        return torch.stack([one.tensor for one in self.alike()])

    def alike(self) -> tuple[Loaded, ...]:
        """Those that the preprocessing gave the shape of the first."""
        return tuple(one for one in self.loaded if one.tensor.shape == self.loaded[0].tensor.shape)


def spread(class_ids: Sequence[int], count: int) -> list[int]:
    """Up to `count` positions in `class_ids`, in a random order in which classes take turns: every beginning of the
    list is spread over the classes too."""
    shuffled = np.random.default_rng(0).permutation(len(class_ids))
    ids = np.asarray(class_ids)[shuffled]
    by_class = np.argsort(ids, kind="stable")
    sizes = np.bincount(ids)
    turn = np.empty(len(ids), dtype=np.int64)
    turn[by_class] = np.concatenate([np.arange(size) for size in sizes])
    chosen: list[int] = shuffled[np.argsort(turn, kind="stable")][:count].tolist()
    return chosen


def load_sample(
    source: ImageSource,
    images: Selection,
    preprocessing: Preprocessing,
    count: int,
    on_progress: Callable[[int, int], None] | None = None,
) -> Sample:
    """Load `count` images of the run, or all if there are fewer."""
    positions = spread(images.class_ids, count)
    loaded: list[Loaded] = []
    failed: list[tuple[str, str]] = []

    def load(position: int) -> Loaded | tuple[str, str]:
        index = images.indices[position]
        try:
            image = source.load(index)
            return Loaded(source.key(index), images.class_ids[position], image, preprocessing(image))
        except NastuiError:
            raise
        except Exception as exc:  # broken files and a person's own dataset or transform may raise anything
            return source.key(index), f"{type(exc).__name__}: {' '.join(str(exc).split())}".rstrip(": ")

    forget = expect(source, [images.indices[position] for position in positions])
    with ThreadPoolExecutor(default_workers(), thread_name_prefix="nastui-sample") as threads:
        for start in range(0, len(positions), _AT_ONCE):
            for one in threads.map(load, positions[start : start + _AT_ONCE]):
                loaded.append(one) if isinstance(one, Loaded) else failed.append(one)
            if on_progress is not None:
                on_progress(len(loaded) + len(failed), len(positions))
    forget()
    return Sample(tuple(loaded), tuple(failed))
