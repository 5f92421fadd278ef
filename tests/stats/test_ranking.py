"""Rankings of images against scikit-learn, and against slow oracles that follow the sentences."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from sklearn.metrics import average_precision_score, roc_auc_score

from nastui.records import Float32, Int64
from nastui.stats.finite import FiniteValues
from nastui.stats.labels import Labels
from nastui.stats.ranking import Ranking, best_class

N_CLASSES = 3
VALUES = st.one_of(
    st.integers(-3, 3).map(float),  # many ties
    st.floats(width=32),
    st.sampled_from([0.0, -0.0, 1e-45, -1e-45, 3.4e38, -3.4e38, np.nan, np.inf, -np.inf]),
)
UNIT = st.integers(1, 20).flatmap(
    lambda n: st.tuples(
        arrays.arrays(np.float32, n, elements=VALUES),
        arrays.arrays(np.int64, n, elements=st.integers(0, N_CLASSES - 1)),
    )
)


def rank(values: Float32, class_ids: Int64, n_classes: int = N_CLASSES) -> Ranking:
    labels, finite = Labels.of(class_ids, n_classes), FiniteValues.of(values)
    return Ranking.of(values, labels, labels.counts(finite), finite)


def of_unit(*values: float) -> Float32:
    return np.array([values], dtype=np.float32)


@given(UNIT)
def test_auroc_and_average_precision_are_scikit_learns(unit: tuple[Float32, Int64]) -> None:
    values, class_ids = unit
    ranking = rank(values[None], class_ids)
    finite = np.isfinite(values)
    for class_id in range(N_CLASSES):
        is_class = class_ids[finite] == class_id
        area, precision = ranking.auroc()[0, class_id], ranking.average_precision()[0, class_id]
        if is_class.all() or not is_class.any():
            assert np.isnan([area, precision]).all()
        else:
            scores = values[finite].astype(np.float64)
            assert area == pytest.approx(roc_auc_score(is_class, scores), abs=1e-12)
            assert precision == pytest.approx(average_precision_score(is_class, scores), abs=1e-12)


def test_average_precision_by_hand() -> None:
    ranking = rank(of_unit(0.1, 0.4, 0.35, 0.8), np.array([0, 0, 1, 1]), 2)
    assert ranking.average_precision()[0, 1] == pytest.approx(0.83333, abs=1e-5)
    assert ranking.auroc()[0, 1] == 0.75


def slow_threshold(values: Float32, is_class: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> tuple[Fraction, int]:
    """The largest difference of hit and false-alarm rate, and the fewest images above a threshold that has it."""
    best = (Fraction(0), 0)
    for cut in sorted(set(values.tolist()), reverse=True):
        above = values >= cut
        rates = [Fraction(int((above & of).sum()), int(of.sum())) for of in (is_class, ~is_class)]
        if rates[0] - rates[1] > best[0]:
            best = rates[0] - rates[1], int(above.sum())
    return best


@given(UNIT)
def test_no_threshold_tells_the_class_better_from_the_others(unit: tuple[Float32, Int64]) -> None:
    values, class_ids = unit
    hit_rate, false_alarm_rate, threshold = (
        column[0] for column in rank(values[None], class_ids).best_threshold(np.array([1]))
    )
    finite = np.isfinite(values)
    values, is_class = values[finite].astype(np.float64), class_ids[finite] == 1
    if is_class.all() or not is_class.any() or slow_threshold(values, is_class)[1] == 0:
        assert np.isnan([hit_rate, false_alarm_rate, threshold]).all()
        return
    above = values > threshold
    best, n_above = slow_threshold(values, is_class)
    assert (hit_rate, false_alarm_rate) == (above[is_class].mean(), above[~is_class].mean())
    assert hit_rate - false_alarm_rate == pytest.approx(float(best), abs=1e-12)
    assert above.sum() == n_above  # of equally good thresholds the highest
    assert threshold not in values


def test_the_threshold_lies_halfway_between_two_values() -> None:
    ranking = rank(of_unit(1, 2, 4, 5), np.array([0, 0, 1, 1]), 2)
    assert [column[0] for column in ranking.best_threshold(np.array([1]))] == [1, 0, 3]


def slow_share(values: Float32, is_class: np.ndarray[tuple[int], np.dtype[np.bool_]], k: int) -> Fraction:
    k = min(k, len(values))
    cut = sorted(values.tolist(), reverse=True)[k - 1]
    above, tied = values > cut, values == cut
    places_left = Fraction(k - int(above.sum()), int(tied.sum()))
    return (int((above & is_class).sum()) + places_left * int((tied & is_class).sum())) / k


@given(UNIT, st.integers(1, 25))
def test_ties_at_the_cut_share_the_places_that_are_left(unit: tuple[Float32, Int64], k: int) -> None:
    values, class_ids = unit
    ranking, finite = rank(values[None], class_ids), np.isfinite(values)
    for of_lowest, sign in ((False, 1), (True, -1)):
        shares = ranking.end_shares(k, of_lowest)[0]
        if not finite.any():
            assert shares.tolist() == [0, 0, 0]
            continue
        expected = [slow_share(sign * values[finite], class_ids[finite] == c, k) for c in range(N_CLASSES)]
        assert shares == pytest.approx([float(share) for share in expected], abs=1e-12)


def test_images_tied_at_the_cut_by_hand() -> None:
    ranking = rank(of_unit(9, 5, 5, 5, 5, 0), np.array([0, 0, 1, 1, 1, 2]))
    assert ranking.end_shares(3)[0] == pytest.approx([(1 + 2 / 4) / 3, 3 * (2 / 4) / 3, 0])
    assert ranking.end_shares(2, of_lowest=True)[0] == pytest.approx([1 / 8, 3 / 8, 1 / 2])


@given(UNIT, st.integers(1, 25))
def test_only_the_order_of_the_values_counts(unit: tuple[Float32, Int64], k: int) -> None:
    values, class_ids = unit
    order = np.full(len(values), np.nan, dtype=np.float32)
    finite = np.isfinite(values)
    order[finite] = np.unique(values[finite] + np.float32(0), return_inverse=True)[1] ** 3 - 7
    ranking, of_order = rank(values[None], class_ids), rank(order[None], class_ids)
    for measure in (Ranking.auroc, Ranking.average_precision, lambda ranked: ranked.end_shares(k)):
        np.testing.assert_array_equal(measure(ranking), measure(of_order))


def test_a_thousand_classes_are_ranked_like_one_at_a_time() -> None:
    rng = np.random.default_rng(0)
    values, class_ids = rng.integers(0, 40, (2, 3000)).astype(np.float32), rng.permutation(np.arange(3000) % 1000)
    ranking = rank(values, class_ids, 1000)
    for class_id in (0, 500, 999):
        for row in range(2):
            precision = average_precision_score(class_ids == class_id, values[row])
            assert ranking.average_precision()[row, class_id] == pytest.approx(precision, abs=1e-12)
            assert ranking.auroc()[row, class_id] == pytest.approx(roc_auc_score(class_ids == class_id, values[row]))


def test_the_best_class_is_the_lower_of_equal_ones() -> None:
    score, class_id = best_class(np.array([[np.nan, 0.5, 0.9, 0.9], [np.nan] * 4]))
    assert class_id.tolist() == [2, -1]
    assert (score[0], np.isnan(score[1])) == (0.9, True)
