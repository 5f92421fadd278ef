"""A run stored as float16: what rounding may do to a value and what not, and that all else is as ever."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from nastui.errors import ScanError
from nastui.records import Float32
from nastui.stats.measures import basic_measures
from nastui.store.half_precision import to_float16, to_float32
from nastui.store.layer_values import LayerValues
from nastui.store.reader import RunReader
from nastui.store.writer import RunWriter
from tests.store.small_scan import (
    HALF_LAYERS,
    SPEC,
    append,
    batch,
    contents,
    create,
    is_failed,
    make_run,
    values,
)

N = 40
DECODED = [image for image in range(N) if not is_failed(image)]

floats = st.floats(width=32, min_value=-65504, max_value=65504) | st.sampled_from([np.nan, np.inf, -np.inf])


def rounded(numbers: Float32) -> Float32:
    return to_float32(to_float16(numbers[None], "fc", 0)).ravel()


@given(arrays(np.float32, st.integers(1, 30), elements=floats))
@example(np.array([0.0, -0.0, 1e-45, -1e-45, 2.9e-8, 3.1e-8, 65504, -65504], np.float32))
def test_no_value_moves_onto_zero_or_across_it(numbers: Float32) -> None:
    found = rounded(numbers)
    assert np.array_equal(np.sign(found), np.sign(numbers), equal_nan=True)
    assert np.array_equal(np.isfinite(found), np.isfinite(numbers))


@given(arrays(np.float32, st.integers(1, 30), elements=floats))
def test_values_keep_three_digits_and_their_order(numbers: Float32) -> None:
    finite = np.sort(numbers[np.isfinite(numbers)]).astype(np.float64)
    found = rounded(finite.astype(np.float32)).astype(np.float64)
    assert (np.diff(found) >= 0).all()
    assert (np.abs(found - finite) <= np.maximum(np.abs(finite) * 2**-11, 2**-24)).all()


@given(arrays(np.uint16, st.integers(1, 30), elements=st.integers(0, 0xFFFF)))
def test_float16_comes_back_as_the_same_number(bits: np.ndarray[Any, np.dtype[np.uint16]]) -> None:
    halves = bits.view(np.float16)
    assert np.array_equal(to_float32(halves), halves.astype(np.float32), equal_nan=True)
    again = to_float16(to_float32(halves)[None], "fc", 0)[0]
    assert np.array_equal(again, halves, equal_nan=True)


@pytest.mark.parametrize("number", [65520.0, -70123.456, 3.4e38])
def test_a_value_that_does_not_fit_is_refused_by_name(tmp_path: Path, number: float) -> None:
    too_large = values("features.3", N).copy()
    too_large[8, 65] = number
    with create(tmp_path / "run.nas.db", N, layers=HALF_LAYERS) as writer:
        append(writer, 4, N)
        following = batch(4, 7, N)
        with pytest.raises(ScanError) as caught:
            writer.append(replace(following, values={**following.values, "features.3": too_large[4:11]}))
        assert str(caught.value).startswith(f"features.3:65 gave {np.float32(number):,.6g} for image 8;")
        assert "--dtype float32" in caught.value.hint
        assert writer.n_done == 4
    with RunReader(tmp_path / "run.nas.db") as run:
        assert run.info().n_done == 4


def test_infinite_values_and_images_that_failed_are_no_reason_to_refuse(tmp_path: Path) -> None:
    odd = values("features.3", N).copy()
    odd[4] = [np.inf, -np.inf] * 35
    odd[5] = 1e30
    assert is_failed(5)
    with create(tmp_path / "run.nas.db", N, layers=HALF_LAYERS) as writer:
        append(writer, 4, N)
        following = batch(4, 4, N)
        writer.append(replace(following, values={**following.values, "features.3": odd[4:8]}))
    with RunReader(tmp_path / "run.nas.db") as run:
        found = run.activations(run.layer("features.3"))
    assert found[4].tolist() == [np.inf, -np.inf] * 35
    assert np.isnan(found[5]).all()


def test_every_way_of_reading_gives_the_stored_values_as_float32(tmp_path: Path) -> None:
    path = make_run(tmp_path / "run.nas.db", N, layers=HALF_LAYERS)
    with RunReader(path) as run:
        for layer in run.layers():
            expected = to_float32(to_float16(values(layer.path, N), layer.path, 0))
            expected[[image for image in range(N) if is_failed(image)]] = np.nan
            assert layer.value_type == "float16"
            assert run.activations(layer).dtype == np.float32
            assert np.array_equal(run.activations(layer), expected, equal_nan=True)
            assert np.array_equal(run.values(layer, 1), expected[:, 1], equal_nan=True)
            assert np.array_equal(run.image_values(layer, 7), expected[7], equal_nan=True)
            with LayerValues(path, layer) as streamed:
                assert np.array_equal(streamed.read(range(3), range(N)), expected[:, :3].T, equal_nan=True)
            table, measured = run.unit_table(layer), basic_measures(expected[DECODED].T)
            for name in ("n", "lo", "hi", "mean", "zeros", "density"):
                assert np.array_equal(getattr(table, name), getattr(measured, name), equal_nan=True), name


def test_a_stopped_scan_goes_on_to_the_same_file(tmp_path: Path) -> None:
    path = tmp_path / "stopped.nas.db"
    writer = create(path, N, layers=HALF_LAYERS)
    while writer.n_done < N:
        append(writer, 7, N)
        writer.checkpoint()
        if writer.n_done < N:
            append(writer, 2, N)  # is lost
            writer.close()
            writer = RunWriter.resume(path, SPEC)
    writer.finish()
    writer.close()
    assert contents(path) == contents(make_run(tmp_path / "whole.nas.db", N, layers=HALF_LAYERS))


def test_values_take_half_the_space(tmp_path: Path) -> None:
    def bytes_of(path: Path) -> int:
        with RunReader(path) as run:
            _, rows = run.query("SELECT sum(length(value_tile)) FROM activation")
            (found,) = next(rows)
            assert isinstance(found, int)
            return found

    assert 2 * bytes_of(make_run(tmp_path / "half.nas.db", N, layers=HALF_LAYERS)) == bytes_of(
        make_run(tmp_path / "single.nas.db", N)
    )
