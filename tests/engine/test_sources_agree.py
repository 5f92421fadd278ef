"""The same images in any form give the same run, and a run finds its images again in each."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import torch

from nastui.engine.loader import first_decodable, load_batches
from nastui.engine.models import load_model
from nastui.engine.preprocessing import choose_preprocessing
from nastui.engine.rebuild import Anew, check_answers, rebuild
from nastui.engine.sources import KINDS, folder_in, load_source
from nastui.errors import DataNotFound
from nastui.records import Float32
from nastui.store.reader import RunReader
from tests.image_forms import write_forms
from tests.scanned_files import scan_files

KINDS_WRITTEN = ("csv", "npy", "npz", "npz, compressed", "tar", "tar, by folder", "hf")


def values(path: Path) -> tuple[list[Float32], list[str | None], dict[int, bytes]]:
    """Activations by layer, predictions and previews."""
    with RunReader(path) as run:
        ids = range(run.info().n_images)
        activations = [run.activations(layer) for layer in run.layers()]
        return activations, [image.predicted for image in run.images(ids)], run.thumbnails(ids)


@pytest.mark.parametrize("kind", KINDS_WRITTEN)
def test_every_form_of_a_set_gives_the_same_run_and_is_found_again(
    files: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    expected = values(scan_files(files, force=True))
    spec = write_forms(files / "images", files / "forms")[kind]
    monkeypatch.chdir(files / "forms")
    path = scan_files(files, data=spec, force=True)
    activations, predictions, thumbnails = values(path)
    assert all(np.array_equal(ours, theirs) for ours, theirs in zip(activations, expected[0], strict=True))
    assert (predictions, thumbnails) == expected[1:]

    monkeypatch.chdir("/")  # where the spec leads nowhere
    with RunReader(path) as run:
        rebuilt = rebuild(run)
        check_answers(run, rebuilt, torch.device("cpu"))
        assert run.info().spec.data == spec
        keys = [image.source for image in run.images(range(run.info().n_images))]
    assert len(set(keys)) == len(keys)
    assert [rebuilt.source.key(index) for index in rebuilt.indices] == keys

    # Everything lies elsewhere by now: the run's own folder is where a relative path starts, too.
    moved = files.rename(files.parent / "moved")
    path = Path(shutil.copy(moved / "run.nas.db", moved / "forms" / "run.nas.db"))
    with RunReader(path) as run:
        rebuild(run, Anew(f"{moved / 'net.py'}:net", moved / "net.pt"))


@pytest.mark.parametrize("kind", ["npy", "npz", "tar", "csv"])
def test_files_that_are_others_by_now_are_refused(files: Path, kind: str) -> None:
    write_forms(files / "images", files / "forms")
    specs = {"npy": "arrays", "npz": "plain.npz", "tar": "folders.tar", "csv": "list.csv"}
    path = scan_files(files, data=f"{kind}:{files / 'forms' / specs[kind]}", force=True)
    for image in (files / "images").glob("*/*"):
        other = (files / "images" / "bee").glob("*")
        image.write_bytes(next(other).read_bytes())
    shutil.rmtree(files / "forms")
    write_forms(files / "images", files / "forms")
    with RunReader(path) as run, pytest.raises(DataNotFound, match=r"are not those that were scanned"):
        rebuild(run)


@pytest.mark.parametrize(
    ("spec", "folder"),
    [
        ("imagefolder:photos/a*b", "photos/a*b"),
        ("csv:list.csv", "."),
        ("csv:lists/list.csv:photo,species", "lists"),
        ("npy:drawings", "drawings"),
        ("npy:drawings/*.npy", "drawings"),
        ("npz:a/b.npz:x_test,y_test", "a"),
        ("npz:/b.npz", "/"),
        ("tar:shards/*/train-{000..009}.tar", "shards"),
        ("wds:train.tar", "."),
        ("hf:saved:test:label", "saved"),
        ("torchvision:MNIST:test:data", "data"),
        ("torchvision:MNIST:test", "."),
        ("digits:test", "."),
        ("net.py:images", ""),
    ],
)
def test_the_folder_in_a_spec_is_known(spec: str, folder: str) -> None:
    assert folder_in(spec) == folder


def test_every_kind_is_tried_here() -> None:
    written = {name.partition(",")[0] for name in KINDS_WRITTEN}
    assert set(KINDS) == written | {"imagefolder", "wds", "digits", "torchvision"}


def test_real_digits_give_the_same_logits_in_every_form(
    shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in sorted((shared_data / "mnist/test").iterdir()):
        (tmp_path / "images" / folder.name).mkdir(parents=True)
        for path in sorted(folder.iterdir())[:6]:
            shutil.copy(path, tmp_path / "images" / folder.name)
    specs = write_forms(tmp_path / "images", tmp_path / "forms")
    monkeypatch.chdir(tmp_path / "forms")
    model = load_model(str(shared_data / "mnist/mnist_nets.py:lenet5"), shared_data / "mnist/weights/lenet5.pt")

    def logits(spec: str) -> Iterator[torch.Tensor]:
        source = load_source(spec)
        indices = range(len(source.labels))
        prepared = choose_preprocessing(model, first_decodable(source, indices), size=32, mean=[0.1307], std=[0.3081])
        with torch.inference_mode(), closing(load_batches(source, indices, prepared, batch_size=20)) as batches:
            yield from (model.module(batch.inputs) for batch in batches if batch.inputs is not None)

    expected = torch.cat(list(logits(f"imagefolder:{tmp_path / 'images'}")))
    labels = torch.tensor(load_source(f"imagefolder:{tmp_path / 'images'}").labels)
    assert (expected.argmax(1) == labels).float().mean() > 0.95
    for kind, spec in specs.items():
        assert torch.equal(torch.cat(list(logits(spec))), expected), kind
        assert list(load_source(spec).labels) == labels.tolist(), kind
        assert load_source(spec).classes == tuple("0123456789"), kind
