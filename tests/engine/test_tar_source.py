"""tar: and wds:, against Python's own tarfile."""

from __future__ import annotations

import gzip
import io
import json
import random
import tarfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nastui.engine.sources import ImageSource, load_source
from nastui.engine.sources.tar_headers import tar_members
from nastui.errors import DataNotFound
from tests.image_forms import write_tar


def png(value: int) -> bytes:
    data = io.BytesIO()
    Image.new("L", (2, 3), value).save(data, "PNG")
    return data.getvalue()


def keys(source: ImageSource) -> list[str]:
    return [source.key(index) for index in range(len(source.labels))]


@pytest.mark.parametrize("kind", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_files_lie_where_tarfile_finds_them(tmp_path: Path, kind: int) -> None:
    rng = random.Random(0)
    names = [f"{'d' * rng.choice([1, 40, 90])}/{i:04}{'n' * rng.choice([0, 20, 80])}.bin" for i in range(60)]
    if kind != tarfile.USTAR_FORMAT:
        names += ["./a.bin", "é" * 70 + ".bin", "x" * 300 + ".bin"]
    path = tmp_path / "a.tar"
    write_tar(path, {name: rng.randbytes(rng.choice([0, 1, 511, 512, 513, 3000])) for name in names}, kind)
    with tarfile.open(path) as archive:
        wanted = [(one.name.removeprefix("./"), one.offset_data, one.size) for one in archive.getmembers()]
    assert [(one.name, one.offset, one.size) for one in tar_members(path, ())] == wanted
    whole = path.read_bytes()
    assert all(one.content == whole[one.offset : one.offset + one.size] for one in tar_members(path, (".bin",)))


def test_folders_links_and_old_archives_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w", format=tarfile.GNU_FORMAT) as archive:
        for name, kind in (("cat", tarfile.DIRTYPE), ("cat/link.png", tarfile.SYMTYPE)):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "y" * 200
            archive.addfile(info)
        info = tarfile.TarInfo("cat/1.png")
        info.size = len(png(1))
        archive.addfile(info, io.BytesIO(png(1)))
    assert keys(load_source(f"tar:{path}")) == ["a.tar/cat/1.png"]
    header = bytearray(512)  # as tar wrote it in 1979: no magic
    fields = ((0, b"cat/1.png"), (100, b"0000644\0"), (124, b"%011o\0" % len(png(9))), (148, b" " * 8))
    for start, field in fields:
        header[start : start + len(field)] = field
    header[148:156] = b"%06o\0 " % sum(header)
    path.write_bytes(bytes(header) + png(9).ljust(512, b"\0") + bytes(1024))
    assert np.asarray(load_source(f"tar:{path}").load(0).picture).max() == 9


def test_the_size_that_octal_digits_cannot_hold_is_understood(tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    info = tarfile.TarInfo("huge.bin")
    info.size = 9 << 30
    header = info.tobuf(tarfile.GNU_FORMAT)
    with path.open("wb") as file:
        file.write(header)
        file.truncate(len(header) + info.size)  # no byte of it is on the disk
    (member,) = tar_members(path, ())
    assert (member.offset, member.size) == (512, 9 << 30)


@pytest.mark.parametrize(
    ("label", "classes"),
    [
        (lambda i: {"cls": b"%d" % (i * 7)}, ("0", "7", "14")),
        (lambda i: {"cls": b"%d\n" % i, "txt": b"a caption", "json": b"{}"}, ("0", "1", "2")),
        (lambda i: {"txt": "äöü"[i].encode()}, ("ä", "ö", "ü")),
        (lambda i: {"json": json.dumps({"label": i, "id": 9}).encode()}, ("0", "1", "2")),
        (lambda i: {"json": json.dumps({"class": "xyz"[i]}).encode()}, ("x", "y", "z")),
        (lambda i: {"json": json.dumps(i).encode()}, ("0", "1", "2")),
        (lambda i: {"CLS": b"%d" % i}, ("0", "1", "2")),
    ],
    ids=["numbers", "the first of several", "texts", "JSON numbers", "JSON texts", "JSON alone", "capitals"],
)
def test_labels_are_read_from_the_files_of_a_sample(
    tmp_path: Path, label: Callable[[int], dict[str, bytes]], classes: tuple[str, ...]
) -> None:
    for shard in range(3):
        write_tar(
            tmp_path / f"s-{shard}.tar",
            {"a/1.JPG": png(shard), **{f"a/1.{kind}": data for kind, data in label(shard).items()}},
        )
    source = load_source(f"wds:{tmp_path}/s-{{0..2}}.tar")
    assert (source.classes, list(source.labels)) == (classes, [0, 1, 2])
    assert keys(source) == ["s-0.tar/a/1.JPG", "s-1.tar/a/1.JPG", "s-2.tar/a/1.JPG"]
    assert [np.asarray(source.load(index).picture).max() for index in range(3)] == [0, 1, 2]


def test_of_several_images_of_a_sample_the_plain_one_is_taken(tmp_path: Path) -> None:
    files = {
        "1.mask.png": png(0),
        "1.cls": b"5",
        "1.png": png(9),
        "1.right.png": png(0),
        "2.a.png": png(8),
        "2.cls": b"5",
    }
    write_tar(tmp_path / "a.tar", files)
    source = load_source(f"tar:{tmp_path / 'a.tar'}")
    assert keys(source) == ["a.tar/1.png", "a.tar/2.a.png"]


def test_without_labels_folders_are_classes(tmp_path: Path) -> None:
    files = {"train/dog/photo.2020.png": png(0), "train/dog/photo.2021.png": png(1), "./train/cat/1.png": png(2)}
    write_tar(tmp_path / "a.tar", {**files, "README.txt": b"not a label", "train/._1.png": b"", "meta.json": b"{"})
    source = load_source(f"tar:{tmp_path}")
    assert (source.classes, list(source.labels)) == (("cat", "dog"), [1, 1, 0])
    assert keys(source)[2] == "a.tar/train/cat/1.png"


def test_a_file_beside_the_shards_names_the_classes(tmp_path: Path) -> None:
    write_tar(tmp_path / "a.tar", {"1.png": png(0), "1.cls": b"1"})
    (tmp_path / "classes.txt").write_text("cat\ndog\n")
    source = load_source(f"tar:{tmp_path}")
    assert (source.classes, list(source.labels)) == (("cat", "dog"), [1])


def test_images_may_be_read_by_many_threads_in_any_order(tmp_path: Path) -> None:
    files = {f"{i:03}.{kind}": data for i in range(200) for kind, data in (("png", png(i)), ("cls", b"0"))}
    write_tar(tmp_path / "a.tar", files)
    source = load_source(f"tar:{tmp_path / 'a.tar'}")
    order = random.Random(0).sample(range(200), 200)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda index: int(np.asarray(source.load(index).picture).max()), order))
    assert found == order


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"1.png": b"", "1.cls": b"0", "2.png": b""}, r"2\.png in .*a\.tar has no label"),
        ({"1.png": b""}, r"1\.png in .*a\.tar has no label, and lies in no folder"),
        ({"1.cls": b"0"}, "holds no images"),
        ({"1.png": b"", "1.cls": b"\xff"}, r"1\.cls in .* is no label"),
        ({"1.png": b"", "1.json": b"{"}, r"1\.json in .* is no label"),
        ({"1.png": b"", "1.json": b'{"caption": "a cat"}'}, r"1\.json in .* holds no label"),
        ({"1.png": b"", "1.cls": b" "}, r"1\.cls in .* holds no label"),
    ],
)
def test_a_shard_without_labels_says_where(tmp_path: Path, files: dict[str, bytes], words: str) -> None:
    write_tar(tmp_path / "a.tar", files)
    with pytest.raises(DataNotFound, match=words):
        load_source(f"tar:{tmp_path / 'a.tar'}")


