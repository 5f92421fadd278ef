"""Footprint counts as compressed bytes: docs/file-format.md says what they look like inside."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nastui.records import Int32

DENSE = "dense"
SPARSE = "sparse"

_TYPES = ("<u1", "<u2", "<u4")
_LEVEL = 1  # of zlib: higher ones save little here and read no faster
_SPARSE_BELOW = 0.25  # share of the counts that are not 0


def encode_counts(counts: Int32) -> tuple[str, bytes]:
    """The encoding's name and the bytes for `counts` (U, m + 1, K)."""
    flat = counts.ravel()
    places = np.flatnonzero(flat)
    if len(places) > _SPARSE_BELOW * flat.size:
        return DENSE, zlib.compress(_pack(flat), _LEVEL)
    gaps = np.diff(places, prepend=0)
    return SPARSE, zlib.compress(_pack(gaps) + _pack(flat[places]), _LEVEL)


def decode_counts(encoding: str, data: bytes, shape: tuple[int, int, int]) -> Int32:
    """The counts, (U, m + 1, K) int32. Raises ValueError or zlib.error where the bytes do not fit the shape."""
    rest = zlib.decompress(data)
    if encoding == DENSE:
        flat, rest = _unpack(rest)
        counts = flat.astype(np.int32)
    elif encoding == SPARSE:
        gaps, rest = _unpack(rest)
        kept, rest = _unpack(rest)
        counts = np.zeros(int(np.prod(shape)), dtype=np.int32)
        places = np.cumsum(gaps, dtype=np.int64)
        if len(places) != len(kept) or (len(places) and places[-1] >= len(counts)):
            raise ValueError("places and counts do not fit the footprint")
        counts[places] = kept
    else:
        raise ValueError(f"no encoding '{encoding}' is known")
    if rest:
        raise ValueError("bytes are left over")
    return counts.reshape(shape)


def _pack(numbers: NDArray[Any]) -> bytes:
    """One byte for the width of a number, four for how many there are, then the numbers."""
    highest = int(numbers.max(initial=0))
    dtype = np.dtype(next(name for name in _TYPES if highest <= np.iinfo(name).max))
    return bytes([dtype.itemsize]) + len(numbers).to_bytes(4, "little") + numbers.astype(dtype).tobytes()


def _unpack(data: bytes) -> tuple[NDArray[Any], bytes]:
    """The numbers that stand first, and the bytes after them."""
    if len(data) < 5 or data[0] not in (1, 2, 4):
        raise ValueError("the head of a list of numbers is missing")
    dtype = np.dtype(f"<u{data[0]}")
    n = int.from_bytes(data[1:5], "little")
    end = 5 + n * dtype.itemsize
    if len(data) < end:
        raise ValueError("numbers are missing")
    return np.frombuffer(data[5:end], dtype), data[end:]
