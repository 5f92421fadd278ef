"""Lines of words: the legend and the facts of units and ranges say all they must in the width there is."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from nastui.palette import LETTERS, OTHER
from nastui.records import ClassInfo, UnitTable
from nastui.stats.measures import basic_measures
from nastui.views.classes import ClassSlots
from nastui.views.facts import range_words, share_pieces, unit_words
from nastui.views.legend import LegendPiece, legend_lines
from nastui.views.look import Look
from nastui.views.unit_view import RangeFacts

names = st.lists(st.text(min_size=1, max_size=30), min_size=1, max_size=14)


def slots_of(class_names: Sequence[str]) -> ClassSlots:
    return ClassSlots.choose([ClassInfo(k, name, k, 1) for k, name in enumerate(class_names)])


def width_of(line: Sequence[LegendPiece]) -> int:
    return cell_len("".join(piece.text for piece in line).rstrip())


def hidden_in(lines: Sequence[Sequence[LegendPiece]]) -> int:
    """What a last `+n` says is not shown."""
    last = lines[-1][-1].text.strip() if lines and lines[-1] else ""
    match = re.fullmatch(r"\+(\d+)(?: classes)?", last)
    return int(match[1]) if match else 0


def swatches(lines: Sequence[Sequence[LegendPiece]]) -> list[int]:
    return [piece.ink for line in lines for piece in line if piece.is_swatch]


def check_legend(class_names: Sequence[str], width: int, max_lines: int) -> None:
    slots = slots_of(class_names)
    lines = legend_lines(slots, Look(), width, max_lines)
    assert 1 <= len(lines) <= max_lines
    assert all(width_of(line) <= width for line in lines)
    shown = swatches(lines)
    assert len(shown) + hidden_in(lines) == len(slots.interest) + 1, "every class, and what grey is"
    assert shown == sorted(shown), "in the order of the bars"


@settings(max_examples=300)
@given(names, st.integers(38, 240))
def test_the_legend_keeps_within_the_screen_and_names_every_class_or_counts_it(
    class_names: list[str], width: int
) -> None:
    check_legend(class_names, width, 3)


@pytest.mark.parametrize(("n_classes", "width"), [(4, 38), (5, 38), (5, 47), (8, 74), (10, 92), (30, 101)])
def test_a_legend_of_one_line_keeps_within_the_screen_too(n_classes: int, width: int) -> None:
    check_legend([f"class {k}" for k in range(n_classes)], width, 1)


@pytest.mark.parametrize(("n_classes", "width"), [(2, 38), (4, 48), (8, 87)])
def test_no_class_left_out_is_not_counted(n_classes: int, width: int) -> None:
    lines = legend_lines(slots_of([f"class {k}" for k in range(n_classes)]), Look(), width, 1)
    assert "+0" not in "".join(piece.text for line in lines for piece in line)


@given(names)
def test_with_room_every_class_is_named_with_its_letter_and_the_widths_are_said(class_names: list[str]) -> None:
    slots = slots_of(class_names)
    lines = legend_lines(slots, Look(medium=5, full=20), 400, 3)
    text = "".join(piece.text for line in lines for piece in line)
    for letter, class_id in zip(LETTERS, slots.interest, strict=False):
        shown = slots.names[class_id]
        assert f" {letter} {shown if cell_len(shown) <= 24 else shown[:1]}" in text
    assert all(words in text for words in ("1–4", "5–19", "20+"))
    grey = f"{len(class_names) - 10} other" if len(class_names) > 10 else "too rare to draw"
    assert f" · {grey} " in text


def test_a_long_name_is_cut_before_a_class_is_left_out() -> None:
    slots = slots_of([f"a very long name of class {k}" for k in range(8)])
    lines = legend_lines(slots, Look(), 110, 3)
    assert swatches(lines) == [*range(8), OTHER]
    assert hidden_in(lines) == 0
    assert any("…" in piece.text for line in lines for piece in line)


counts = st.lists(st.integers(0, 400), min_size=1, max_size=14).filter(any)


@settings(max_examples=200)
@given(counts, st.integers(38, 200))
def test_the_classes_of_a_range_fall_and_those_without_room_are_counted(in_class: list[int], width: int) -> None:
    slots = slots_of([f"class {k}" for k in range(len(in_class))])
    n = sum(in_class)
    facts = RangeFacts(0, 1, True, n, n, 0.5, 1, n, np.array(in_class, dtype=np.int32))
    pieces = share_pieces(facts, slots, width)
    assert width_of(pieces) <= width
    shown = [re.match(r"class (\d+) (\d+) ", piece.text) for piece in pieces]
    read = [(int(match[1]), int(match[2])) for match in shown if match]
    assert read == sorted(read, key=lambda pair: (-pair[1], pair[0]))
    assert all(in_class[class_id] == count for class_id, count in read)
    assert len(read) + hidden_in([pieces]) == sum(count > 0 for count in in_class)


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ((0, 2, False, 3, 50, 1.25, 10, 12), ["range 4 of 30", "[0, 2)", "3 of 50", "(6 %)", "mean 1.25", "10–12"]),
        ((0, 2, True, 1, 1, 2.0, 1, 1), ["[0, 2]", "1 of 1", "(100 %)", "rank 1 from"]),
        ((-0.5, 0, False, 0, 1200, float("nan"), 7, 6), ["[−0.5, 0)", "0 of 1,200", "(0 %)"]),
    ],
)
def test_a_range_is_told_with_its_edges_and_ranks(
    facts: tuple[float, float, bool, int, int, float, int, int], words: list[str]
) -> None:
    said = range_words(RangeFacts(*facts, np.zeros(2, dtype=np.int32)), 3, 30)
    for part in words:
        assert part in said
    assert ("mean" in said) == (facts[3] > 0)


values = st.lists(st.floats(-50, 50, width=32) | st.sampled_from([0.0, np.nan, np.inf]), min_size=1, max_size=20)


@given(values)
def test_a_unit_is_told_with_the_numbers_of_its_values(some: list[float]) -> None:
    m = basic_measures(np.array([some], dtype=np.float32))
    reviewed = np.zeros(1, dtype=np.bool_)
    units = UnitTable(m.n, m.lo, m.hi, m.mean, m.std, m.density, m.zeros, m.non_finite, reviewed)
    said = dict(re.findall(r"(lo|hi|zeros|n|NaN or infinite) (\S+)(?:  |$)", unit_words(units, 0)))
    finite = [value for value in some if np.isfinite(value)]
    if not finite:
        assert "no finite value" in unit_words(units, 0)
        return
    assert int(said["n"]) == len(finite)
    assert int(said["zeros"]) == finite.count(0)
    assert int(said.get("NaN or infinite", 0)) == len(some) - len(finite)
    for name, value in (("lo", min(finite)), ("hi", max(finite))):
        assert float(said[name].replace("−", "-")) == pytest.approx(value, rel=1e-2)
