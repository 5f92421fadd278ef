"""The Textual app that can show pictures: what a driver has to send goes out in order with the frames."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar
from weakref import WeakSet

from rich.console import RenderableType
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.app import App
from textual.screen import Screen

from nastui.terminal import Terminal
from nastui.views.grid import Box
from nastui.widgets.graphics import Graphics, NoGraphics, Placement
from nastui.widgets.graphics_half import HalfBlocks

Result = TypeVar("Result")


class PictureSource(Protocol):
    """A widget that wants pictures on the screen."""

    def placements(self) -> Sequence[Placement]:
        """The pictures wanted now, in screen cells: only such as nothing covers, on the active screen."""


def graphics_for(terminal: Terminal) -> Graphics:
    """The driver for the pictures that `terminal` takes."""
    return NoGraphics(terminal) if terminal.images == "none" else HalfBlocks(terminal)


class GraphicsApp(App[Result]):
    """An app whose widgets can show pictures through `graphics`."""

    def __init__(self, terminal: Terminal) -> None:
        super().__init__()
        self.terminal = terminal
        self.graphics = graphics_for(terminal)
        self.picture_sources: WeakSet[PictureSource] = WeakSet()
        self._frame: RenderableType | None = None

    def _display(self, screen: Screen[object], renderable: RenderableType | None) -> None:
        """Write a frame, with what its pictures need before and after it."""
        if self._driver is not None and (before := self.graphics.before_frame()):
            self._driver.write(before)
        self._frame = renderable
        try:
            super()._display(screen, renderable)
        finally:
            self._frame = None

    def _end_update(self) -> None:
        """Place pictures while the terminal still holds back the frame, so that both appear at once."""
        if self._frame is not None and isinstance(self._frame, CompositorUpdate):
            self._place_pictures(painted(self._frame))
        super()._end_update()

    def place_pictures(self) -> None:
        """Place pictures that became ready where nothing is to be repainted."""
        self._place_pictures(())

    def _place_pictures(self, boxes: Iterable[Box]) -> None:
        wanted = [placement for source in self.picture_sources for placement in source.placements()]
        if self._driver is not None and (after := self.graphics.after_frame(boxes, wanted)):
            self._driver.write(after)


def painted(frame: CompositorUpdate) -> list[Box]:
    """The cells that `frame` writes; Textual repaints a changed part of a line from the widget's left edge on."""
    if isinstance(frame, LayoutUpdate):
        x, y, width, height = frame.region
        return [Box(x, y, width, height)]
    if not isinstance(frame, ChopsUpdate):
        return []
    boxes = []
    for y, first, last in frame.spans:
        for end, (x, strip) in zip(frame.chop_ends[y], frame.chops[y].items(), strict=False):
            if strip is not None and x <= last and end > first:
                boxes.append(Box(x, y, min(end, last) - x, 1))
    return boxes
