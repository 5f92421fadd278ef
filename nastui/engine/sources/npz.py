"""`npz:FILE`: images and labels as arrays in one file. `npz:FILE:x_test,y_test` says which arrays."""

from __future__ import annotations

import io
import math
import re
import struct
import zipfile
from functools import cache
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from nastui.engine.file_kinds import no_such_kind
from nastui.engine.sources.array_images import ArrayImages, PixelArray, Rows, check_rows
from nastui.engine.sources.location import existing_file
from nastui.engine.sources.location import folder_of_file as parts
from nastui.engine.sources.names import LabelTable, names_beside
from nastui.errors import DataNotFound

__all__ = ["open_source", "parts"]

_IMAGES = re.compile(r"(?P<before>(?:\w+_)?)(?:x|images?|data|arr_0)(?P<after>(?:_\w+)?)", re.IGNORECASE)
_LABELS = ("y", "labels", "label", "targets", "target", "arr_1")
_NAMES = ("classes", "class_names", "names", "label_names")
_HINT = "Write npz:FILE, or npz:FILE:IMAGES,LABELS with the names of two arrays."
_MUCH = 100_000_000  # bytes of memory that are worth a word
_LOCAL_HEADER = struct.Struct("<26xHH")  # of a zip's member: lengths of its name and of what follows it


def open_source(location: str) -> ArrayImages:
    """Open the images and read their labels; images that are not compressed stay on the disk. Raises DataNotFound."""
    file, colon, wanted = location.rpartition(":")
    if not colon or "," not in wanted:
        file, wanted = location, ""
    path = existing_file(file, _HINT)
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name.removesuffix(".npy") for name in archive.namelist()]
            images, labels = _chosen(path, names, wanted)
            written = _read(archive, labels)
            classes = next((_read(archive, name) for name in names if name.lower() in _NAMES), None)
            found, notes = _images(path, archive, images)
    except zipfile.BadZipFile as exc:
        message, hint = no_such_kind(path, "an .npz file")
        raise DataNotFound(message, hint=hint) from exc
    except (OSError, ValueError, EOFError) as exc:
        raise DataNotFound(f"{path} cannot be read: {exc}.", hint="It needs arrays as np.savez writes them.") from exc
    texts = _label_texts(written, path, labels)
    if len(texts) != found.n_images:
        raise DataNotFound(f"{path} has {found.n_images:,} images and {len(texts):,} labels.", hint=_HINT)
    if not texts:
        raise DataNotFound(f"{path} holds no images.", hint=_HINT)
    table = LabelTable()
    table.extend(texts)
    named = names_beside(path.parent) if classes is None else tuple(map(str, classes.ravel().tolist()))
    class_names, class_ids = table.numbered(named, path)
    return ArrayImages(f"npz:{location}", path.parent, class_names, class_ids, [found], [0], notes)


def _chosen(path: Path, names: list[str], wanted: str) -> tuple[str, str]:
    """The names of the array with the images and of the one with the labels."""
    has = f"{path} has the arrays {', '.join(names) or '(none)'}"
    if wanted:
        chosen = [name.strip() for name in wanted.split(",")]
        missing = [name for name in chosen if name not in names]
        if missing or len(chosen) != 2:
            raise DataNotFound(f"{has}; not two that are called {wanted}.", hint=_HINT)
        return chosen[0], chosen[1]
    pairs = [(name, labels) for name in names for labels in _labels_of(name, names)]
    if len(pairs) == 1:
        return pairs[0]
    if not pairs:
        raise DataNotFound(f"{has}; none is known as images with labels.", hint=_HINT)
    forms = " or ".join(f"npz:{path}:{images},{labels}" for images, labels in pairs)
    raise DataNotFound(f"{has}: more than one pair of images and labels.", hint=f"Write {forms}.")


