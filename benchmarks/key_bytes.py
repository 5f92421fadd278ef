"""What the layer screen writes to the terminal: for one cursor key at most 8 KB, and nothing at all at rest."""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path

from pseudo_terminal import PseudoTerminal
from synthetic_run import LAYER, write_run

KEY_LIMIT = 8 * 1024
PRESSES = 120  # more than two screens of rows, so that scrolling is in it
REST = 5.0


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "layer.nas.db"
        write_run(run)
        with PseudoTerminal([sys.executable, "-m", "nastui", str(run), LAYER]) as terminal:
            terminal.wait_for(b"Next layer")  # the keys come with Textual, after the first page
            opening = len(terminal.output) + terminal.settle(1)
            at_rest = terminal.count(REST)
            keys = []
            for _ in range(PRESSES):
                terminal.press(b"j")
                keys.append(terminal.settle(0.15))
    mean = statistics.mean(keys)
    print(f"opening {opening:,} bytes; at rest {at_rest} bytes in {REST:.0f} s, limit 0")
    print(f"a cursor key: mean {mean:,.0f} bytes over {PRESSES}, most {max(keys):,}; limit of the mean {KEY_LIMIT:,}")
    return int(at_rest > 0 or mean > KEY_LIMIT)


if __name__ == "__main__":
    sys.exit(main())
