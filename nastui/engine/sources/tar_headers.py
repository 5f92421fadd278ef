"""Where the files of a tar archive lie in it, read from its headers alone, fast and in little memory.

Python's tarfile keeps an object of 1.5 kB for each file and takes about 30 µs for it; a set of a million images in
shards would wait a minute for its index. Formats: POSIX ustar and pax, and GNU's long names and sizes.
Source: POSIX.1-2017, pax, "ustar Interchange Format" and "pax Interchange Format"; GNU tar manual, "Basic Tar Format".
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from nastui.errors import DataNotFound

_BLOCK = 512
_EMPTY = bytes(_BLOCK)
_COMPRESSED = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ": "xz", b"\x28\xb5\x2f\xfd": "zstd"}
_UNPACK = {"gzip": "gunzip", "bzip2": "bunzip2", "xz": "unxz", "zstd": "unzstd"}
_AGAIN = "Copy or download it again."


class Member(NamedTuple):
    """A file in an archive: its bytes are [offset, offset + size). `content`: those of a file that was wanted whole."""

    name: str
    offset: int
    size: int
    content: bytes | None


def tar_members(path: Path, wanted: tuple[str, ...]) -> Iterator[Member]:
    """The files of an archive in order; those with names that end as one of `wanted` with their content.

    Raises DataNotFound where the archive is compressed, damaged or ends too early, with the place.
    """
    size = path.stat().st_size
    if size == 0:
        raise DataNotFound(f"{path} is empty.", hint=_AGAIN)
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        _check_kind(path, data[:8])
        yield from _members(path, data, size, wanted)


def _check_kind(path: Path, start: bytes) -> None:
    kind = next((kind for magic, kind in _COMPRESSED.items() if start.startswith(magic)), None)
    if kind is not None:
        raise DataNotFound(
            f"{path} is compressed with {kind}: an image in it could only be reached by unpacking all before it.",
            hint=f"Unpack it with {_UNPACK[kind]}; JPEG and PNG are compressed already.",
        )


def _members(path: Path, data: mmap.mmap, end: int, wanted: tuple[str, ...]) -> Iterator[Member]:
    place, name, size = 0, "", -1  # name and size: what an extended header says of the next file
    while place + _BLOCK <= end:
        header = data[place : place + _BLOCK]
        if header == _EMPTY:
            return
        if header[257:262] != b"ustar" and not _has_checksum(header):
            raise _damaged(path, place, "there is no header of a file")
        own_size, kind = _number(header[124:136]), header[156:157]
        if own_size < 0:
            raise _damaged(path, place, "there is no size of a file")
        is_file = kind == b"0" or kind == b"\0"
        whole = size if is_file and size >= 0 else own_size
        offset = place + _BLOCK
        if offset + whole > end:
            what = f"{name or _name(header)} begins at byte {offset:,} and has {whole:,}"
            raise _damaged(path, place, f"the archive ends too early, after {end:,} bytes: {what}")
        if is_file:
            name = name or _name(header)
            yield Member(name, offset, whole, data[offset : offset + whole] if name.endswith(wanted) else None)
            name, size = "", -1
        elif kind == b"L":
            name = _text(data[offset : offset + own_size]).removeprefix("./")
        elif kind == b"x":
            said = _pax(data[offset : offset + own_size])
            name, size = said.get("path", name).removeprefix("./"), int(said.get("size", size))
        elif kind not in b"gK":
            name, size = "", -1  # a folder, a link, …
        place = offset + (whole + _BLOCK - 1) // _BLOCK * _BLOCK
    if place < end:
        raise _damaged(path, place, f"the archive ends too early, after {end:,} bytes, within a header")


def _damaged(path: Path, place: int, what: str) -> DataNotFound:
    return DataNotFound(f"{path} is damaged at byte {place:,}: {what}.", hint=_AGAIN)


def _number(field: bytes) -> int:
    """Octal digits, or for what does not fit in them a first bit and base 256 (GNU). -1 where it is neither."""
    if field[0] & 0x80:
        return int.from_bytes(field[1:], "big")
    try:
        return int(field.rstrip(b" \0") or b"0", 8)
    except ValueError:
        return -1


def _has_checksum(header: bytes) -> bool:
    """Whether its sum, with blanks in the place of the sum, is written in it: so it is for tars older than POSIX."""
    return _number(header[148:156]) == sum(header) - sum(header[148:156]) + 8 * ord(" ")


def _name(header: bytes) -> str:
    name = _text(header[:100]).removeprefix("./")
    if header[345] and header[257:263] == b"ustar\0":
        return f"{_text(header[345:500])}/{name}"
    return name


def _text(field: bytes) -> str:
    return field.partition(b"\0")[0].decode("utf-8", "replace")


def _pax(records: bytes) -> dict[str, str]:
    """`LENGTH KEY=VALUE\\n`, one after the other."""
    said = {}
    while (space := records.find(b" ")) > 0:
        length = int(records[:space])
        key, _, value = records[space + 1 : length - 1].partition(b"=")
        said[key.decode("utf-8", "replace")] = value.decode("utf-8", "replace")
        records = records[length:]
    return said
