from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nastui.engine.loader import first_decodable
from nastui.engine.sources import ImageSource, load_source
from nastui.errors import DataNotFound


def keys(source: ImageSource) -> list[str]:
    return [source.key(index) for index in range(len(source.labels))]


def table(folder: Path, text: str, name: str = "list.csv") -> ImageSource:
    (folder / name).write_bytes(text.encode())
    return load_source(f"csv:{folder / name}")


@pytest.mark.parametrize(
    "text",
    [
        "path,label\na.png,cat\nb/c.png,dog\n",
        "\ufeffImage , Class\r\na.png,cat\r\n\r\nb/c.png,dog\r\n",
        "label;file;width\ncat;a.png;4\ndog;b/c.png;4",
        '"target"\t"filename"\ncat\t"a.png"\n\n\n dog \t b/c.png \n',
    ],
    ids=["commas", "byte order mark, blank line, CRLF", "semicolons and a third column", "tabs and quotes"],
)
def test_tables_as_programs_write_them_are_understood(tmp_path: Path, text: str) -> None:
    source = table(tmp_path, text)
    assert (source.classes, list(source.labels)) == (("cat", "dog"), [0, 1])
    assert keys(source) == ["a.png", "b/c.png"]
    assert source.root == tmp_path


def test_quotes_keep_commas_and_line_breaks(tmp_path: Path) -> None:
    source = table(tmp_path, 'path,label\n"a, b.png","tench, Tinca tinca"\n')
    assert (keys(source), source.classes) == (["a, b.png"], ("tench, Tinca tinca",))


def test_other_columns_are_named(tmp_path: Path) -> None:
    (tmp_path / "birds.tsv").write_text("photo\tspecies\tlabel\na.png\twren\t1\n")
    source = load_source(f"csv:{tmp_path / 'birds.tsv'}:photo,species")
    assert (source.classes, keys(source)) == (("wren",), ["a.png"])
    with pytest.raises(DataNotFound, match="has no column for paths, only photo, species, label"):
        load_source(f"csv:{tmp_path / 'birds.tsv'}")
    with pytest.raises(DataNotFound, match="has no column foto"):
        load_source(f"csv:{tmp_path / 'birds.tsv'}:foto,species")


def test_numbers_are_ordered_by_value_and_named_by_a_file_beside_the_table(tmp_path: Path) -> None:
    text = "path,label\na,10\nb,9\nc,10\n"
    source = table(tmp_path, text)
    assert (source.classes, list(source.labels)) == (("9", "10"), [1, 0, 1])
    (tmp_path / "classes.txt").write_text("\n".join(f"name{i}" for i in range(11)) + "\n\n")
    source = table(tmp_path, text + "d,name3\n")
    assert (source.classes[10], list(source.labels)) == ("name10", [10, 9, 10, 3])
    (tmp_path / "classes.txt").write_text("only\none\n")
    with pytest.raises(DataNotFound, match="has the label 10, but there are 2 class names"):
        table(tmp_path, text)


def test_paths_start_from_the_table_s_folder_or_are_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for place in ("lists/a.png", "images/b.png", "c.png"):
        (tmp_path / place).parent.mkdir(exist_ok=True)
        Image.new("L", (2, 2), 7).save(tmp_path / place)
    paths = ["a.png", "./a.png", str(tmp_path / "lists/a.png"), "../images/b.png", str(tmp_path / "c.png"), "x\\y.png"]
    monkeypatch.chdir("/")
    source = table(tmp_path / "lists", "path,label\n" + "".join(f"{path},x\n" for path in paths))
    assert keys(source) == ["a.png", "a.png#2", "a.png#3", "../images/b.png", f"{tmp_path}/c.png", "x/y.png"]
    assert [np.asarray(source.load(index).picture).max() for index in range(5)] == [7] * 5


def test_a_missing_file_fails_alone_and_when_all_are_missing_it_is_said(tmp_path: Path) -> None:
    source = table(tmp_path, "path,label\n" + "".join(f"{i}.png,x\n" for i in range(150)))
    assert source.stamp(0) is None
    with pytest.raises(DataNotFound, match=rf"No image of csv:.* can be read: .*{tmp_path}/149.png"):
        first_decodable(source, range(150))
    Image.new("L", (2, 2)).save(tmp_path / "120.png")
    assert first_decodable(source, range(150)).width == 2


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty, or begins with an empty line"),
        ("path,label\n", "lists no images"),
        ("a.png,cat\nb.png,dog\n", "first line of .* is an image's already: a.png, cat"),
        ("path,kind\na.png,cat\n", "has no column for labels, only path, kind"),
        ("path,label\na.png,cat\n\nb.png,\n", "line 4 has no label"),
        ("path,label\na.png\n", "line 2 has no label"),
        ("path,label\n,cat\n", "line 2 has no path"),
    ],
)
def test_a_table_that_cannot_be_used_says_where(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(DataNotFound, match=words):
        table(tmp_path, text)


def test_a_table_that_is_no_text_says_so(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes("path,label\ncaf\xe9.png,x\n".encode("latin-1"))
    with pytest.raises(DataNotFound, match="is not UTF-8 text"):
        load_source(f"csv:{tmp_path / 'a.csv'}")
    with pytest.raises(DataNotFound, match=r"The file .*/b\.csv does not exist"):
        load_source(f"csv:{tmp_path / 'b.csv'}")
    with pytest.raises(DataNotFound, match="is a folder"):
        load_source(f"csv:{tmp_path}")
    with pytest.raises(DataNotFound, match="names no image set") as caught:
        load_source(f"{tmp_path / 'a.csv'}")
    assert caught.value.hint == f"Did you mean csv:{tmp_path / 'a.csv'}?"
