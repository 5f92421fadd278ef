from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from nastui.records import LayerInfo, RunInfo
from nastui.views.run_facts import run_rows
from tests.small_run import SPEC

INFO = RunInfo(Path("pets.nas.db"), "2026-05-09T07:36:57Z", None, SPEC, 1200, 5, 0, 0, None)
LAYERS = [
    LayerInfo(1, "conv", "Conv2d", (2, 3, 3), 1, "neuron", 2, None, 0),
    LayerInfo(2, "wide", "Linear", (3000,), 2, "neuron", 3000, None, 0),
    LayerInfo(2, "wide", "Linear", (3000,), 3, "pca", 9, None, 0),
]


def test_each_part_of_a_run_has_its_sum() -> None:
    spec = replace(SPEC, layers_sha256="e" * 64)
    rows = dict(run_rows(replace(INFO, spec=spec), LAYERS))
    assert rows["model"] == "net.py:build"
    assert rows["weights"] == "net.pt  sha256 aaaaaaaaaaaa…"
    assert rows["images"] == "1,200 of imagefolder:pets  sha256 cccccccccccc…"
    assert rows["preprocessing"] == "sha256 bbbbbbbbbbbb…"
    assert rows["  size"] == "8"
    assert rows["layers"] == "2, 3,002 units  sha256 eeeeeeeeeeee…", "bases are computed, not scanned"
    assert (rows["stored as"], rows["tokens"]) == ("float32", "none in these layers")
    halves = [replace(layer, value_type="float16", tokens="class") for layer in LAYERS]
    rows_of_halves = dict(run_rows(INFO, halves))
    assert (rows_of_halves["stored as"], rows_of_halves["tokens"]) == ("float16", "class")
    assert rows["scan"] == "sha256 dddddddddddd…"
    assert rows["finished"] == "not yet"


def test_how_the_model_was_run_stands_there_as_far_as_anybody_noted_it() -> None:
    assert dict(run_rows(INFO, LAYERS))["computing"] == "not noted"
    assert dict(run_rows(INFO, LAYERS))["layers"].endswith("no sha256")
    computing = '{"device": "cuda:0", "memory_format": "channels_last", "effect": {"images": 8, "logits": 0.1}}'
    rows = dict(run_rows(replace(INFO, spec=replace(SPEC, computing=computing)), LAYERS))
    assert rows["  memory format"] == "channels_last"
    assert rows["  effect"] == "images 8, logits 0.1"


def test_a_preprocessing_of_another_program_is_shown_as_it_is() -> None:
    for text in ("resize, then crop", "[224]"):
        rows = run_rows(replace(INFO, spec=replace(SPEC, preprocessing=text)), LAYERS)
        assert ("", text) in rows
