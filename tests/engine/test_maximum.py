"""The largest value and its place are those of the plain definition, however the maps lie in memory."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from nastui.engine.maximum import maximum

LAYOUTS = st.sampled_from(["contiguous", "units last", "images last", "every other place", "turned over"])
SHAPES = st.tuples(st.integers(1, 4), st.sampled_from([1, 2, 63, 65])).flatmap(
    lambda start: st.lists(st.integers(1, 20), min_size=1, max_size=3).map(lambda places: (*start, *places))
)


def laid_out(maps: Tensor, layout: str) -> Tensor:
    """The same values, other strides."""
    if layout == "units last":
        return maps.movedim(1, -1).contiguous().movedim(-1, 1)
    if layout == "images last":
        return maps.movedim(0, -1).contiguous().movedim(-1, 0)
    if layout == "every other place":
        return torch.stack([maps, maps - 100], -1).flatten(-2)[..., ::2]
    if layout == "turned over":
        return maps.flip(-1).transpose(-1, 1).contiguous().transpose(-1, 1).flip(-1)
    return maps


@settings(max_examples=150, deadline=None)
@given(SHAPES, LAYOUTS, st.sampled_from([torch.float32, torch.bfloat16, torch.float16]), st.integers(0, 99))
def test_it_is_the_first_of_the_largest_in_every_layout(
    shape: tuple[int, ...], layout: str, dtype: torch.dtype, seed: int
) -> None:
    # Few different values, so that nearly every map has ties; negative zero is one of them.
    maps = torch.randint(-3, 3, shape, generator=torch.Generator().manual_seed(seed)).to(dtype) * -0.5
    values, places = maximum(laid_out(maps, layout), 0)
    flat = maps.float().flatten(2).numpy()
    expected = flat.argmax(axis=2)
    np.testing.assert_array_equal(places.numpy(), expected)
    kept = np.take_along_axis(flat, expected[:, :, None], axis=2)[:, :, 0]
    assert values.numpy().tobytes() == kept.tobytes()  # to the sign of a zero
    assert (values.dtype, places.dtype) == (torch.float32, torch.int32)


@pytest.mark.parametrize("layout", ["contiguous", "units last", "images last"])
@pytest.mark.parametrize("n_units", [2, 70])
def test_a_nan_is_the_largest_of_its_map_alone(layout: str, n_units: int) -> None:
    maps = torch.arange(6.0 * n_units * 42).reshape(6, n_units, 6, 7)
    maps[4, 1, 2, 3] = maps[4, 1, 5, 5] = torch.nan
    values, places = maximum(laid_out(maps, layout), 0)
    assert values.isnan().nonzero().tolist() == [[4, 1]]
    assert places[4, 1] == 2 * 7 + 3
    assert (places.flatten() == 41).sum() == 6 * n_units - 1


def test_units_may_lie_along_any_dimension() -> None:
    tokens = torch.randn(3, 49, 8, generator=torch.Generator().manual_seed(0))
    values, places = maximum(tokens, 1)
    assert torch.equal(values, tokens.amax(1))
    assert torch.equal(places.long(), tokens.argmax(1))


@pytest.mark.parametrize("layout", ["contiguous", "units last"])
def test_what_is_returned_is_memory_of_its_own(layout: str) -> None:
    for shape in ((2, 70, 1, 1), (2, 70, 9, 9), (2, 70, 17)):
        maps = laid_out(torch.ones(shape), layout)
        values, _ = maximum(maps, 0)
        maps.zero_()
        assert (values == 1).all()
