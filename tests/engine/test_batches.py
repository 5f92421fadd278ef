"""What becomes of a batch on its way from the model to the store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from nastui.engine import batches
from nastui.engine.batches import behind, highest
from nastui.engine.fetching import Fetched
from nastui.engine.scan import scan
from nastui.records import Float32
from nastui.store.reader import RunReader
from tests.engine.test_scan import Noise, content, small_net

LOGITS = arrays.arrays(
    np.float32,
    st.tuples(st.integers(1, 4), st.integers(0, 12)),
    elements=st.sampled_from([-1.0, -0.0, 0.0, 0.5, 2.0, np.nan, np.inf, -np.inf]),
)


@given(LOGITS)
def test_the_five_highest_are_those_of_a_whole_sort(logits: Float32) -> None:
    for row, found in zip(logits, highest(logits), strict=True):
        order = sorted(range(len(row)), key=lambda output: (-row[output], output))[:5]
        expected = () if np.isnan(row).any() else tuple((output, float(row[output])) for output in order)
        assert found == expected


@pytest.mark.parametrize("count", [0, 1, 3, 20])
def test_items_come_in_order_and_so_many_late(count: int) -> None:
    taken: list[int] = []

    def numbers() -> Iterator[int]:
        for number in range(10):
            taken.append(number)
            yield number

    come = []
    for number in behind(numbers(), count):
        come.append(number)
        assert len(taken) == min(number + count + 1, 10)
    assert come == list(range(10))


def test_a_batch_late_the_run_is_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # On a GPU the results of a batch are fetched while the next one is computed; here the same order without a GPU.
    whole = scan(small_net(), Noise(), out=tmp_path / "whole.nas.db", batch_size=4, on_progress=lambda _: None)
    monkeypatch.setattr(batches, "behind", lambda items, _count: behind(items, 1))
    late = scan(small_net(), Noise(), out=tmp_path / "late.nas.db", batch_size=4, on_progress=lambda _: None)
    assert content(late.path) == content(whole.path)


@pytest.mark.parametrize("in_blocks", [False, True])
def test_what_is_fetched_in_blocks_comes_apart_again(in_blocks: bool) -> None:
    tensors = [
        torch.randn(4, 3),
        torch.arange(8, dtype=torch.int32).reshape(4, 2),
        torch.randn(4, 5).t(),
        torch.ones(4),
    ]
    found = Fetched(tensors, in_blocks=in_blocks).arrays()
    for tensor, array in zip(tensors, found, strict=True):
        assert array.dtype == tensor.numpy().dtype
        np.testing.assert_array_equal(array, tensor.numpy())


needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device here")


@needs_cuda
def test_fetching_from_a_gpu_waits_for_what_is_asked_and_no_longer() -> None:
    tensors = [torch.full((1000, 1000), float(number), device="cuda") for number in range(4)]
    fetched = Fetched(tensors)
    later = torch.zeros(4000, 4000, device="cuda")
    for _ in range(20):
        later = later @ later
    after = torch.cuda.current_stream().record_event()
    assert [array[0, 0] for array in fetched.arrays()] == [0, 1, 2, 3]
    assert not after.query()  # the GPU is still at what came later


@needs_cuda
@pytest.mark.parametrize("precision", ["float32", "float16", "bfloat16"])
def test_a_gpu_gives_what_a_cpu_gives(tmp_path: Path, precision: str) -> None:
    runs = {}
    for device in ("cpu", "cuda"):
        out = tmp_path / f"{device}.nas.db"
        kind = precision if device == "cuda" else "float32"
        scan(small_net(), Noise(), out=out, device=device, precision=kind, on_progress=lambda _: None)
        with RunReader(out) as run:
            runs[device] = [run.activations(layer) for layer in run.layers()]
    for cpu, gpu in zip(runs["cpu"], runs["cuda"], strict=True):
        np.testing.assert_allclose(gpu, cpu, atol=1e-3 if precision == "float32" else 0.05)
