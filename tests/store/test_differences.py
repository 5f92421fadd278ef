"""A scan that is not the one in the file is refused by what differs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from nastui.errors import OutputExists
from nastui.store.differences import KeptLayer, what_differs
from nastui.store.writer import RunWriter
from tests.store.small_scan import HALF_LAYERS, SPEC, contents, create, make_run

KNOWN = replace(SPEC, layers_sha256="e5", preprocessing='{"size": 224, "mean": [0.5]}')


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"weights_sha256": "f6"}, "the weights of torchvision:alexnet (sha256 a1…, now f6…)"),
        (
            {"preprocessing_sha256": "f6", "preprocessing": '{"size": 224, "mean": [0.4]}'},
            "preprocessing: mean [0.5], now [0.4]",
        ),
        ({"preprocessing_sha256": "f6", "preprocessing": "[]"}, "preprocessing: size 224, now not given"),
        ({"manifest_sha256": "f6"}, "the images of imagefolder:photos, their classes, names, sizes or order"),
        ({"layers_sha256": "f6"}, "the layers: other ones, or others of their shapes"),
        ({"reduction": "mean", "layers_sha256": "f6"}, "reduction max, now mean"),
        ({"seed": 8, "layers_sha256": "f6"}, "seed 7, now 8"),
        ({"ranges": 20}, "ranges 6, now 20"),
        ({}, "what the classes or outputs are called"),
    ],
)
def test_one_thing_that_differs_is_named_alone(changes: dict[str, Any], words: str) -> None:
    wanted = replace(KNOWN, scan_sha256="other", **changes)
    different = what_differs(KNOWN, wanted)
    assert len(different) == 1
    assert different[0].startswith(words)
    assert what_differs(KNOWN, replace(KNOWN, command="again", data="elsewhere")) == []


def test_a_run_of_an_older_nastui_has_no_sum_over_its_layers() -> None:
    (different,) = what_differs(replace(KNOWN, layers_sha256=""), replace(KNOWN, scan_sha256="other", seed=8))
    assert different == "seed 7, now 8"


CONV, BLOCK, HEAD = (
    KeptLayer("conv", "Conv2d", (6, 5, 5), "float32", None),
    KeptLayer("block", "Block", (17, 8), "float32", "all"),
    KeptLayer("head", "Linear", (3,), "float32", None),
)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ([one._replace(value_type="float16") for one in (CONV, BLOCK, HEAD)], "dtype float32, now float16"),
        ([CONV, BLOCK._replace(tokens="class"), HEAD], "tokens all, now class"),
        ([CONV, HEAD], "layers: 3, now 2 (without block)"),
        (
            [CONV, BLOCK, HEAD, *(HEAD._replace(path=f"fc{i}") for i in range(5))],
            "layers: 3, now 8 (also fc0, fc1, fc2 and 2 more)",
        ),
        ([CONV, BLOCK, HEAD._replace(path="fc")], "layers: 3, now 3 (without head, also fc)"),
        ([CONV, BLOCK, HEAD._replace(shape=(4, 2))], "layers: head was Linear 3, now Linear 4×2"),
    ],
)
def test_a_setting_of_the_layers_is_named_with_both_values(changed: list[KeptLayer], words: str) -> None:
    wanted = replace(KNOWN, scan_sha256="other", layers_sha256="f6")
    assert what_differs(KNOWN, wanted, [CONV, BLOCK, HEAD], changed) == [words]


def test_shapes_that_follow_from_something_else_are_left_out() -> None:
    wanted = replace(KNOWN, scan_sha256="other", layers_sha256="f6", seed=8)
    assert what_differs(KNOWN, wanted, [CONV], [CONV._replace(shape=(6, 7, 7))]) == ["seed 7, now 8"]


def test_a_scan_with_another_dtype_is_refused_by_it(tmp_path: Path) -> None:
    path = make_run(tmp_path / "run.nas.db", 12, n_done=8)
    wanted = replace(SPEC, scan_sha256="other", layers_sha256="f6")
    with pytest.raises(OutputExists, match=r"What differs: dtype float32, now float16\."):
        RunWriter.resume(path, wanted, HALF_LAYERS)


def test_all_that_differs_is_in_the_refusal_and_the_file_stays(tmp_path: Path) -> None:
    path = make_run(tmp_path / "run.nas.db", 12, n_done=8)
    before = contents(path)
    wanted = replace(SPEC, scan_sha256="other", weights_sha256="f6", seed=8)
    words = r"What differs: the weights of .*\(sha256 a1…, now f6…\); seed 7, now 8\."
    with pytest.raises(OutputExists, match=words):
        RunWriter.resume(path, wanted)
    with pytest.raises(OutputExists, match=words):
        create(path, 12, scan_sha256="other", weights_sha256="f6", seed=8)
    assert contents(path) == before