def test_shards_that_do_not_all_have_labels_are_refused(tmp_path: Path) -> None:
    write_tar(tmp_path / "a.tar", {"x/1.png": b"", "x/1.cls": b"1"})
    write_tar(tmp_path / "b.tar", {"x/1.png": b""})
    with pytest.raises(DataNotFound, match=r"a\.tar and b\.tar in .* do not both have labels"):
        load_source(f"tar:{tmp_path}")


def test_a_shard_that_ends_too_early_says_after_which_file(tmp_path: Path) -> None:
    write_tar(tmp_path / "a.tar", {"1.cls": b"0", "1.png": b"x" * 5000, "2.png": b""})
    whole = (tmp_path / "a.tar").read_bytes()
    for length, words in ((2000, "byte 1,024: .* after 2,000 bytes: 1.png begins at byte 1,536 and has 5,000"),
                          (1300, "byte 1,024: .* within a header")):  # fmt: skip
        (tmp_path / "a.tar").write_bytes(whole[:length])
        with pytest.raises(DataNotFound, match=rf"a\.tar is damaged at {words}"):
            load_source(f"tar:{tmp_path}")
    (tmp_path / "a.tar").write_bytes(whole[:1024] + b"garbage!" * 64 + whole[1536:])
    with pytest.raises(DataNotFound, match="damaged at byte 1,024: there is no header of a file"):
        load_source(f"tar:{tmp_path}")


def test_an_archive_that_is_cut_between_files_is_as_good_as_any(tmp_path: Path) -> None:
    """WebDataset's shards are often made without the two empty blocks at the end."""
    write_tar(tmp_path / "a.tar", {"x/1.png": png(0), "x/2.png": png(0)})
    whole = (tmp_path / "a.tar").read_bytes()
    (tmp_path / "a.tar").write_bytes(whole[: 4 * 512])
    assert len(load_source(f"tar:{tmp_path}").labels) == 2


@pytest.mark.parametrize("suffix", [".tar", ".tar.gz"])
def test_what_is_compressed_says_how_to_unpack_it(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_bytes(gzip.compress(bytes(1024)))
    with pytest.raises(DataNotFound, match="compressed with gzip") as caught:
        load_source(f"tar:{tmp_path}/*{suffix}")
    assert "gunzip" in caught.value.hint


def test_shards_that_are_not_here_are_said(tmp_path: Path) -> None:
    write_tar(tmp_path / "s-00.tar", {"x/1.png": png(0)})
    with pytest.raises(DataNotFound, match=r"holds no s-01\.tar"):
        load_source(f"tar:{tmp_path}/s-{{00..02}}.tar")
    with pytest.raises(DataNotFound, match="is not a file: nastui reads shards that lie here"):
        load_source("wds:https://host/s-00.tar")
    (tmp_path / "s-00.tar").write_bytes(b"")
    with pytest.raises(DataNotFound, match="is empty"):
        load_source(f"tar:{tmp_path}")


def test_a_name_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    write_tar(tmp_path / "a.tar", {"x/1.png": png(0), "./x/1.png": png(1)})
    with pytest.raises(DataNotFound, match=r"holds x/1\.png twice"):
        load_source(f"tar:{tmp_path}")