def _labels_of(images: str, names: list[str]) -> list[str]:
    """The labels that belong to images of this name: `y_test` to `x_test`, `train_labels` to `train_images`."""
    match = _IMAGES.fullmatch(images)
    if match is None:
        return []
    fitting = {f"{match['before']}{word}{match['after']}".lower() for word in _LABELS}
    return [name for name in names if name.lower() in fitting][:1]


def _read(archive: zipfile.ZipFile, name: str) -> NDArray[Any]:
    """A small array, whole."""
    with archive.open(f"{name}.npy") as member:
        content = io.BytesIO(member.read())
    _array_header(content, f"{name} in {archive.filename}")
    content.seek(0)
    return np.lib.format.read_array(content, allow_pickle=False)


def _images(path: Path, archive: zipfile.ZipFile, name: str) -> tuple[Rows, tuple[str, ...]]:
    member = archive.getinfo(f"{name}.npy")
    with archive.open(member) as file:
        shape, is_fortran, dtype = _array_header(file, f"{name} in {path}")
        head = file.tell()
    check_rows(shape, dtype, f"{name} in {path}")
    is_stored = member.compress_type == zipfile.ZIP_STORED

    @cache
    def array() -> PixelArray:
        if not is_stored:
            with zipfile.ZipFile(path) as again:
                return _read(again, name)
        offset = _first_byte(path, member) + head
        return np.memmap(path, dtype, "r", offset, shape, order="F" if is_fortran else "C")

    notes: tuple[str, ...] = ()
    if not is_stored and member.file_size > _MUCH:
        held = f"{path} is compressed: its {member.file_size / 1e6:,.0f} MB of images are held in memory"
        notes = (f"{held}. Written by np.savez they would stay on the disk.",)
    array()  # damage shows now, and by one thread
    return Rows(name, shape[0], f"{member.file_size} {member.CRC:08x}", array), notes


def _array_header(file: IO[bytes], name: str) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Shape, order and type of an array. Raises DataNotFound where it holds objects."""
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, is_fortran, dtype = read(file)
    if dtype.hasobject:
        raise DataNotFound(
            f"{name} holds Python objects, which run code when they are loaded.",
            hint="Save it with a type of its own: labels.astype(str), images.astype('uint8').",
        )
    return shape, is_fortran, dtype


def _first_byte(path: Path, member: zipfile.ZipInfo) -> int:
    """Where a stored member's bytes begin in the archive."""
    with path.open("rb") as file:
        file.seek(member.header_offset)
        n_name, n_extra = _LOCAL_HEADER.unpack(file.read(_LOCAL_HEADER.size))
    return member.header_offset + _LOCAL_HEADER.size + int(n_name) + int(n_extra)


def _label_texts(labels: NDArray[Any], path: Path, name: str) -> list[str]:
    """Labels as they are written: N, N×1, or N×K with a single one in each row."""
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim == 2 and labels.dtype.kind in "biuf" and _is_one_hot(labels):
        labels = labels.argmax(axis=1)
    if labels.ndim == 1 and labels.dtype.kind == "f" and bool((labels == np.round(labels)).all()):
        labels = labels.astype(np.int64)
    if labels.ndim != 1 or labels.dtype.kind not in "iubUS":
        if labels.ndim == 1 and labels.dtype.kind == "f":
            odd = next(label for label in labels.tolist() if label != round(label) or not math.isfinite(label))
            raise DataNotFound(
                f"{name} in {path} has {odd:g} among its values, which is no class.",
                hint="Labels are whole numbers or names.",
            )
        what = f"{'×'.join(map(str, labels.shape))} {labels.dtype}"
        raise DataNotFound(f"{name} in {path} is {what}: no label for each image.", hint=_HINT)
    if labels.dtype.kind == "b":
        labels = labels.astype(np.int64)
    return [label.decode("utf-8", "replace") if isinstance(label, bytes) else str(label) for label in labels.tolist()]


def _is_one_hot(labels: NDArray[Any]) -> bool:
    return bool(((labels != 0).sum(axis=1) == 1).all())
