"""First paint of a layer of 4,096 units in a cold process, against that of an empty Textual app.

Both run through the same pseudo-terminal and interpreter, in turns; the ratio of the medians has to be at most 1.5.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path

from pseudo_terminal import PseudoTerminal
from synthetic_run import LAYER, write_run

from nastui.store.reader import RunReader

LIMIT = 1.5
ROUNDS = 9
UNIT = 3
EMPTY_APP = """
from textual.app import App
from textual.widgets import Static

class Empty(App):
    def compose(self):
        yield Static("first paint")

Empty().run()
"""


def highest_value(path: Path, unit: int) -> bytes:
    """A unit's highest value as its row shows it; for a unit without the cursor it stands nowhere else."""
    with RunReader(path) as run:
        return f"{run.unit_table(run.layer(LAYER)).hi[unit]:.4g}".encode()


def seconds_until(text: bytes, command: list[str]) -> float:
    """Seconds from the start of a process until `text` has reached its terminal."""
    with PseudoTerminal(command) as terminal:
        return terminal.wait_for(text)


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "layer.nas.db"
        write_run(run)
        in_a_row = highest_value(run, UNIT)
        ours, empty = [], []
        for _ in range(ROUNDS):
            empty.append(seconds_until(b"first paint", [sys.executable, "-c", EMPTY_APP]))
            ours.append(seconds_until(in_a_row, [sys.executable, "-m", "nastui", str(run), LAYER]))
    ratio = statistics.median(ours) / statistics.median(empty)
    print(f"layer of 4,096 units: {statistics.median(ours):.3f} s; empty Textual app: {statistics.median(empty):.3f} s")
    print(f"first paint: ratio {ratio:.2f}, limit {LIMIT}")
    return int(ratio > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
