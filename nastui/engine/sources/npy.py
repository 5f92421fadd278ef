"""`npy:PATH`: one .npy file a class, one row an image, as Google's QuickDraw files are. PATH: a folder or a pattern."""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from pathlib import Path, PurePosixPath
from typing import overload

import numpy as np
from numpy.typing import NDArray

from nastui.engine.file_kinds import NPY, file_kind, no_such_kind
from nastui.engine.sources.array_images import ArrayImages, PixelArray, Rows, check_rows
from nastui.engine.sources.location import Parts, files_of_pattern, folder_of_pattern
from nastui.engine.sources.names import as_text, natural
from nastui.errors import DataNotFound

_HINT = "Write npy:FOLDER or a pattern of files, one .npy a class."
_SUFFIX = ".npy"
_QUICKDRAW = "full_numpy_bitmap_"  # what Google's files are called when a browser downloads them
_SAMPLED = 1 << 16  # bytes


@dataclass(frozen=True, slots=True)
class _Runs(Sequence[int]):
    """Class ids of images that stand class by class; millions of them cost nothing. `starts` ends with their number."""

    starts: Sequence[int]
    class_ids: Sequence[int]

    def __len__(self) -> int:
        return self.starts[-1]

    @overload
    def __getitem__(self, index: int) -> int: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[int]: ...
    def __getitem__(self, index: int | slice) -> int | Sequence[int]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        return self.class_ids[bisect_right(self.starts, index) - 1]

    def __array__(self, dtype: np.dtype[np.int32] | None = None, copy: bool | None = None) -> NDArray[np.int32]:
        return np.repeat(np.array(self.class_ids, np.int32), np.diff(self.starts))


def parts(location: str) -> Parts:
    return folder_of_pattern(location, _SUFFIX)


def open_source(location: str) -> ArrayImages:
    """Open the files, of which only the heads are read. A class is called as its file. Raises DataNotFound."""
    root, names = files_of_pattern(location, _SUFFIX, _HINT)
    names.sort(key=lambda name: (natural(_class_name(name)), natural(name)))
    files = [_open_rows(root, name) for name in names]
    files = [rows for rows in files if rows.n_images]
    if not files:
        raise DataNotFound(f"The files of npy:{location} are empty.", hint=_HINT)
    classes = list(dict.fromkeys(_class_name(rows.name) for rows in files))
    class_ids = [classes.index(_class_name(rows.name)) for rows in files]
    starts = [0, *accumulate(rows.n_images for rows in files)]
    labels = _Runs(starts, class_ids)
    return ArrayImages(f"npy:{location}", root, tuple(classes), labels, files, starts[:-1])


def _class_name(name: str) -> str:
    return as_text(PurePosixPath(name).stem.removeprefix(_QUICKDRAW))


def _open_rows(root: Path, name: str) -> Rows:
    path = root / name

    @cache
    def array() -> PixelArray:
        return np.load(path, mmap_mode="r", allow_pickle=False)  # type: ignore[no-any-return]

    if file_kind(path) != NPY:
        message, hint = no_such_kind(path, "an .npy file")
        raise DataNotFound(message, hint=hint)
    try:
        found = array()
    except (OSError, ValueError, EOFError) as exc:
        is_code = "Python objects" in str(exc)
        why = "it holds Python objects, which run code when they are loaded" if is_code else f"it is cut short ({exc})"
        raise DataNotFound(f"{path} cannot be read: {why}.", hint="It needs an array as np.save writes it.") from exc
    check_rows(found.shape, found.dtype, path)
    return Rows(as_text(name), len(found), _stamp(path), array)


def _stamp(path: Path) -> str:
    """The file's size, and a sum over its head, which says shape and type, and over its end."""
    size = path.stat().st_size
    with path.open("rb") as file:
        digest = hashlib.sha256(file.read(_SAMPLED))
        file.seek(max(0, size - _SAMPLED))
        digest.update(file.read())
    return f"{size} {digest.hexdigest()[:16]}"
