"""A small app for the tests in this folder, run as a program: pictures, a dialog, a crash, and a log of its keys.

picture_app.py LOG [N [WAIT]]: shows N pictures when g is pressed, m opens and closes a dialog, x crashes, q quits.
"""

from __future__ import annotations

import sys
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from nastui.errors import NastuiError
from nastui.terminal import Terminal, open_terminal
from nastui.views.grid import GridTile


def photograph(seed: int) -> bytes:
    """A JPEG file of 96 × 72 pixels with about as much in it as a photograph."""
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(0, 256, (18, 24, 3), dtype=np.uint8)).resize((96, 72))
    noisy = np.asarray(coarse, np.int16) + rng.integers(-12, 13, (72, 96, 3))
    file = BytesIO()
    Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8)).save(file, "JPEG", quality=85)
    return file.getvalue()


def main(log: Path, n_pictures: int) -> int:
    with open_terminal() as terminal:
        return run(terminal, log, n_pictures)


def run(terminal: Terminal, log: Path, n_pictures: int) -> int:
    from textual import events
    from textual.app import ComposeResult
    from textual.screen import ModalScreen
    from textual.widgets import Label, Static

    from nastui.widgets.graphics_app import GraphicsApp
    from nastui.widgets.image_grid import ImageGrid

    class Dialog(ModalScreen[None]):
        DEFAULT_CSS = "Dialog { align: center middle; } Dialog Label { width: 30; height: 5; background: $surface; }"

        def compose(self) -> ComposeResult:
            yield Label("a dialog")

    class PictureApp(GraphicsApp[None]):
        ENABLE_COMMAND_PALETTE = False

        def compose(self) -> ComposeResult:
            yield Static(f"ready: images={terminal.images} colours={terminal.colour_depth} {self.size}", markup=False)
            yield ImageGrid()

        def on_key(self, event: events.Key) -> None:
            with log.open("a") as file:
                file.write(event.key + "\n")
            self.act(event.key)

        def act(self, key: str) -> None:
            grid = self.screen_stack[0].query_one(ImageGrid)
            if key == "g":
                caption = ("a label", "0.123 #4")
                grid.show([GridTile(n, photograph(n), caption, letter="A") for n in range(n_pictures)])
            elif key == "l":
                grid.move_to(grid.cursor + 1)
            elif key == "m":
                if isinstance(self.screen, Dialog):
                    self.pop_screen()
                else:
                    self.push_screen(Dialog())
            elif key == "x":
                raise RuntimeError("a fault of the app")
            elif key == "q":
                self.exit()

    app = PictureApp(terminal)
    app.run()
    with log.open("a") as file:
        file.write("ended in order\n")
    return app.return_code or 0


if __name__ == "__main__":
    try:
        sys.exit(main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 24))
    except NastuiError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)
