"""The class measures of whole layers: what they say of simple units, of odd ones, and of chance."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from sklearn.metrics import average_precision_score, roc_auc_score

from nastui.measure_records import ClassMeasures, MeasureOptions
from nastui.records import Float32, Int64
from nastui.stats import block_measures, class_measures, fillings
from nastui.stats.class_measures import default_top_k, measure_layer

QUICK = MeasureOptions(shuffles=9, resamples=9)
NAMES = [field.name for field in fields(ClassMeasures)]
CLASS_NAMES = [name for name in NAMES if name.endswith("_class")]
RESAMPLED = {"shifted_lo", "shifted_hi", "shifted_null", "p_value"}
OF_VALUES = {"sparseness", "hoyer", "bimodality"}
SHORT = st.integers(-40, 40).map(lambda whole: whole / 8)  # their sums are exact in any order
SHARES = {"hit_rate", "false_alarm_rate", "auroc", "ap", "precision", "second_precision", "shared_precision"}


def measure(values: Float32, class_ids: Int64, n_classes: int, options: MeasureOptions = QUICK) -> ClassMeasures:
    return measure_layer([values], class_ids, n_classes, 30, options)


def unit(*values: float) -> Float32:
    return np.array([values], dtype=np.float32)


def assert_equal(first: ClassMeasures, second: ClassMeasures) -> None:
    for name in NAMES:
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name), err_msg=name)


def mixed_layer(rng: np.random.Generator, n_units: int, n_images: int) -> Float32:
    """Units of many shapes, none of which knows the classes: dense, sparse, very sparse, skewed."""
    values = rng.normal(size=(n_units, n_images))
    values[1::4] = np.maximum(values[1::4] - 1, 0)
    values[2::4] = np.maximum(values[2::4] - 2.2, 0)
    values[3::4] = np.exp(2 * values[3::4])
    return values.astype(np.float32)


def test_a_unit_by_hand() -> None:
    found = measure(unit(5, 5, 1, 1, 1, 1, 1, 1), np.arange(8) // 2, 4)
    assert (found.top_class[0], found.second_class[0]) == (0, 1)
    assert found.selectivity[0] == pytest.approx(2 / 3)
    assert found.selectivity_shifted[0] == 1
    assert (found.hit_rate[0], found.false_alarm_rate[0], found.threshold[0]) == (1, 0, 3)
    assert (found.auroc[0], found.auroc_class[0], found.ap[0], found.ap_class[0]) == (1, 0, 1, 0)
    assert (found.precision[0], found.precision_class[0]) == (1, 0)
    assert (found.second_precision[0], found.second_precision_class[0]) == (0, -1)
    assert (found.shared_precision[0], found.n_sharing[0]) == (1, 1)
    assert (found.low_precision[0], found.low_class[0]) == (pytest.approx(1 / 3), 1)
    assert found.top_entropy[0] == 0


def test_two_classes_that_share_the_top() -> None:
    class_ids = np.repeat(np.arange(5), 10)
    values = np.where(class_ids < 2, 9 + np.arange(50) % 10 / 10, np.arange(50) % 10 / 10).astype(np.float32)
    found = measure(values[None], class_ids, 5, MeasureOptions(top_k=20, shuffles=9, resamples=9))
    assert (found.precision[0], found.second_precision[0]) == (0.5, 0.5)
    assert (found.precision_class[0], found.second_precision_class[0]) == (0, 1)
    assert (found.shared_precision[0], found.n_sharing[0]) == (1, 2)


def test_selectivity_is_refused_where_a_mean_is_negative_but_not_when_shifted() -> None:
    found = measure(unit(5, 5, -1, -1, -1, -1, -1, -1), np.arange(8) // 2, 4)
    assert np.isnan(found.selectivity[0])
    assert found.selectivity_shifted[0] == 1


@pytest.mark.parametrize(
    ("sizes", "top_k"), [((100, 200, 100), 50), ((6, 6, 5), 6), ((3, 4), 3), ((1, 0, 0), 1), ((0, 0), 1), ((), 1)]
)
def test_an_end_has_no_more_images_than_a_class(sizes: tuple[int, ...], top_k: int) -> None:
    assert default_top_k(np.array(sizes, dtype=np.int64)) == top_k


@pytest.mark.parametrize("value", [0, 5, -5, np.nan, 0.1])
def test_a_unit_that_does_not_vary_tells_no_classes_apart(value: float) -> None:
    found = measure(np.full((1, 6), value, dtype=np.float32), np.arange(6) // 2, 3)
    for name in set(NAMES) - OF_VALUES - {"n_sharing"}:
        assert getattr(found, name)[0] == -1 if name in CLASS_NAMES else np.isnan(getattr(found, name)[0]), name
    assert found.n_sharing[0] == 0
    assert np.isnan(found.bimodality[0])


def test_one_class_alone_has_no_others_to_stand_out_from() -> None:
    found = measure(unit(1, 2, 3, 4, 5), np.zeros(5, dtype=np.int64), 1)
    for name in (
        "selectivity",
        "selectivity_shifted",
        "p_value",
        "shifted_null",
        "shifted_lo",
        "hit_rate",
        "auroc",
        "ap",
    ):
        assert np.isnan(getattr(found, name)[0]), name
    assert (found.top_class[0], found.second_class[0], found.auroc_class[0], found.ap_class[0]) == (0, -1, -1, -1)
    assert (found.precision[0], found.low_precision[0]) == (1, 1)


def test_classes_without_values_do_not_compete() -> None:
    found = measure(unit(np.nan, np.inf, 1, 2, 7, 8), np.array([0, 0, 2, 2, 3, 3]), 5)
    assert (found.top_class[0], found.second_class[0]) == (3, 2)
    assert found.selectivity[0] == pytest.approx((7.5 - 1.5) / (7.5 + 1.5))
    assert found.precision_class[0] == 3


def test_a_class_of_one_image_is_no_fault() -> None:
    found = measure(unit(1, 2, 3, 9), np.array([0, 0, 0, 1]), 2, MeasureOptions(shuffles=99, resamples=9))
    assert (found.top_class[0], found.auroc[0], found.hit_rate[0]) == (1, 1, 1)
    assert 0.1 < found.p_value[0] < 0.5  # one of four images has to be the highest


@pytest.mark.parametrize(("n_units", "n_images"), [(0, 5), (2, 0), (0, 0)])
def test_no_units_and_no_images_are_no_fault(n_units: int, n_images: int) -> None:
    found = measure(np.empty((n_units, n_images), dtype=np.float32), np.zeros(n_images, dtype=np.int64), 3)
    for name in NAMES:
        assert getattr(found, name).shape == (n_units,), name
        assert getattr(found, name).dtype == (np.int32 if name in (*CLASS_NAMES, "n_sharing") else np.float64), name
    assert np.isnan(found.p_value).all()
    assert measure_layer([], np.zeros(n_images, dtype=np.int64), 3, 30).auroc.shape == (0,)


def test_no_shuffles_and_no_samples_leave_their_measures_out() -> None:
    found = measure(
        mixed_layer(np.random.default_rng(0), 4, 20), np.arange(20) % 4, 4, MeasureOptions(shuffles=0, resamples=0)
    )
    assert np.isnan([getattr(found, name) for name in RESAMPLED]).all()
    assert not np.isnan(found.selectivity_shifted[:2]).any()


@pytest.mark.parametrize("has_gaps", [False, True])
def test_blocks_do_not_show(monkeypatch: pytest.MonkeyPatch, has_gaps: bool) -> None:
    rng = np.random.default_rng(0)
    values, class_ids = mixed_layer(rng, 600, 40), np.arange(40) % 4
    if has_gaps:
        values[rng.random(values.shape) < 0.1] = np.nan
    at_once = measure(values, class_ids, 4)
    monkeypatch.setattr(block_measures, "_BLOCK_VALUES", 130)
    for step in (1, 64, 250):
        blocks = (values[first : first + step] for first in range(0, 600, step))
        assert_equal(measure_layer(blocks, class_ids, 4, 30, QUICK), at_once)


@pytest.mark.parametrize("n_units", [1, 64, 65, 66, 97])
@pytest.mark.parametrize("n_classes", [3, 900])
def test_parts_of_a_block_and_labels_shuffled_anew_do_not_show(
    monkeypatch: pytest.MonkeyPatch, n_units: int, n_classes: int
) -> None:
    """With very many images less is held at a time: the numbers are the same to the last bit."""
    rng = np.random.default_rng(n_units)
    values, class_ids = mixed_layer(rng, n_units, 4200), rng.integers(0, n_classes, 4200)
    values[::3, rng.random(4200) < 0.1] = np.nan
    at_once = measure(values, class_ids, n_classes)
    monkeypatch.setattr(class_measures, "_MOST_VALUES", 20_000)
    monkeypatch.setattr(block_measures, "_BLOCK_VALUES", 10_000)
    monkeypatch.setattr(fillings, "_KEPT_BYTES", 0)
    blocks = (values[first : first + 7] for first in range(0, n_units, 7))
    assert_equal(measure_layer(blocks, class_ids, n_classes, 30, QUICK), at_once)


@settings(max_examples=50)
@given(
    arrays.arrays(np.float32, (3, 12), elements=st.one_of(SHORT, st.sampled_from([np.nan, np.inf]))),
    st.permutations(range(12)),
)
def test_the_order_of_the_images_does_not_show(values: Float32, order: list[int]) -> None:
    class_ids = np.arange(12) % 3
    first, second = measure(values, class_ids, 3), measure(values[:, order], class_ids[order], 3)
    for name in set(NAMES) - RESAMPLED:
        expected = getattr(first, name)
        assert getattr(second, name) == pytest.approx(expected, rel=1e-6, abs=1e-9, nan_ok=True), name


@settings(max_examples=50)
@given(arrays.arrays(np.float32, (3, 12), elements=st.one_of(st.integers(-4, 4).map(float), st.floats(width=32))))
def test_shares_and_rates_lie_between_0_and_1(values: Float32) -> None:
    found = measure(values, np.arange(12) % 3, 3)
    for name in (*SHARES, "selectivity", "selectivity_shifted", "shifted_null", "p_value", "top_entropy", "sparseness"):
        column = getattr(found, name)
        assert (np.isnan(column) | ((column > -1e-6) & (column < 1 + 1e-6))).all(), name
    assert not (found.shifted_lo > found.shifted_hi).any()


def test_in_layers_of_chance_alone_one_in_twenty_has_a_unit_with_p_of_05() -> None:
    rng = np.random.default_rng(0)
    options = MeasureOptions(shuffles=39, resamples=0)
    lowest = [np.nanmin(measure(mixed_layer(rng, 24, 60), np.arange(60) % 6, 6, options).p_value) for _ in range(300)]
    assert 6 <= np.count_nonzero(np.array(lowest) <= 0.05) <= 24  # 15 are expected; 99 % of binomial counts


def test_a_class_that_a_unit_prefers_is_found_among_units_that_prefer_none() -> None:
    rng = np.random.default_rng(1)
    values, class_ids = mixed_layer(rng, 80, 200), np.arange(200) % 10
    values[4] += 1.5 * (class_ids == 3)
    values[6] = np.where(class_ids == 7, rng.random(200), 0)  # sparse, and perfect
    found = measure(values, class_ids, 10, MeasureOptions())
    assert found.p_value[[4, 6]] == pytest.approx(1 / 101)
    assert found.top_class[[4, 6]].tolist() == [3, 7]
    assert np.flatnonzero(found.p_value <= 0.05).tolist() == [4, 6]
    assert (found.shifted_lo[[4, 6]] > found.shifted_null[[4, 6]]).all()


def test_what_many_classes_give_by_chance_is_no_finding() -> None:
    rng = np.random.default_rng(2)
    found = measure(mixed_layer(rng, 40, 600), rng.permutation(600) % 200, 200)
    assert np.median(found.selectivity_shifted) > 0.3  # high, and yet:
    assert found.shifted_null == pytest.approx(found.selectivity_shifted, abs=0.15)
    assert np.count_nonzero(found.p_value < 0.5) < 20


def test_the_neuron_of_the_thesis(shared_data: Path) -> None:
    table = np.genfromtxt(shared_data / "thesis" / "df_unit_0.csv", delimiter=",", names=True)
    values, class_ids = table["Value"].astype(np.float32), table["Label"].astype(np.int64)
    found = measure(values[None], class_ids, 10)
    means = [values[class_ids == class_id].mean(dtype=np.float64) for class_id in range(10)]
    assert found.top_class[0] == np.argmax(means)
    of_auroc = class_ids == found.auroc_class[0]
    assert found.auroc[0] == pytest.approx(roc_auc_score(of_auroc, values))
    assert found.ap[0] == pytest.approx(average_precision_score(class_ids == found.ap_class[0], values))
    above, is_top = values > found.threshold[0], class_ids == found.top_class[0]
    assert (found.hit_rate[0], found.false_alarm_rate[0]) == (above[is_top].mean(), above[~is_top].mean())
