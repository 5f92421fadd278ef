from __future__ import annotations

from pathlib import Path

import pytest
from torchvision.models import AlexNet_Weights

from nastui.engine.class_map import read_class_map
from nastui.engine.class_names import match_classes
from nastui.errors import ClassNotFound

IMAGENET = AlexNet_Weights.DEFAULT.meta["categories"]
OUTPUTS = ("goldfish", "ice cream", "t-shirt", "yellow lady's slipper", "tench, Tinca tinca", "crane", "crane")


@pytest.mark.parametrize(
    ("name", "output"),
    [
        ("goldfish", 0),
        ("Goldfish", 0),
        ("n01443537_goldfish", 0),
        ("ice_cream", 1),
        ("icecream", 1),
        ("T shirt", 2),
        ("yellow_ladys_slipper", 3),
        ("tench", 4),
        ("Tinca_tinca", 4),
    ],
)
def test_a_class_finds_its_output_however_the_name_is_written(name: str, output: int) -> None:
    match = match_classes([name], OUTPUTS, len(OUTPUTS))
    assert (match.outputs, match.unmatched, match.note) == ((output,), (), "by name")


def test_the_position_of_a_class_never_matters() -> None:
    assert match_classes(["t-shirt", "goldfish"], OUTPUTS, len(OUTPUTS)).outputs == (2, 0)


def test_what_is_ambiguous_or_unknown_is_left_out_and_said() -> None:
    match = match_classes(["crane", "goldfisch"], OUTPUTS, len(OUTPUTS))
    assert (match.outputs, match.n_matched) == ((None, None), 0)
    assert [str(one) for one in match.unmatched] == [
        "crane: fits the outputs 5, 6",
        "goldfisch: no output of that name; nearest: goldfish",
    ]


def test_a_class_map_settles_it() -> None:
    match = match_classes(
        ["crane", "Goldfish", "slipper"], OUTPUTS, 7, {"crane": 6, "slipper": "Yellow lady's slipper"}
    )
    assert match.outputs == (6, 0, 3)
    assert match.note == "2 by class map, else by name"


def test_a_class_map_that_names_none_of_the_classes_is_doubted() -> None:
    match = match_classes(["goldfish", "pelican"], OUTPUTS, len(OUTPUTS), {"goldfihs": 0, "pelikan": 1})
    assert match.note == "0 by class map (it names no class of these images, but goldfihs, pelikan), else by name"


@pytest.mark.parametrize(
    ("output", "words"), [(7, "has 7, from 0"), ("gold fsh", "does not have"), ("crane", "fits several")]
)
def test_a_class_map_that_names_no_output_is_refused(output: str | int, words: str) -> None:
    with pytest.raises(ClassNotFound, match=words):
        match_classes(["a"], OUTPUTS, 7, {"a": output})


def test_bare_wordnet_ids_match_outputs_with_ids_or_through_a_map() -> None:
    assert match_classes(["n01443537"], ["n01440764 tench", "n01443537 goldfish"], 2).outputs == (1,)
    assert match_classes(["n01443537"], IMAGENET, 1000).outputs == (None,)
    assert match_classes(["n01443537"], IMAGENET, 1000, {"n01443537": "goldfish"}).outputs == (1,)


def test_numbered_classes_match_nameless_outputs_only_if_all_are_outputs() -> None:
    match = match_classes(["3", "10", "0"], None, 11)
    assert match.outputs == (3, 10, 0)
    assert match.note.startswith("by number")
    assert match_classes(["3", "11"], None, 11).outputs == (None, None)
    assert match_classes(["3", "x"], None, 11).unmatched[0].reason == "the outputs have no names"


def test_names_of_another_number_than_the_outputs_match_nothing() -> None:
    match = match_classes(["goldfish"], OUTPUTS, 1000)
    assert match.outputs == (None,)
    assert match.note == "not at all: the model has 1,000 outputs, but 7 names were given for them"


def test_imagenet_s_cranes_are_told_apart_by_id_and_never_guessed() -> None:
    match = match_classes(["crane", "n02012849_crane", "n03126707", "maillot", "n02113186_Cardigan"], IMAGENET, 1000)
    assert match.outputs == (None, 134, 517, None, 264)
    assert str(match.unmatched[0]) == "crane: fits the outputs 134, 517"


def test_all_of_imagenet_s_folders_match(shared_data: Path) -> None:
    lines = (shared_data / "imagenet/imagenet_classes.tsv").read_text().splitlines()
    folders = ["_".join(line.split("\t")[1:]) for line in lines]
    assert match_classes(folders, IMAGENET, 1000).outputs == tuple(range(1000))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("map.csv", "class,output\ncat,3\n# comment\n\ndog , a good dog\n"),
        ("map.tsv", "cat\t3\ndog\ta good dog\n"),
        ("map.json", '{"cat": 3, "dog": "a good dog"}'),
        ("map.txt", '\ufeffcat,3\r\ndog,"a good dog"\r\n'),
    ],
)
def test_class_maps_are_read_from_tables_and_json(tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    path.write_bytes(text.encode())
    assert read_class_map(path) == {"cat": 3, "dog": "a good dog"}


@pytest.mark.parametrize(
    ("name", "text"), [("c.tsv", "0\tn01440764\ttench\n"), ("c.json", '{"0": ["n01440764", "tench"]}')]
)
def test_imagenet_s_own_lists_are_class_maps(tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    assert read_class_map(path) == {"n01440764": 0, "tench": 0}


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("m.csv", "cat\n", "line 1 has one cell: 'cat'"),
        ("m.csv", "", "is empty"),
        ("m.json", "[1]", "it holds a list"),
        ("m.json", "{", "not as expected"),
        ("m.json", '{"cat": null}', "'cat' has a NoneType"),
        ("m.json", '{"cat": ["x"]}', "'cat' is no output number"),
    ],
)
def test_a_class_map_that_cannot_be_read_says_why(tmp_path: Path, name: str, text: str, words: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(ClassNotFound, match=words) as caught:
        read_class_map(tmp_path / name)
    assert "a line a class" in caught.value.hint


def test_a_name_of_two_outputs_stands_for_none_and_is_refused_where_it_is_all_there_is(tmp_path: Path) -> None:
    (tmp_path / "m.json").write_text('{"134": ["n02012849", "crane"], "517": ["n03126707", "crane"]}')
    assert read_class_map(tmp_path / "m.json") == {"n02012849": 134, "n03126707": 517}
    (tmp_path / "m.csv").write_text("cat,3\ndog,1\ncat,5\n")
    with pytest.raises(ClassNotFound, match="gives 'cat' the outputs 3 and 5"):
        read_class_map(tmp_path / "m.csv")
    (tmp_path / "m.csv").write_text("cat,3\ncat,3\n")
    assert read_class_map(tmp_path / "m.csv") == {"cat": 3}


def test_a_class_map_that_is_no_text_says_so(tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_bytes(b"caf\xe9,1\n")
    with pytest.raises(ClassNotFound, match="is not UTF-8 text"):
        read_class_map(tmp_path / "m.csv")


def test_a_class_map_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(ClassNotFound, match="No such file"):
        read_class_map(tmp_path / "nowhere.csv")
