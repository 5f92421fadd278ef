"""Batches of decoded and preprocessed images, prepared ahead by threads."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import torch
from torch import Tensor

from nastui.engine.preprocessing import Preprocessing
from nastui.engine.sources.source import ImageSource, SourceImage
from nastui.engine.sources.stream import expect
from nastui.engine.thumbnails import make_thumbnail
from nastui.errors import DataNotFound, NastuiError, UsageError
from nastui.records import ImageResult

_MOST_WORKERS = 16
_BATCHES_AHEAD = 2
_TRIES = 100


@dataclass(frozen=True, slots=True)
class LoadedBatch:
    """Consecutive images of the run, from `first_image` on.

    `images`: B results without predictions (`top5` is empty). `rows`: which of them decoded, as offsets into the batch.
    `inputs`: (len(rows), C, H, W) float32 on the CPU, None where none decoded.
    """

    first_image: int
    images: tuple[ImageResult, ...]
    rows: tuple[int, ...]
    inputs: Tensor | None


@dataclass(frozen=True, slots=True)
class _Prepared:
    result: ImageResult
    tensor: Tensor | None


def load_batches(
    source: ImageSource,
    indices: Sequence[int],
    preprocessing: Preprocessing,
    *,
    batch_size: int,
    first_image: int = 0,
    workers: int | None = None,
    pinned: bool = False,
    channels_last: bool = False,
) -> Generator[LoadedBatch, None, None]:
    """Load the images `indices` of `source` in order, from position `first_image` on, in batches of `batch_size`.

    An image that cannot be decoded or preprocessed is recorded with the reason; the others go on. At most two batches
    are prepared ahead, by `workers` threads (default: the cores, at most 16). Closing the iterator stops the threads.
    `pinned`: batches lie in memory that a GPU reads by itself; `channels_last`: in that memory format.
    Raises UsageError where images come out in different shapes.
    """
    forget = expect(source, indices[first_image:])
    executor = ThreadPoolExecutor(workers or default_workers(), thread_name_prefix="nastui-loader")
    ahead: deque[Future[_Prepared]] = deque()
    pending = iter(indices[first_image:])
    shape: torch.Size | None = None
    try:
        for start in range(first_image, len(indices), batch_size):
            wanted = indices[start : start + batch_size]
            while len(ahead) < batch_size * (_BATCHES_AHEAD + 1) and (index := next(pending, None)) is not None:
                ahead.append(executor.submit(_prepare, source, index, preprocessing, channels_last=channels_last))
            prepared = [ahead.popleft().result() for _ in wanted]
            rows = tuple(row for row, one in enumerate(prepared) if one.tensor is not None)
            tensors = [one.tensor for one in prepared if one.tensor is not None]
            for row, tensor in zip(rows, tensors, strict=True):
                shape = shape or tensor.shape
                _check_shape(tensor.shape, shape, source.key(wanted[row]))
            inputs = _stacked(tensors, pinned=pinned, channels_last=channels_last) if tensors else None
            yield LoadedBatch(start, tuple(one.result for one in prepared), rows, inputs)
    finally:
        executor.shutdown(wait=True, cancel_futures=True)
        forget()


def _stacked(tensors: list[Tensor], *, pinned: bool, channels_last: bool) -> Tensor:
    """The tensors as one batch; in pinned memory a GPU fetches it by itself."""
    shape = (len(tensors), *tensors[0].shape)
    layout = torch.channels_last if channels_last and len(shape) == 4 else torch.contiguous_format
    empty = torch.empty(shape, dtype=tensors[0].dtype, pin_memory=pinned, memory_format=layout)
    return torch.stack(tensors, out=empty)


def first_decodable(source: ImageSource, indices: Sequence[int]) -> SourceImage:
    """The first image that decodes, to see what the set gives.

    Looks at the first 100, then at 100 that are spread over the rest. Raises DataNotFound where none decodes.
    """
    reason = "it is empty"
    rest = indices[_TRIES:]
    for index in (*indices[:_TRIES], *rest[:: -(-len(rest) // _TRIES) or 1]):
        try:
            return source.load(index)
        except NastuiError:
            raise
        except Exception as exc:  # broken files and a person's own dataset may raise anything
            reason = f"{source.key(index)}: {_reason(exc)}"
    where = f" Paths start from {source.root}." if source.root is not None else ""
    raise DataNotFound(
        f"No image of {source.spec} can be read: {reason}.", hint=f"Check the files, or the dataset.{where}"
    )


def default_workers(n_sharing: int = 1) -> int:
    """How many threads prepare images: the cores that this process may use, shared with others, at most 16."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return min(max((cores or 1) // n_sharing, 1), _MOST_WORKERS)


def _prepare(source: ImageSource, index: int, preprocessing: Preprocessing, *, channels_last: bool) -> _Prepared:
    """Decode one image once, for the model and for the preview. Only errors that concern all images are raised."""
    image: SourceImage | None = None
    try:
        image = source.load(index)
        thumbnail = make_thumbnail(image.picture)
        tensor = preprocessing(image)
        if not channels_last:
            # A transform leaves the pixels' order, colours last; turned over here, not where the model would wait.
            tensor = tensor.contiguous()
    except NastuiError:
        raise
    except Exception as exc:  # broken files and a person's own dataset or transform may raise anything
        width, height = (image.width, image.height) if image else (None, None)
        sha256 = image.sha256 if image else None
        return _Prepared(ImageResult(None, width, height, sha256, (), _reason(exc)), None)
    return _Prepared(ImageResult(thumbnail, image.width, image.height, image.sha256, ()), tensor)


def _reason(exc: Exception) -> str:
    """One line that says why an image failed."""
    if isinstance(exc, OSError) and exc.strerror and exc.filename:
        return f"{exc.strerror}: {exc.filename}"
    words = " ".join(str(exc).split())
    return f"{type(exc).__name__}: {words}" if words else type(exc).__name__


def _check_shape(shape: torch.Size, wanted: torch.Size, key: str) -> None:
    if shape != wanted:
        raise UsageError(
            f"Images come out in different shapes: {key} is {_text(shape)}, those before it {_text(wanted)}.",
            hint="Give --size, or a transform that makes all images alike.",
        )


def _text(shape: torch.Size) -> str:
    return "×".join(map(str, shape))
