"""Numbers as a person reads them."""

from __future__ import annotations

import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nastui.views.numbers import compact_count, percent, short_number


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (1.0, "1"),
        (-277.41824, "−277.4"),
        (79.39351, "79.39"),
        (0.012346, "0.01235"),
        (12345.6, "12346"),
        (1.5e-7, "1.50e-7"),
        (-3.4e38, "−3.40e38"),
        (math.nan, "–"),
        (math.inf, "∞"),
        (-math.inf, "−∞"),
    ],
)
def test_numbers_keep_four_digits(value: float, text: str) -> None:
    assert short_number(value) == text


magnitudes = st.builds(
    lambda mantissa, exponent, sign: sign * mantissa * 10.0**exponent,
    st.floats(1, 9.9999),
    st.integers(-40, 38),
    st.sampled_from([-1, 1]),
)


@given(st.floats() | magnitudes)
@example(-0.0012345)
@example(-99999.5)
def test_a_number_never_outgrows_its_column(value: float) -> None:
    assert len(short_number(value, 8)) <= 8


@given(st.floats(min_value=-1e30, max_value=1e30).filter(lambda v: abs(v) > 1e-30))
def test_a_number_reads_back_within_its_digits(value: float) -> None:
    read = float(short_number(value, 8).replace("−", "-"))
    assert read == pytest.approx(value, rel=0.05)


@pytest.mark.parametrize(
    ("count", "width", "text"), [(7, 1, "7"), (128, 3, "128"), (1280, 4, "1280"), (1280, 3, ""), (12800, 3, "13k")]
)
def test_counts_are_shortened_only_where_they_must(count: int, width: int, text: str) -> None:
    assert compact_count(count, width) == text


@pytest.mark.parametrize(
    ("share", "text"), [(0, "0 %"), (0.0001, "<1 %"), (0.5, "50 %"), (0.999, ">99 %"), (1, "100 %")]
)
def test_a_share_is_none_or_all_only_where_it_is(share: float, text: str) -> None:
    assert percent(share) == text
