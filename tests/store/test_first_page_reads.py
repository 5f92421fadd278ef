"""What the first page of a layer reads is a part of what the whole screen reads."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from nastui.records import UnitTable
from nastui.store.reader import RunReader
from tests.picture_run import LAYER, write_picture_run

N_UNITS = 100


@pytest.mark.parametrize("count", [1, 7, N_UNITS, 2 * N_UNITS])
def test_the_first_units_and_the_extremes_are_those_of_the_table(tmp_path: Path, count: int) -> None:
    path = tmp_path / "run.nas.db"
    write_picture_run(path, n_units=N_UNITS, n_images=60)
    with RunReader(path) as run:
        layer = run.layer(LAYER)
        whole, first, (lo, hi) = run.unit_table(layer), run.first_units(layer, count), run.extremes(layer)
    for field in fields(UnitTable):
        np.testing.assert_array_equal(getattr(first, field.name), getattr(whole, field.name)[:count], field.name)
    np.testing.assert_array_equal(lo, whole.lo)
    np.testing.assert_array_equal(hi, whole.hi)
