"""Take the documentation's pictures: the three screens of the demo's run, drawn without a terminal.

Usage: python tools/shots.py [FOLDER]; by default into docs/pictures. Trains and scans the demo where that is not done.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

from cell_picture import draw_screen

from nastui.app import NastuiApp
from nastui.engine.demo import make_demo
from nastui.records import Address
from nastui.store.reader import RunReader
from nastui.terminal import Terminal

SIZE = 110, 36  # characters
SCENES = {"layers": None, "layer": "head", "neuron": "conv4:3"}


async def take(run: RunReader, start: Address | None, path: Path) -> None:
    """Open the app at `start`, wait until all is painted, and save the picture as a PNG of few colours."""
    app = NastuiApp(run, start, Terminal(colour_depth="truecolor"))
    async with app.run_test(size=SIZE) as pilot:
        for _ in range(3):
            await pilot.pause(0.2)
            await app.workers.wait_for_complete()
        picture = draw_screen(app.screen._compositor.render_strips())
    picture.quantize(256).save(path, optimize=True)
    print(f"{path}: {picture.width}×{picture.height}, {path.stat().st_size:,} bytes")


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parents[1] / "docs" / "pictures"
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch, RunReader(make_demo(Path(scratch)).run) as run:
        for name, address in SCENES.items():
            start = None if address is None else Address.parse(address)
            asyncio.run(take(run, start, folder / f"{name}.png"))


if __name__ == "__main__":
    main()
