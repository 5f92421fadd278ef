"""Scan, measure and demo as their commands show them, on stderr: a bar, warnings as they come up, closing words."""

from __future__ import annotations

import os
import shlex
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from platformdirs import user_cache_path
from rich.console import Console
from rich.filesize import decimal

from nastui.errors import OtherProcessFailed, ScanInterrupted
from nastui.measure_records import Kind, MeasureOptions
from nastui.printing import duration, escaped
from nastui.progress import Bar, stop_on_signal
from nastui.settings import config_path, read_settings
from nastui.store.measuring import measure_run
from nastui.store.reader import RunReader

if TYPE_CHECKING:
    from nastui.engine.outlook import Outlook
    from nastui.engine.scan import ScanProgress

_GO_ON = "The same command goes on from there."

# What a stage is called, and what it counts.
_STEPS = {
    "training": ("Training", "epochs"),
    "scanning": ("Scanning", "images"),
    "merging": ("Merging", "images"),
    "measuring": ("Measuring", "units"),
}


def scan_with_bar(*, out: Path, **options: Any) -> Path | None:
    """Scan with the options of `nastui.scan`; returns the path of the run's file.

    Of the processes that torchrun has started the first one alone says anything, but for the errors that another finds,
    and the others return None.
    """
    from nastui.engine.scan import scan
    from nastui.engine.torchrun import is_first

    is_heard = is_first(os.environ)
    with stop_on_signal() as stop, Bar(Console(stderr=True, quiet=not is_heard)) as bar:
        kinds = read_settings(config_path(os.environ)).kinds
        try:
            scan(out=out, kinds=kinds, on_progress=ScanReport(bar, out), should_stop=stop, distributed=True, **options)
        except (OtherProcessFailed, ScanInterrupted) as exc:
            if is_heard:
                raise
            sys.exit(exc.exit_code)  # the process that it concerns says it
        if not is_heard:
            return None
        for line in closing_words(out):
            bar.say(line)
    return out


def demo_with_bar(*, fresh: bool) -> Path:
    """Make the demo in the user's cache folder, or find it there; returns the path of its run's file."""
    from nastui.engine.demo import DemoProgress, make_demo

    with stop_on_signal() as stop, Bar(Console(stderr=True)) as bar:

        def report(progress: DemoProgress) -> None:
            what, unit = _STEPS[progress.stage]
            note = "" if progress.accuracy is None else f"{progress.accuracy:.1%} of the test digits right"
            bar.update(what, progress.done, progress.total, unit=unit, note=note)

        made = make_demo(user_cache_path("nastui") / "demo", fresh=fresh, on_progress=report, should_stop=stop)
        bar.say(
            f"{'found' if made.is_cached else 'made'} {made.run}, and {len(made.checkpoints)} checkpoints beside it"
        )
        for line in closing_words(made.run):
            bar.say(line)
    return made.run


def measure_with_bar(path: Path, options: MeasureOptions) -> None:
    """Take the class measures of a finished run's units, again where it has them."""
    kinds = read_settings(config_path(os.environ)).kinds
    with stop_on_signal() as stop, Bar(Console(stderr=True)) as bar:

        def report(done: int, total: int) -> None:
            bar.update("Measuring", done, total, unit="units")
            if stop():
                raise ScanInterrupted(f"Stopped; {path} keeps what is measured.", hint=_GO_ON)

        measure_run(path, options, kinds, report)
        bar.say(kind_words(path))


def kind_words(path: Path) -> str:
    """How many units of each kind a measured run has, by the rules."""
    with RunReader(path) as run:
        measured = [run.unit_measures(layer) for layer in run.layers()]
    counts = Counter(kind for units in measured if units is not None for kind in units.rule_kinds)
    return f"kinds: {', '.join(f'{counts[kind]:,} {kind}' for kind in Kind if counts[kind])}"


class ScanReport:
    """Passes the progress of the scan to `out` on to a bar, each warning once, and first that it goes on if it does."""

    def __init__(self, bar: Bar, out: Path) -> None:
        self._bar = bar
        self._out = out
        self._is_begun = False
        self._n_warnings = 0
        self._is_outlook_said = False

    def __call__(self, progress: ScanProgress) -> None:
        if progress.resumed and not self._is_begun:
            there = f"goes on at {progress.resumed:,} of {progress.total:,} images"
            self._bar.say(f"{there}, from {escaped(str(self._out))}")
        self._is_begun = True
        for warning in progress.warnings[self._n_warnings :]:
            self._bar.say(f"warning: {escaped(warning)}")
        self._n_warnings = len(progress.warnings)
        if progress.outlook is not None and not self._is_outlook_said:
            self._is_outlook_said = True
            self._bar.say(outlook_words(progress.outlook))
        if progress.stage in _STEPS:
            what, unit = _STEPS[progress.stage]
            failed = f", {progress.failed:,} failed" if progress.failed else ""
            note = f"{decimal(progress.bytes_written)}{failed}"
            self._bar.update(what, progress.done, progress.total, unit=unit, note=note)


def outlook_words(outlook: Outlook) -> str:
    """What the scan will come to, in a line."""
    units = f"{outlook.n_units:,} units in {outlook.n_layers:,} {'layer' if outlook.n_layers == 1 else 'layers'}"
    return f"{units}, about {decimal(outlook.file_bytes)}; the images take another {duration(outlook.seconds)}"


def closing_words(path: Path) -> Iterator[str]:
    """What a finished run holds, what may be claimed, and how to open it: a fact a line."""
    with RunReader(path) as run:
        info, layers, classes = run.info(), run.layers(), run.classes()
    n_units = sum(layer.n_units for layer in layers)
    failed = f" ({info.n_failed:,} could not be read)" if info.n_failed else ""
    yield f"{info.n_done:,} images{failed} of {len(classes):,} classes, {n_units:,} units in {len(layers):,} layers"
    if info.top1 is None:
        yield "top-1: not claimed, no class of the images is known to be an output of the model"
    else:
        unmatched = sum(c.output is None for c in classes)
        rest = f"; {unmatched:,} classes are no known outputs of the model" if unmatched else ""
        yield f"top-1: {info.top1:.3f} of {info.n_matched:,} images{rest}"
    yield kind_words(path)
    yield f"open it: nastui {shlex.quote(str(path))}"
