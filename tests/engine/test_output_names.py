"""Predictions are shown by the names that a class map gives."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from nastui.engine.class_names import ClassMap, match_classes
from nastui.engine.output_names import name_outputs
from nastui.engine.probing import probe_images
from nastui.engine.scan import scan
from nastui.store.reader import RunReader
from tests.scanned_files import NET


@pytest.mark.parametrize(
    ("classes", "names", "class_map", "outputs"),
    [
        (["ant", "bee"], None, {"ant": 2, "bee": 0}, ("bee", "1", "ant")),
        (["ant"], None, {"ant": 2, "wasp": 1}, ("0", "wasp", "ant")),  # an entry without images in this set
        (["ant", "emmet"], None, {"ant": 2, "emmet": 2}, ("0", "1", "ant, emmet")),
        (["ant"], ("a", "b", "c"), {"ant": 2}, ("a", "b", "ant")),
        (["n01440764"], ("goldfish", "tench", "crane"), {"n01440764": "tench"}, ("goldfish", "tench", "crane")),
        (["n01440764"], None, {"n01440764": 1, "tench": 1}, ("0", "tench", "2")),  # ImageNet's own list
        (["n01440764"], None, {"n01440764": 1}, ("0", "n01440764", "2")),
        (["0"], None, {"0": 2}, ("output 0", "1", "0")),  # folder 0 shows output 2: no other may be called 0
        (["ant"], ("a", "b"), {}, ("0", "1", "2")),  # names of another model
        (["ant"], ("a", "b", "c"), {}, ("a", "b", "c")),
    ],
)
def test_outputs_are_called_what_the_class_map_calls_them(
    classes: Sequence[str], names: Sequence[str] | None, class_map: ClassMap, outputs: tuple[str, ...]
) -> None:
    match = match_classes(classes, names, 3, class_map)
    assert name_outputs(names, 3, match, class_map) == outputs


def test_images_and_probes_are_predicted_by_name_with_a_class_map(files: Path) -> None:
    (files / "net.py").write_text(NET.replace('classes = ("ant", "bee", "cat")', ""))
    (files / "map.csv").write_text("ant,0\nbee,1\ncat,2\n")
    out = files / "run.nas.db"
    spec, data = f"{files / 'net.py'}:net", f"imagefolder:{files / 'images'}"
    scan(spec, data, out=out, weights=files / "net.pt", class_map=files / "map.csv", on_progress=lambda _: None)
    probe_images(out, sorted((files / "images" / "bee").iterdir())[:1])
    with RunReader(out) as run:
        images = run.images(range(48))
        assert {image.predicted for image in images} == {"ant", "bee", "cat"}
        assert all((image.predicted != image.class_name) == image.is_wrong for image in images)
        assert all({name for name, _ in image.top5} == {"ant", "bee", "cat"} for image in images)
        assert {name for probe in run.probes() for name, _ in probe.top5} == {"ant", "bee", "cat"}
