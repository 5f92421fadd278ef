"""Shuffled labels and drawn images, against the same sums taken slowly."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import stats

from nastui.records import Float32, Float64, Int64
from nastui.stats import tallies
from nastui.stats.finite import FiniteValues
from nastui.stats.labels import Labels
from nastui.stats.places import Places
from nastui.stats.resampling import Resampling
from nastui.stats.selectivity import selectivity, two_highest
from nastui.stats.spans import Spans
from nastui.stats.surprise import surprise
from nastui.stats.tallies import exact_sums

FEW_LARGE = np.repeat([0, 2, 3], [9, 4, 7])  # class 1 has no images
MANY_SMALL = np.random.default_rng(0).permutation(np.repeat(np.arange(12), [1, 2, 3] * 4))


def some_values(n_images: int, n_units: int = 5) -> Float32:
    rng = np.random.default_rng(n_images)
    values = rng.normal(3, 2, (n_units, n_images)).astype(np.float32)
    values[1] = np.maximum(values[1] - 4, 0)
    return values


def with_gaps(values: Float32) -> Float32:
    gaps = np.random.default_rng(1).random(values.shape) < 0.3
    return np.where(gaps, np.float32(np.nan), values)


def shifted_indices(values: Float32, class_ids: Int64, n_classes: int, lo: Float64, top_class: Int64 | None) -> Float64:
    """The shifted selectivity of values that carry these labels; of each unit's highest class where none is given."""
    means = Labels.of(class_ids, n_classes).means(FiniteValues.of(values)) - lo[:, None]
    return selectivity(means, two_highest(means)[0] if top_class is None else top_class)


@pytest.mark.parametrize("class_ids", [FEW_LARGE, MANY_SMALL])
def test_class_sums_are_those_of_the_images_at_the_places(class_ids: Int64) -> None:
    labels = Labels.of(class_ids, int(class_ids[-1]) + 12)
    places, values = Places.of(labels), some_values(len(class_ids)).T
    assert places.in_turn == (class_ids is MANY_SMALL)
    class_of_place = labels.present[np.argsort(places.number_of[labels.present])][places.of_place]
    for images in places.shuffled(3, seed=0):
        sums = places.class_sums(values, images)
        for class_id in labels.present.tolist():
            expected = values[images[class_of_place == class_id]].sum(axis=0)
            assert sums[places.number_of[class_id]] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("class_ids", [FEW_LARGE, MANY_SMALL])
def test_shuffles_keep_all_images_and_samples_keep_the_classes(class_ids: Int64) -> None:
    labels = Labels.of(class_ids, 12)
    places = Places.of(labels)
    for images in places.shuffled(5, seed=3):
        assert sorted(images.tolist()) == list(range(len(class_ids)))
    samples = np.stack([*places.sampled(labels, 200, seed=3)])
    assert (places.number_of[class_ids[samples]] == places.of_place).all()
    assert set(samples.ravel().tolist()) == set(range(len(class_ids)))


@pytest.mark.parametrize("class_ids", [FEW_LARGE, MANY_SMALL])
@pytest.mark.parametrize("has_gaps", [False, True])
def test_the_null_is_the_mean_under_shuffled_labels(class_ids: Int64, has_gaps: bool) -> None:
    values = some_values(len(class_ids))
    values = with_gaps(values) if has_gaps else values
    labels, finite = Labels.of(class_ids, 12), FiniteValues.of(values)
    resampling = Resampling.of(labels, shuffles=7, resamples=0, seed=0)
    class_of_place = labels.present[np.argsort(resampling.places.number_of[labels.present])][resampling.places.of_place]
    expected = []
    for images in resampling.shuffles:
        shuffled = np.empty_like(class_ids)
        shuffled[images] = class_of_place
        expected.append(shifted_indices(values, shuffled, 12, finite.lo, None))
    found = resampling.null(Spans.of(values, finite))
    assert found.mean == pytest.approx(np.mean(expected, axis=0), abs=1e-5)
    assert found.by_chance.shape == (7,)


@pytest.mark.parametrize("class_ids", [FEW_LARGE, MANY_SMALL])
@pytest.mark.parametrize("has_gaps", [False, True])
def test_the_interval_is_that_of_the_drawn_images(class_ids: Int64, has_gaps: bool) -> None:
    values = some_values(len(class_ids))
    values = with_gaps(values) if has_gaps else values
    labels, finite = Labels.of(class_ids, 12), FiniteValues.of(values)
    top_class, _ = two_highest(labels.means(finite))
    resampling = Resampling.of(labels, shuffles=0, resamples=40, seed=0)
    drawn = [
        shifted_indices(values[:, images], class_ids[images], 12, finite.lo, top_class) for images in resampling.samples
    ]
    lo, hi = resampling.interval(Spans.of(values, finite), top_class)
    expected = np.quantile(np.nan_to_num(drawn), [0.025, 0.975], axis=0)
    assert np.array([lo, hi]) == pytest.approx(expected, abs=1e-5)


