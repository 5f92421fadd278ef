"""The probes of a unit in words."""

from __future__ import annotations

import numpy as np
import pytest

from nastui.views.classes import ClassSlots
from nastui.views.look import Look
from nastui.views.probe_lines import probe_lines, probe_tile
from nastui.views.probe_marks import UnitProbes
from nastui.views.unit_chart import paint_chart
from nastui.views.unit_view import UnitView
from tests.fake_run import FakeRun
from tests.probed_run import probe


def unit_probes(values: list[float], **changes: object) -> UnitProbes:
    """In a unit with the ranges [0, 1), [1, 2), [2, 4]; a hundred images rise from 0 to 4."""
    probes = tuple(probe(i + 1, f"{'x' * i}{i}.png", **changes) for i in range(len(values)))
    among = np.linspace(0, 4, 101, dtype=np.float32)
    return UnitProbes.find(probes, np.array(values, np.float32), among, np.array([0, 1, 2, 4.0]), 3)


def texts(found: UnitProbes, stop: int = 0, n_lines: int = 9, width: int = 110) -> list[str]:
    return ["".join(piece.text for piece in line).rstrip() for line in probe_lines(found, stop, n_lines, width)]


def test_a_line_says_which_it_is_what_it_gets_and_where_that_lies() -> None:
    lines = texts(unit_probes([1.5, 7, -1, np.nan]))
    assert lines[0] == " 1 0.png          1.5  range 2             above  38 % of the images   predicted dog 4.5"
    assert lines[1].startswith(" 2 x1.png           7  above the highest   above 100 % of the images")
    assert lines[2].startswith(" 3 xx2.png         −1  below the lowest    above   0 % of the images")
    assert lines[3] == " 4 xxx3.png         –  no finite value     predicted dog 4.5"


def test_those_of_the_range_come_first_where_not_all_have_a_line() -> None:
    found = unit_probes([0.5, 0.6, 2.5, 0.7, 3])
    assert [line[:2].strip() for line in texts(found, stop=2, n_lines=3)] == ["3", "5", ""]
    assert texts(found, stop=2, n_lines=3)[-1].strip() == "and 3 more probes"
    assert [line[1] for line in texts(found, stop=2, n_lines=1)] == ["3"]
    for width in (60, 79, 110):
        (line,) = texts(found, stop=2, n_lines=1, width=width)
        assert line.endswith("and 4 more probes")
        assert len(line) <= width
    assert len(texts(found, n_lines=5)) == 5


@pytest.mark.parametrize("width", [20, 40, 79])
def test_text_from_data_is_text_and_lines_fit(width: int) -> None:
    found = unit_probes([1.5], note="\x1b[31mred [bold]", source="/a/[b]\x07.png")
    lines = texts(found, width=width)
    assert len(lines[0]) <= width
    whole = texts(found, width=200)[0]
    assert "\x1b" not in whole
    assert whole.endswith("·[31mred [bold]")
    assert "[b]·.png" in whole
    assert probe_tile(found, 0, None).caption == ("1 [b]·.png", "1.5")


def test_a_note_follows_and_a_model_without_logits_says_nothing() -> None:
    assert texts(unit_probes([1.5], note="grey", top5=()))[0].endswith("of the images   grey")


@pytest.mark.parametrize("height", [3, 5, 6, 14])
def test_the_chart_marks_them_where_they_lie(height: int) -> None:
    run = FakeRun()
    view = UnitView.build(run.values(run.layers()[0], 3), run.image_table(), 4, 10)
    edges = view.footprints.edges[0]
    stop = view.stops()[3]
    width = float(edges[stop + 1] - edges[stop])
    values = np.array([edges[stop] + 0.9 * width, edges[-3 if np.isnan(edges[-1]) else -1] + 9], np.float32)
    found = UnitProbes.find((probe(1, "a"), probe(2, "b")), values, view.values, edges, view.n_ranges)
    lines = paint_chart(
        view, view.stops()[0], ClassSlots.choose(run.classes()), Look(), None, found, size=(104, height)
    )
    rows = ["".join(cell.glyph for cell in line) for line in lines]
    mark_row = rows[-3 if height >= 6 else -2]
    assert "1" in mark_row
    assert ">2" in mark_row
    start = stop * 9 + (2 if 0 < view.n_left <= stop and view.n_left < view.n_ranges else 0)
    assert start <= mark_row.index("1") < start + 9
    assert mark_row.index("1") - start == 7, "nine tenths of the way"
    assert "▲" in rows[-2]
