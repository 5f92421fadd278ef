"""The parts of a scan that several processes share: a run file for each share of the images, beside the output.

Part 1 of 3 of `NAME.nas.db` is `.NAME.nas.db.part-1-of-3`: a run that is never finished, of the images `bounds[1]` to
`bounds[2] - 1`. What it is a part of stands in its `run.computing`.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from nastui.errors import NotARun, OutputExists, StoreError
from nastui.records import LayerSpec, RunInfo, RunSpec
from nastui.store.connection import leave_one_file, open_to_read
from nastui.store.creation import check_place, check_same_scan, same_scan, settle
from nastui.store.faults import translated
from nastui.store.layer_rows import read_run
from nastui.store.lock import WriterLock

_PART = "part"  # the key in `run.computing`


@dataclass(frozen=True, slots=True)
class Parts:
    """How a scan's images are shared: part k has those from `bounds[k]` on, up to `bounds[k + 1]`; it may have none.

    The images before `bounds[0]` are in the output already.
    """

    out: Path
    bounds: tuple[int, ...]

    @property
    def numbers(self) -> range:
        return range(len(self.bounds) - 1)

    def images(self, number: int) -> range:
        return range(self.bounds[number], self.bounds[number + 1])

    def path(self, number: int) -> Path:
        return self.out.with_name(f".{self.out.name}.part-{number}-of-{len(self.numbers)}")

    def spec(self, number: int, whole: RunSpec) -> RunSpec:
        """What a part is, so that nothing else is taken for it, and it for nothing else."""
        images = self.images(number)
        sha256 = hashlib.sha256(f"{whole.scan_sha256} {images.start} {images.stop}".encode()).hexdigest()
        part = {"number": number, "bounds": self.bounds, "scan_sha256": whole.scan_sha256}
        computing = json.dumps({**json.loads(whole.computing), _PART: part})
        return replace(whole, scan_sha256=sha256, computing=computing)

    def n_done(self, number: int) -> int:
        """How many images of a part have been looked at."""
        path = self.path(number)
        return _read_info(path).n_done if path.exists() else 0


def shared_evenly(out: Path, n_images: int, n_done: int, batch_size: int, n_parts: int) -> Parts:
    """Parts of nearly as many batches each. They begin where a batch does in a scan by one process: sums over the
    images of a batch come out the same to the last bit."""
    first = n_done // batch_size
    n_batches = -(-n_images // batch_size) - first
    bounds = (min((first + n_batches * k // n_parts) * batch_size, n_images) for k in range(n_parts + 1))
    return Parts(out, tuple(bounds))


def lock_parts(out: Path) -> WriterLock:
    """Held by the one who decides about the parts beside `out`. Raises StoreLocked."""
    return WriterLock(place_of_lock(out))


def place_of_lock(out: Path) -> Path:
    """What `lock_parts` locks: no file, and beside `out`."""
    return out.with_name(f"{out.name}.parts")


def has_parts(out: Path) -> bool:
    """Whether a scan that several processes shared has left parts beside `out`."""
    return any(_files(out, suffixes=False))


def find_parts(out: Path, spec: RunSpec, layers: Sequence[LayerSpec] = ()) -> Parts | None:
    """The parts that lie beside `out`, some or all of them; None where there are none.

    Raises OutputExists where they are of another scan, and says in what, or do not fit together.
    """
    found: set[tuple[int, ...]] = set()
    for path in sorted(_files(out, suffixes=False)):
        info = _read_info(path)
        part = json.loads(info.spec.computing).get(_PART)
        if part is None:
            raise OutputExists(f"{path} is there already and is no part of a scan.", hint="Move it away.")
        check_same_scan(replace(info, spec=replace(info.spec, scan_sha256=part["scan_sha256"])), spec, layers)
        found.add(tuple(part["bounds"]))
    if len(found) > 1:
        raise OutputExists(
            f"The parts beside {out} do not fit together: they come from several scans.", hint="Start anew: --force."
        )
    return Parts(out, found.pop()) if found else None


def any_parts(out: Path) -> Parts | None:
    """The parts beside `out`, of whatever scan; None where there are none, or none that can be read."""
    for path in sorted(_files(out, suffixes=False)):
        try:
            part = json.loads(_read_info(path).spec.computing).get(_PART)
        except StoreError:
            continue
        if part is not None:
            return Parts(out, tuple(part["bounds"]))
    return None


def begun_spec(out: Path, spec: RunSpec) -> RunSpec | None:
    """What the run at `out`, or a part beside it, says of itself where it is of this scan; None where nothing is."""
    for path in (out, *sorted(_files(out, suffixes=False))):
        try:
            found = _read_info(path).spec
        except StoreError:
            continue  # whoever writes there says what is wrong
        part = json.loads(found.computing).get(_PART)
        if spec.scan_sha256 == (found.scan_sha256 if part is None else part["scan_sha256"]):
            return found
    return None


def check_output(out: Path, spec: RunSpec, layers: Sequence[LayerSpec] = ()) -> int:
    """How many images the unfinished run of this scan at `out` holds; 0 where nothing lies there.

    Raises OutputExists where that is finished, or anything else.
    """
    if not os.path.lexists(out):
        return 0
    try:
        info = _read_info(out)
    except NotARun:
        check_place(out, spec, force=False)  # says what it is
        raise
    check_same_scan(info, spec, layers)
    if info.finished is not None:
        remove_parts(out)  # of a merge that was killed at its very end
        raise same_scan(out, info.finished, info.n_done, info.n_images)
    return info.n_done


def discard_parts(out: Path) -> None:
    """Remove the parts beside `out`, if any. Raises StoreLocked where somebody goes on with them."""
    if has_parts(out):
        with lock_parts(out):
            remove_parts(out)


def clear(out: Path, spec: RunSpec) -> None:
    """Remove the run at `out` and all parts beside it. Raises OutputExists where something else lies there."""
    check_place(out, spec, force=True)
    settle(out)
    out.unlink(missing_ok=True)
    remove_parts(out)


def remove_parts(out: Path) -> None:
    """Remove the parts beside `out` and what belongs to them; no process may be writing them."""
    for path in [*_files(out, suffixes=True)]:
        path.unlink(missing_ok=True)


def _files(out: Path, *, suffixes: bool) -> Iterator[Path]:
    """The parts beside `out`; with `suffixes` what SQLite, locks and drafts have beside them as well."""
    beside = r"(-wal|-shm|\.lock|\.\d+\.new)?" if suffixes else ""
    name = re.compile(rf"\.?\.{re.escape(out.name)}\.part-\d+-of-\d+{beside}")
    if out.parent.is_dir():
        yield from (path for path in out.parent.iterdir() if name.fullmatch(path.name))


def _read_info(path: Path) -> RunInfo:
    with closing(open_to_read(path)) as connection, translated(path):
        info = read_run(connection, path)
    leave_one_file(path)
    return info
