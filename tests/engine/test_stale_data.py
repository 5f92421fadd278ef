"""A scan goes on only with what it was begun with: each thing that can change alone is refused, and named."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from nastui.engine.rebuild import rebuild
from nastui.engine.scan import scan
from nastui.errors import DataNotFound, OutputExists, ScanInterrupted
from nastui.store.content import read_content
from nastui.store.reader import RunReader
from tests.scanned_files import CLASSES, NET, write_files

N_DONE = 8


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A network, its weights, 24 images whose files are of one size, and a scan that was stopped after 8 of them."""
    write_files(tmp_path)
    shutil.rmtree(tmp_path / "images")
    random = np.random.default_rng(0)
    for number in range(24):
        path = tmp_path / "images" / CLASSES[number // 8] / f"{number:02}.pgm"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(random.integers(256, size=(7, 7), dtype=np.uint8)).save(path)
    left = iter(range(N_DONE // 4))
    with pytest.raises(ScanInterrupted, match="8 of 24"):
        go(tmp_path, should_stop=lambda: next(left) == N_DONE // 4 - 1)
    return tmp_path


def go(files: Path, **options: Any) -> Path:
    given: dict[str, Any] = {"weights": files / "net.pt", "batch_size": 4, "on_progress": lambda _: None}
    model, data, out = f"{files / 'net.py'}:net", f"imagefolder:{files / 'images'}", files / "run.nas.db"
    scan(model, data, out=out, **(given | options))
    return out


def swap_weights(files: Path) -> None:
    state = torch.load(files / "net.pt")
    state["head.bias"][0] += 1
    torch.save(state, files / "net.pt")


def rename_class(files: Path) -> None:
    (files / "images" / "cat").rename(files / "images" / "dog")


def add_image(files: Path) -> None:
    shutil.copy(files / "images" / "ant" / "00.pgm", files / "images" / "ant" / "000.pgm")


def remove_image(files: Path) -> None:
    (files / "images" / "cat" / "23.pgm").unlink()


def rename_image(files: Path) -> None:
    (files / "images" / "cat" / "23.pgm").rename(files / "images" / "cat" / "24.pgm")


def make_image_longer(files: Path) -> None:
    with (files / "images" / "cat" / "23.pgm").open("ab") as file:
        file.write(b"\0")


def nothing(_files: Path) -> None:
    """Changes nothing on the disk."""


IMAGES = r"the images of imagefolder:\S+, their classes, names, sizes or order \(.+\)"


@pytest.mark.parametrize(
    ("change", "options", "words"),
    [
        (swap_weights, {}, r"the weights of \S+net \(sha256 \w{12}…, now \w{12}…\)"),
        (nothing, {"mean": (0.25,)}, r"preprocessing: .*mean \[0\.0\], now \[0\.25\]"),
        (nothing, {"size": 9}, r"preprocessing: .*size .*, now 9×9.*"),
        (rename_class, {}, IMAGES),
        (add_image, {}, IMAGES),
        (remove_image, {}, IMAGES),
        (rename_image, {}, IMAGES),
        (make_image_longer, {}, IMAGES),
        (nothing, {"classes": ["ant", "bee"]}, IMAGES),
        (nothing, {"layers": "conv,head"}, r"layers: \d, now 2 \(without mix#1.+\)"),
        (nothing, {"reduce": "mean"}, "reduction max, now mean"),
        (nothing, {"dtype": "float16"}, "dtype float32, now float16"),
        (nothing, {"seed": 1}, "seed 0, now 1"),
        (nothing, {"ranges": 9}, "ranges 30, now 9"),
        (nothing, {"class_map": {"ant": "cat"}}, "what the classes or outputs are called, .+"),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_one_thing_that_changed_is_refused_by_its_name(
    files: Path, change: Callable[[Path], None], options: dict[str, Any], words: str
) -> None:
    before = read_content(files / "run.nas.db")
    change(files)
    with pytest.raises(OutputExists) as refused:
        go(files, **options)
    assert re.fullmatch(rf"(.|\n)+ holds another scan: .+\nWhat differs: {words}\.", refused.value.message)
    assert "--force" in refused.value.hint
    assert read_content(files / "run.nas.db") == before
    go(files, **options, force=True)


@pytest.mark.parametrize("number", [0, 3, N_DONE - 1])
def test_an_image_replaced_by_another_of_its_size_is_noticed(files: Path, number: int) -> None:
    path = files / "images" / "ant" / f"{number:02}.pgm"
    data, before = path.read_bytes(), read_content(files / "run.nas.db")
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    with pytest.raises(DataNotFound, match=rf"ant/{number:02}\.pgm is another image than the one that was scanned"):
        go(files)
    path.write_bytes(b"?" * len(data))
    with pytest.raises(DataNotFound, match=rf"ant/{number:02}\.pgm does not decode any more"):
        go(files)
    assert read_content(files / "run.nas.db") == before
    path.write_bytes(data)
    go(files)


def test_a_replaced_image_is_noticed_when_the_run_is_used_again(files: Path) -> None:
    out = go(files)
    with RunReader(out) as run:
        rebuild(run)
        path = files / "images" / "cat" / "23.pgm"
        path.write_bytes(path.read_bytes()[:-1] + b"!")
        with pytest.raises(DataNotFound, match=r"cat/23\.pgm is another image(.|\n)*--data"):
            rebuild(run)


def test_code_is_no_part_of_the_sums_but_layers_are(files: Path) -> None:
    """Weights say nothing of what the code does with them; a layer more, or of another shape, is another scan."""
    (files / "net.py").write_text(NET.replace("self.relu = nn.ReLU", "self.relu = nn.Identity() if 0 else nn.ReLU"))
    go(files)
    (files / "net.py").write_text(NET.replace("nn.Conv2d(1, 6, 3)", "nn.Conv2d(1, 6, 3, padding=1)"))
    with pytest.raises(OutputExists, match="What differs: layers: conv was Conv2d 6×5×5, now Conv2d 6×7×7"):
        go(files)


def test_the_run_and_nastui_show_have_the_sums(files: Path) -> None:
    from nastui.listings import details

    with RunReader(go(files)) as run:
        record = details(run, None)
    for name in ("weights_sha256", "preprocessing_sha256", "manifest_sha256", "layers_sha256", "scan_sha256"):
        assert len(str(record[name])) == 64
    assert '"device": "cpu"' in str(record["computing"])
