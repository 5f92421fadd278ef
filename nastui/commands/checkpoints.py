"""`nastui scan --weights 'epoch*.pt'`: one run a checkpoint, one after another."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from nastui.errors import NastuiError, NotARun, OutputExists, StoreError, StoreLocked, UsageError, WeightsError
from nastui.printing import escaped
from nastui.records import RunInfo

_SUFFIX = ".nas.db"
_NAME = "{name}"
_LISTED = 8
_OF_ONE_CHECKPOINT = (WeightsError, OutputExists, NotARun, StoreLocked)  # what the others need not have too


def checkpoint_files(weights: Path | None) -> list[Path]:
    """The files that a pattern stands for, in natural order: epoch2 before epoch10. Empty where it is no pattern, or a
    file of that very name is there. Raises WeightsError where nothing matches."""
    if weights is None or not glob.has_magic(str(weights)) or weights.is_file():
        return []
    pattern = weights.expanduser()
    folder = next(one for one in pattern.parents if not glob.has_magic(str(one)))
    found = folder.glob(str(pattern.relative_to(folder)))
    files = sorted((path for path in found if path.is_file()), key=_natural)
    if not files:
        raise WeightsError(f"No file matches {weights}.", hint=_listing(folder))
    return files


def run_names(files: Sequence[Path]) -> list[str]:
    """What distinguishes the checkpoints: their names without endings, with their folders where these are the same."""
    names = [path.stem for path in files]
    if len(set(names)) == len(names):
        return names
    start = Path(os.path.commonpath([path.absolute().parent for path in files]))
    return ["-".join(path.absolute().relative_to(start).with_suffix("").parts) for path in files]


def run_path(out: Path, name: str) -> Path:
    """Where the run of a checkpoint goes: `{name}` in the path stands for it, else it comes before the ending."""
    if _NAME in str(out):
        return Path(str(out).replace(_NAME, name))
    ending = _SUFFIX if out.name.endswith(_SUFFIX) else out.suffix
    return out.with_name(f"{out.name.removesuffix(ending)}.{name}{ending}")


def scan_checkpoints(files: Sequence[Path], *, out: Path, command: str, force: bool, **options: Any) -> Iterator[Path]:
    """Scan with each of the checkpoints; gives the runs as they are finished, and says at the end how they did.

    A run that the same command has finished is passed over. What is wrong with one checkpoint, or with the file of its
    run, is said and keeps no other from being scanned; where several processes share the scans it ends the series.
    Raises UsageError where two would be one file, and at the end the first error where there were any.
    """
    from nastui.engine.torchrun import is_first, is_shared
    from nastui.scanning import scan_with_bar

    is_heard = is_first(os.environ)
    names = run_names(files)
    paths = [run_path(out, name) for name in names]
    if len(set(paths)) < len(paths):
        raise UsageError(f"{out} is one file for {len(files):,} checkpoints.", hint=f"Put {_NAME} into it.")
    console, lines, failures = Console(stderr=True, quiet=not is_heard), list[str](), dict[str, NastuiError]()
    try:
        for index, (file, path) in enumerate(zip(files, paths, strict=True)):
            try:
                is_done = not force and _is_finished(path, command, file)
                what = f"is finished already: {path}" if is_done else ""
                _say(console, f"{file} ({index + 1} of {len(files)}) {what}".rstrip())
                if not is_done:
                    path.parent.mkdir(parents=True, exist_ok=True)
                    scan_with_bar(out=path, weights=file, command=command, force=force, **options)
            except _OF_ONE_CHECKPOINT as exc:
                lines.append(f"{names[index]}  failed: {exc.message.splitlines()[0]}")
                if is_shared(os.environ):
                    raise
                failures[names[index]] = exc
                for line in f"error: {exc}".splitlines():
                    _say(console, line)
                continue
            if is_heard:
                lines.append(_result_line(names[index], path))
                yield path
    finally:
        for line in lines:
            _say(console, line)
    if failures:
        raise _all_failed(failures, len(files))


def _all_failed(failures: Mapping[str, NastuiError], n_files: int) -> NastuiError:
    """The error to end with: the kind of the first, and which checkpoints it was."""
    first = next(iter(failures.values()))
    named = ", ".join([*failures][:_LISTED])
    more = f" and {len(failures) - _LISTED:,} more" if len(failures) > _LISTED else ""
    return type(first)(
        f"No run of this scan for {len(failures):,} of {n_files:,} checkpoints: {named}{more}.",
        hint="What is wrong stands above. The same command passes over the others.",
    )


def _say(console: Console, line: str) -> None:
    console.print(escaped(line), highlight=False, markup=False, soft_wrap=True)


def _is_finished(path: Path, command: str, weights: Path) -> bool:
    """Whether this very command has finished the run at `path`, with the weights as they are now."""
    from nastui.engine.weights import weights_sha256

    try:
        info = _info(path)
    except StoreError:
        return False  # the scan says what is wrong
    same = info.finished is not None and info.spec.command == command
    return same and info.spec.weights_sha256 == weights_sha256(weights)


def _result_line(name: str, path: Path) -> str:
    top1 = _info(path).top1
    return f"{name}  top-1 {'not claimed' if top1 is None else f'{top1:.3f}'}  {path}"


def _info(path: Path) -> RunInfo:
    from nastui.store.reader import RunReader

    with RunReader(path) as run:
        return run.info()


def _natural(path: Path) -> list[tuple[int, int | str]]:
    """Numbers in names by their value."""
    parts = re.split(r"(\d+)", str(path))
    return [(0, int(part)) if part.isdecimal() else (1, part) for part in parts if part]


def _listing(folder: Path) -> str:
    names = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    more = f" and {len(names) - _LISTED:,} more" if len(names) > _LISTED else ""
    return f"{folder} has: {', '.join(names[:_LISTED])}{more}." if names else f"{folder} is empty or not there."