@given(
    sizes=st.lists(st.integers(1, 60), min_size=2, max_size=12),
    active=st.integers(0, 3),
    has_gaps=st.booleans(),
    seed=st.integers(0, 1_000),
)
@settings(deadline=None, max_examples=40)
@example(sizes=[49, 57], active=2, has_gaps=False, seed=0)
def test_the_interval_of_a_sparse_unit_stays_within_the_index(
    sizes: list[int], active: int, has_gaps: bool, seed: int
) -> None:
    """A sample may hold none of the few active images: all class means are the lowest value then, but for rounding."""
    class_ids, rng = np.repeat(np.arange(len(sizes)), sizes), np.random.default_rng(seed)
    values = np.full((6, len(class_ids)), -0.137, dtype=np.float32)
    for unit in values:
        unit[rng.integers(0, len(unit), active)] = rng.random(active)
    values = with_gaps(values) if has_gaps else values
    labels, finite = Labels.of(class_ids, len(sizes)), FiniteValues.of(values)
    top_class, _ = two_highest(labels.means(finite))
    resampling = Resampling.of(labels, shuffles=0, resamples=100, seed=0)
    drawn = [
        shifted_indices(values[:, images], class_ids[images], len(sizes), finite.lo, top_class)
        for images in resampling.samples
    ]
    lo, hi = resampling.interval(Spans.of(values, finite), top_class)
    expected = np.quantile(np.nan_to_num(drawn), [0.025, 0.975], axis=0)
    assert np.array([lo, hi]) == pytest.approx(expected, abs=1e-4)


def test_numbers_follow_the_seed() -> None:
    labels, values = Labels.of(FEW_LARGE, 4), some_values(len(FEW_LARGE))
    spans = Spans.of(values, FiniteValues.of(values))
    first, again, other = (Resampling.of(labels, 20, 20, seed).null(spans).mean.tolist() for seed in (1, 1, 2))
    assert first == again != other


def test_a_surprise_bounds_the_probability() -> None:
    n, n_ones, size = 200, 30, 20
    mean, hits = n_ones / n, np.arange(1, size + 1)
    bound = np.exp(-surprise(hits / size - mean, np.array(size), np.array(mean * (1 - mean)), np.array(1 - mean)))
    assert (stats.hypergeom(n, n_ones, size).sf(hits - 1) <= bound + 1e-12).all()


def test_what_does_not_vary_does_not_surprise() -> None:
    assert surprise(np.zeros(1), np.ones(1), np.zeros(1), np.zeros(1)).tolist() == [0]


@pytest.mark.parametrize("class_ids", [FEW_LARGE, MANY_SMALL])
def test_units_with_and_without_gaps_do_not_show_each_other(class_ids: Int64) -> None:
    """Sums are taken in two ways, and no unit's depend on which others it stands among, to the last bit."""
    values = np.concatenate([some_values(len(class_ids)), with_gaps(some_values(len(class_ids)))])
    labels, finite = Labels.of(class_ids, 12), FiniteValues.of(values)
    top_class, _ = two_highest(labels.means(finite))
    resampling = Resampling.of(labels, shuffles=7, resamples=7, seed=0)
    spans = Spans.of(values, finite)
    mean, (lo, hi) = resampling.null(spans).mean, resampling.interval(spans, top_class)
    for unit in range(len(values)):
        alone = spans.of_units(np.array([unit]))
        assert resampling.null(alone).mean == mean[unit]
        assert resampling.interval(alone, top_class[[unit]]) == (lo[unit], hi[unit])


def test_sums_are_exact_whatever_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    class_ids = np.arange(700) % 3
    values = some_values(len(class_ids), n_units=70)
    labels, spans = Labels.of(class_ids, 3), Spans.of(values, FiniteValues.of(values))
    steps = np.array([[int(step) for step in unit] for unit in spans.steps(slice(None))], dtype=object)
    resampling = Resampling.of(labels, shuffles=90, resamples=5, seed=0)
    assert resampling.members is not None
    (members,) = resampling.members
    assert exact_sums(spans.steps, len(values), members).tolist() == (steps @ members.astype(object)).tolist()
    monkeypatch.setattr(tallies, "_KEPT_BYTES", 5_000)
    in_parts = Resampling.of(labels, shuffles=90, resamples=5, seed=0)
    assert in_parts.members is not None
    assert len([*in_parts.members]) > 1
    for name in ("mean", "by_chance"):
        np.testing.assert_array_equal(getattr(in_parts.null(spans), name), getattr(resampling.null(spans), name))
