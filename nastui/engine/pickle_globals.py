"""What a pickle would import and call, read from its opcodes without running any of them."""

from __future__ import annotations

import pickletools
import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import IO

_PLAIN_MODULES = {"torch", "torch._utils", "torch._tensor", "torch.storage", "torch.nn.parameter"}
_PLAIN_NAMES = {"collections.OrderedDict", "_codecs.encode"}
_LEGACY_STREAMS = 5  # a checkpoint of before torch 1.6: magic number, protocol, system, object, storage keys


def foreign_globals(path: Path) -> list[str]:
    """The names, such as `builtins.print`, that a checkpoint asks for and that plain tensors do not need."""
    found: dict[str, None] = {}
    for stream in _streams(path):
        for module, name in _globals(stream):
            full = f"{module}.{name}"
            if module not in _PLAIN_MODULES and full not in _PLAIN_NAMES:
                found[full] = None
    return list(found)


def _streams(path: Path) -> Iterator[IO[bytes]]:
    if not zipfile.is_zipfile(path):
        with path.open("rb") as file:
            for _ in range(_LEGACY_STREAMS):
                yield file
        return
    with zipfile.ZipFile(path) as archive:
        for entry in archive.namelist():
            if entry.endswith("data.pkl"):
                yield BytesIO(archive.read(entry))


def _globals(stream: IO[bytes]) -> list[tuple[str, str]]:
    """The (module, name) pairs of one pickle, none where the bytes are no whole pickle."""
    found: list[tuple[str, str]] = []
    strings: list[str] = []
    try:
        for opcode, argument, _ in pickletools.genops(stream):
            if opcode.name in ("GLOBAL", "INST"):
                module, _, name = str(argument).partition(" ")
                found.append((module, name))
            elif opcode.name == "STACK_GLOBAL" and len(strings) >= 2:
                found.append((strings[-2], strings[-1]))
            elif isinstance(argument, str):
                strings.append(argument)
    except ValueError:
        return []
    return found
