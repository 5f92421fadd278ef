"""Which classes get a colour when there are more than ten."""

from __future__ import annotations

import numpy as np

from nastui.palette import OTHER
from nastui.records import ClassInfo
from nastui.stats.ranges import count_ranges
from nastui.views.class_choice import owned_top
from nastui.views.classes import ClassSlots, display_name


def test_a_class_that_owns_the_top_of_a_unit_scores_its_surplus() -> None:
    class_ids = np.arange(100) % 5
    values = np.zeros((1, 100), dtype=np.float32)
    values[0, class_ids == 3] = 10
    score = owned_top(count_ranges(values, class_ids, 5, 30), np.full(5, 20))
    assert score[3] == 1 - 0.2
    assert score[[0, 1, 2, 4]].tolist() == [0, 0, 0, 0]


def test_units_without_numbers_own_nothing() -> None:
    values = np.full((2, 10), np.nan, dtype=np.float32)
    score = owned_top(count_ranges(values, np.arange(10) % 2, 2, 30), np.full(2, 5))
    assert score.tolist() == [0, 0]


def slots(n: int = 30) -> ClassSlots:
    return ClassSlots.choose([ClassInfo(k, f"class {k}", k, 1) for k in range(n)])


def test_at_most_ten_classes_have_a_colour_in_the_order_of_their_ids() -> None:
    chosen = slots().with_interest([25, 3, *range(10, 20)])
    assert chosen.interest == tuple(sorted([25, 3, *range(10, 18)]))
    assert [int(chosen.slot_of[k]) for k in chosen.interest] == list(range(10))
    assert chosen.slot_of[29] == OTHER


def test_the_focus_brings_a_class_into_colour_and_dims_the_others() -> None:
    focused = slots().with_focus(27)
    assert 27 in focused.interest
    counts = focused.slot_counts(np.ones((1, 30), dtype=np.int32))
    assert counts[0, focused.slot_of[27]] == 1
    assert counts[0, OTHER] == 29


def test_the_focus_goes_round_and_ends_with_none() -> None:
    seen = [current := slots(2).with_next_focus(1)]
    while current.focus is not None:
        seen.append(current := current.with_next_focus(1))
    assert [one.focus for one in seen] == [0, 1, None]


def test_names_are_read_without_wordnet_ids_and_control_characters() -> None:
    assert display_name("n01443537_goldfish") == "goldfish"
    assert display_name("n01443537") == "n01443537"
    assert display_name("a\x1b[31mb\n") == "a·[31mb·"
