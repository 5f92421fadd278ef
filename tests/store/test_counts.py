"""Footprint counts survive being packed, in every size that occurs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from nastui.records import Int32
from nastui.store.counts import DENSE, SPARSE, decode_counts, encode_counts

SHAPES = st.tuples(st.integers(0, 5), st.integers(1, 6), st.integers(1, 40))
COUNTS = arrays.arrays(np.int32, SHAPES, elements=st.sampled_from([0, 0, 0, 1, 2, 255, 256, 70_000]))


@given(COUNTS)
def test_what_is_packed_comes_back(counts: Int32) -> None:
    encoding, data = encode_counts(counts)
    found = decode_counts(encoding, data, counts.shape)
    assert found.dtype == np.int32
    assert np.array_equal(found, counts)


def test_many_classes_are_kept_sparse_and_small() -> None:
    counts = np.zeros((64, 31, 1000), dtype=np.int32)
    counts[:, ::7, ::50] = 3
    encoding, data = encode_counts(counts)
    assert encoding == SPARSE
    assert len(data) < 1000
    assert np.array_equal(decode_counts(encoding, data, (64, 31, 1000)), counts)


def test_full_counts_are_kept_dense() -> None:
    assert encode_counts(np.ones((2, 3, 4), dtype=np.int32))[0] == DENSE


@pytest.mark.parametrize("shape", [(2, 3, 5), (2, 3, 3)])
def test_bytes_of_another_shape_are_refused(shape: tuple[int, int, int]) -> None:
    for counts in (np.ones((2, 3, 4), dtype=np.int32), np.eye(24, dtype=np.int32)[-1].reshape(2, 3, 4)):
        encoding, data = encode_counts(counts)
        if encoding == DENSE or shape == (2, 3, 3):
            with pytest.raises(ValueError, match=r"reshape|do not fit"):
                decode_counts(encoding, data, shape)
