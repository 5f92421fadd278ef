"""A folder of grey images, one folder a class, written in the other forms that image sets come in."""

from __future__ import annotations

import csv
import io
import tarfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image


def images_below(folder: Path) -> list[tuple[str, Path]]:
    """(class, file) in the order in which `imagefolder:` has them, for names of equal length."""
    return [(path.parent.name, path) for path in sorted(folder.glob("*/*"))]


def write_forms(images: Path, out: Path) -> dict[str, str]:
    """Specs, relative to `out`, of sets with these images in this order, by kind. `out` must lie beside `images`."""
    out.mkdir()
    found = images_below(images)
    classes = sorted({name for name, _ in found})
    pixels = np.stack([np.asarray(Image.open(path)) for _, path in found])
    labels = np.array([classes.index(name) for name, _ in found])
    (out / "classes.txt").write_text("\n".join(classes) + "\n")
    np.savez(out / "plain.npz", x=pixels, y=labels)
    np.savez_compressed(out / "packed.npz", test_images=pixels[..., None], test_labels=labels[:, None])
    (out / "arrays").mkdir()
    for number, name in enumerate(classes):
        np.save(out / "arrays" / f"{name}.npy", pixels[labels == number])
    with (out / "list.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["image", "label"])
        rows.writerows((f"../{path.relative_to(out.parent)}", name) for name, path in found)
    _write_shards(found, out)
    _save_dataset(found, classes, out / "saved")
    return {
        "csv": "csv:list.csv",
        "npy": "npy:arrays",
        "npz": "npz:plain.npz",
        "npz, compressed": "npz:packed.npz",
        "tar": "tar:shard-{0..1}.tar",
        "tar, by folder": "tar:folders.tar",
        "hf": "hf:saved",
    }


def write_tar(path: Path, files: Mapping[str, bytes], kind: int = tarfile.GNU_FORMAT) -> None:
    with tarfile.open(path, "w", format=kind) as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))


def _write_shards(found: list[tuple[str, Path]], out: Path) -> None:
    shards: list[dict[str, bytes]] = [{}, {}]
    folders = {}
    for number, (name, path) in enumerate(found):
        files = shards[number * 2 // len(found)]
        files[f"{number:04}.png"] = path.read_bytes()
        files[f"{number:04}.cls"] = name.encode()
        folders[f"./{name}/{path.name}"] = path.read_bytes()
    for number, files in enumerate(shards):
        write_tar(out / f"shard-{number}.tar", files)
    write_tar(out / "folders.tar", folders)


def _save_dataset(found: list[tuple[str, Path]], classes: list[str], out: Path) -> None:
    from datasets import ClassLabel, Dataset, Features
    from datasets import Image as Images

    rows = {
        "picture": [{"bytes": path.read_bytes(), "path": None} for _, path in found],
        "kind": [classes.index(name) for name, _ in found],
    }
    features = Features({"picture": Images(), "kind": ClassLabel(names=classes)})
    Dataset.from_dict(rows, features=features).save_to_disk(out)
