from __future__ import annotations

import numpy as np
import pytest
import torch

from nastui.engine.reduction import REDUCTIONS, Reduction, parse_reduction, reduce_output, sample_positions
from nastui.errors import UsageError

IDS = np.arange(4, dtype=np.int64)


def test_max_keeps_the_value_and_the_row_major_place() -> None:
    output = torch.tensor([[[[0.0, -1.0, 2.0], [5.0, 5.0, 1.0]], [[-3.0, -2.0, -4.0], [-9.0, -8.0, -7.0]]]])
    reduced = reduce_output(output, 0, "max", IDS[:1], 0)
    assert reduced.values.tolist() == [[5.0, -2.0]]
    assert reduced.positions is not None
    assert reduced.positions.tolist() == [[3, 1]]


@pytest.mark.parametrize("shape", [(4, 3, 1, 1), (4, 3, 5, 5), (4, 3, 20, 17), (4, 3, 300), (4, 2, 5, 6, 7)])
@pytest.mark.parametrize("channels_last", [False, True])
def test_max_agrees_with_brute_force_whatever_the_size_and_the_memory_format(
    shape: tuple[int, ...], channels_last: bool
) -> None:
    # Rounded, so that there are ties: the first in row-major order must win on every path.
    output = torch.randn(shape, generator=torch.Generator().manual_seed(0)).mul(2).round()
    if channels_last:
        output = output.movedim(1, -1).contiguous().movedim(-1, 1)
    reduced = reduce_output(output, 0, "max", IDS, 0)
    flat = output.contiguous().numpy().reshape(shape[0], shape[1], -1)
    assert reduced.positions is not None
    np.testing.assert_array_equal(reduced.values.numpy(), flat.max(2))
    np.testing.assert_array_equal(reduced.positions.numpy(), flat.argmax(2))


@pytest.mark.parametrize("size", [3, 16])
@pytest.mark.parametrize("reduction", ["max", "mean"])
def test_a_map_with_a_nan_gives_nan_for_its_unit_only(size: int, reduction: Reduction) -> None:
    output = torch.ones(1, 2, size, size)
    output[0, 1, 1, 2] = torch.nan
    values = reduce_output(output, 0, reduction, IDS[:1], 0).values
    assert values[0, 0] == 1
    assert values[0, 1].isnan()


def test_mean_and_center_of_a_small_map() -> None:
    output = torch.arange(12.0).reshape(1, 1, 3, 4)
    assert reduce_output(output, 0, "mean", IDS[:1], 0).values.item() == 5.5
    assert reduce_output(output, 0, "center", IDS[:1], 0).values.item() == 6.0  # row 1 of 3, column 2 of 4


def test_none_makes_every_element_a_unit_in_c_order() -> None:
    output = torch.arange(24.0).reshape(1, 2, 3, 4)
    values = reduce_output(output, 0, "none", IDS[:1], 0).values
    channel, y, x = 1, 2, 3
    assert values[0, (channel * 3 + y) * 4 + x] == output[0, channel, y, x]
    assert values.shape == (1, 24)


def test_tokens_are_positions_where_the_units_come_last() -> None:
    tokens = torch.tensor([[[1.0, 9.0], [3.0, 4.0], [2.0, 5.0]]])  # (1, T=3, D=2)
    reduced = reduce_output(tokens, 1, "max", IDS[:1], 0)
    assert reduced.values.tolist() == [[3.0, 9.0]]
    assert reduced.positions is not None
    assert reduced.positions.tolist() == [[1, 0]]


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("shape", [(4, 3), (4, 3, 6, 6), (4, 3, 16, 16)])
def test_a_later_in_place_operation_cannot_reach_the_values(reduction: Reduction, shape: tuple[int, ...]) -> None:
    output = torch.randn(shape)
    reduced = reduce_output(output, 0, reduction, IDS, 0)
    before = reduced.values.clone()
    output.fill_(99)
    assert torch.equal(reduced.values, before)
    assert reduced.values.dtype == torch.float32


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_a_linear_layers_output_is_taken_as_it_is(reduction: Reduction) -> None:
    output = torch.randn(4, 3)
    reduced = reduce_output(output, 0, reduction, IDS, 0)
    assert torch.equal(reduced.values, output)
    assert reduced.positions is None


def test_half_precision_becomes_float32() -> None:
    output = torch.randn(4, 3, 16, 16).half()
    for reduction in REDUCTIONS:
        assert reduce_output(output, 0, reduction, IDS, 0).values.dtype == torch.float32


def test_sample_takes_one_position_an_image_for_all_units() -> None:
    output = torch.arange(4 * 3 * 25.0).reshape(4, 3, 5, 5)
    reduced = reduce_output(output, 0, "sample", IDS, 7)
    assert reduced.positions is not None
    places = reduced.positions
    assert torch.equal(places, places[:, :1].expand_as(places))
    assert torch.equal(reduced.values, output.flatten(2).gather(2, places.long().unsqueeze(2)).squeeze(2))


def test_sampled_positions_depend_on_seed_and_image_only_and_are_uniform() -> None:
    together = sample_positions(np.arange(40_000, dtype=np.int64), 3, 10)
    apart = np.concatenate([sample_positions(np.array([i], dtype=np.int64), 3, 10) for i in range(100)])
    np.testing.assert_array_equal(together[:100], apart)
    assert not np.array_equal(together, sample_positions(np.arange(40_000, dtype=np.int64), 4, 10))
    counts = np.bincount(together, minlength=10)
    chi_square = float(((counts - 4000.0) ** 2 / 4000).sum())
    assert chi_square < 27.9  # 99.9 % point of chi square with 9 degrees of freedom


def test_an_unknown_reduction_names_the_ones_there_are() -> None:
    with pytest.raises(UsageError, match="'median' is not a reduction") as raised:
        parse_reduction("median")
    assert "center" in raised.value.hint
