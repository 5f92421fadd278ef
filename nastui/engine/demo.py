"""The demo: a small network trained on scikit-learn's handwritten digits, scanned, and kept for the next time."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from nastui.errors import StoreFull
from nastui.records import RunInfo
from nastui.store.reader import RunReader

if TYPE_CHECKING:
    from nastui.engine.scan import ScanProgress

MODEL = "nastui.engine.digits_net:digits_net"
DATA = "digits:test"
RUN_NAME = "digits.nas.db"

# Goes up when the network, its training or the scan changes, so that an older demo is made anew.
_RECIPE = 3
_MARKER = "demo.json"


@dataclass(frozen=True, slots=True)
class DemoProgress:
    """How far the demo is: "training" counts epochs and has the test accuracy, "scanning" counts images, "measuring"
    counts units."""

    stage: Literal["training", "scanning", "measuring"]
    done: int
    total: int
    accuracy: float | None = None


@dataclass(frozen=True, slots=True)
class DemoResult:
    """What the demo made, or found whole from an earlier time (`is_cached`).

    `checkpoints`: the state dicts on the way, the untrained one first; the last one is what was scanned.
    """

    folder: Path
    run: Path
    checkpoints: tuple[Path, ...]
    info: RunInfo
    is_cached: bool


def make_demo(
    folder: Path,
    *,
    fresh: bool = False,
    on_progress: Callable[[DemoProgress], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> DemoResult:
    """Train, save checkpoints and scan into `folder`, or give back what is there already and whole.

    A demo that was stopped half-way or made by another recipe is made anew, as is any with `fresh`. The network and the
    run's values are the same every time on one kind of CPU.
    Raises ScanInterrupted when stopped, StoreFull where the folder cannot be written.
    """
    report = on_progress or (lambda progress: None)
    marker = folder / _MARKER
    if not fresh and (cached := _whole_demo(folder)) is not None:
        return cached
    # A demo that is there already opens without the seconds that torch takes to import.
    from nastui.engine.digits_training import N_EPOCHS, train_digits_net
    from nastui.engine.scan import scan

    with _writing_to(folder):
        folder.mkdir(parents=True, exist_ok=True)
        marker.unlink(missing_ok=True)
        checkpoints = train_digits_net(
            folder,
            on_epoch=lambda epoch, accuracy: report(DemoProgress("training", epoch, N_EPOCHS, accuracy)),
            should_stop=should_stop,
        )

    def report_scan(progress: ScanProgress) -> None:
        if progress.stage in ("scanning", "measuring"):
            report(DemoProgress(progress.stage, progress.done, progress.total))

    info = scan(
        MODEL,
        DATA,
        weights=checkpoints[-1],
        out=folder / RUN_NAME,
        force=(folder / RUN_NAME).exists(),
        device="cpu",
        command="nastui demo",
        on_progress=report_scan,
        should_stop=should_stop,
    )
    with _writing_to(folder):
        _write_marker(marker, checkpoints)
    return DemoResult(folder, folder / RUN_NAME, checkpoints, info, is_cached=False)


def _whole_demo(folder: Path) -> DemoResult | None:
    """The demo in `folder` if it was finished by this recipe and its files are still there."""
    try:
        content: Any = json.loads((folder / _MARKER).read_text("utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(content, dict) or content.get("recipe") != _RECIPE:
        return None
    checkpoints = tuple(folder / name for name in content["checkpoints"])
    run = folder / RUN_NAME
    if not all(path.is_file() for path in (*checkpoints, run)):
        return None
    with RunReader(run) as reader:
        return DemoResult(folder, run, checkpoints, reader.info(), is_cached=True)


def _write_marker(marker: Path, checkpoints: tuple[Path, ...]) -> None:
    content = {"recipe": _RECIPE, "checkpoints": [path.name for path in checkpoints]}
    draft = marker.with_suffix(".new")
    draft.write_text(json.dumps(content, indent=1) + "\n", "utf-8")
    draft.replace(marker)


@contextmanager
def _writing_to(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as exc:
        raise StoreFull(
            f"{exc.filename or folder} cannot be written: {exc.strerror or exc}.",
            hint="Make room or set another folder; the demo needs 10 MB.",
        ) from exc
