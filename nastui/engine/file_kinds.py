"""What a file is that somebody took for something else, told by its first bytes and what is packed in it."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_READ = 512  # bytes: a tar's first header


@dataclass(frozen=True, slots=True)
class FileKind:
    """`words` complete "FILE is …". `advice`: what to do with such a file, PATH standing for it; else ""."""

    words: str
    advice: str = ""


EXPORTED = FileKind("a file of torch.export", "Write --model exported:PATH.")
TORCHSCRIPT = FileKind("a TorchScript archive", "Write --model torchscript:PATH.")
CHECKPOINT = FileKind("a PyTorch checkpoint", "Name the model with --model, and give this with --weights PATH.")
SAFETENSORS = FileKind("a safetensors file", "Name the model with --model, and give this with --weights PATH.")
PICKLE = FileKind("a pickle")
NPZ = FileKind("an .npz file", "Write --data npz:PATH.")
NPY = FileKind("an .npy file", "Write --data npy:PATH.")
TAR = FileKind("a tar archive", "Write --data tar:PATH.")
ZIP = FileKind("a zip archive", "If it is the right one, unpack it first.")
GZIP = FileKind("compressed with gzip", "Unpack it first: gunzip PATH.")
_AGAIN = "Fetch or save it again."
_CUT = FileKind("a zip archive that is cut short", _AGAIN)
_EMPTY = FileKind("empty", _AGAIN)
_FOLDER = FileKind("a folder", "Name a file in it.")
_LFS = FileKind("a Git LFS pointer, which stands for the file", "Get the file itself: git lfs pull.")
_PAGE = FileKind("a web page", "The download went wrong: open the page in a browser, and save the file that it offers.")
_TEXT = FileKind("a text file")
_UNKNOWN = FileKind("of no kind that nastui knows")

_STARTS: Mapping[bytes, FileKind] = {
    b"version https://git-lfs": _LFS,
    b"\x93NUMPY": NPY,
    b"\x1f\x8b": GZIP,
    b"BZh": FileKind("compressed with bzip2", "Unpack it first: bunzip2 PATH."),
    b"\xfd7zXZ": FileKind("compressed with xz", "Unpack it first: unxz PATH."),
    b"\x89HDF": FileKind("an HDF5 file", "Convert it with the library that wrote it."),
    b"SQLite format 3": FileKind("an SQLite database"),
    b"\x89PNG": FileKind("a picture"),
    b"\xff\xd8\xff": FileKind("a picture"),
    b"\x80": PICKLE,
}


def file_kind(path: Path) -> FileKind:
    """What lies at `path`, which exists."""
    if path.is_dir():
        return _FOLDER
    with path.open("rb") as file:
        start = file.read(_READ)
    if not start:
        return _EMPTY
    if start.startswith(b"PK"):
        return _packed(path)
    if start.lstrip()[:9].lower().startswith((b"<!doctype", b"<html")):
        return _PAGE
    if start[8:9] == b"{" and int.from_bytes(start[:8], "little") < path.stat().st_size:
        return SAFETENSORS
    if start[257:262] == b"ustar":
        return TAR
    known = next((kind for first, kind in _STARTS.items() if start.startswith(first)), None)
    return known or (_TEXT if _is_text(start) else _UNKNOWN)


def no_such_kind(path: Path, wanted: str) -> tuple[str, str]:
    """Message and hint for a file that is not `wanted`: what it is, and what to do with that."""
    found = file_kind(path)
    return f"{path} is {found.words}, not {wanted}.", found.advice.replace("PATH", str(path)) or _AGAIN


def _packed(path: Path) -> FileKind:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError):
        return _CUT
    last = {name.rpartition("/")[2] for name in names}
    if "archive_format" in last or "serialized_exported_program.json" in last:
        return EXPORTED
    if "constants.pkl" in last:
        return TORCHSCRIPT
    if "data.pkl" in last:
        return CHECKPOINT
    return NPZ if names and all(name.endswith(".npy") for name in names) else ZIP


def _is_text(start: bytes) -> bool:
    try:
        text = start.decode()
    except UnicodeDecodeError as exc:
        if exc.start < len(start) - 3:  # else a letter is cut off
            return False
        text = start[: exc.start].decode()
    return all(letter.isprintable() or letter in "\t\r\n\f" for letter in text)
