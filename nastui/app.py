"""The Textual app: opens a run and shows its screens."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.theme import Theme

from nastui.addresses import find_layer
from nastui.records import Address
from nastui.screens.layer import LayerScreen
from nastui.screens.layers import LayersScreen
from nastui.screens.session import RunAccess, Session
from nastui.screens.unit import UnitScreen
from nastui.settings import Settings
from nastui.terminal import Terminal
from nastui.views.look import Look
from nastui.widgets.graphics_app import GraphicsApp
from nastui.widgets.paint import DARK, LIGHT, Paint, Tones


class NastuiApp(GraphicsApp[None]):
    """Shows one run. `start` opens a layer or a unit at once; `terminal` says what can be drawn."""

    CSS_PATH = "app.tcss"
    TITLE = "nastui"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("Q,ctrl+q", "quit", "Quit nastui", show=False, priority=True),
        Binding("ctrl+p", "command_palette", "All commands", show=False),
        Binding("ctrl+l", "repaint", "Paint the screen anew", show=False),
    ]

    def __init__(
        self, run: RunAccess, start: Address | None, terminal: Terminal, settings: Settings | None = None
    ) -> None:
        super().__init__(terminal)
        settings = settings or Settings()
        self.session = Session.open(run, Look(**settings.look))
        if settings.follows_classes:
            self.session.fit_widths()
        self.paint = Paint(terminal.colour_depth)
        if start is not None:
            self.session.layer, self.session.unit = find_layer(run, start), start.unit or 0
        self._start = start
        for name, tones in (("nastui-dark", DARK), ("nastui-light", LIGHT)):
            self.register_theme(_theme(name, tones))
        self.theme = "nastui-dark"

    def action_repaint(self) -> None:
        """Write the whole screen again."""
        self.repaint()

    def on_mount(self) -> None:
        self.push_screen(LayersScreen(self.session, self.paint))
        if self._start is not None:
            self.push_screen(LayerScreen(self.session, self.paint))
            if self._start.unit is not None:
                self.push_screen(UnitScreen(self.session, self.paint))


def _theme(name: str, tones: Tones) -> Theme:
    return Theme(
        name=name,
        primary=tones.dim,
        secondary=tones.dim,
        accent=tones.text,
        foreground=tones.text,
        background=tones.background,
        surface=tones.background,
        panel=tones.panel,
        boost=tones.panel,
        dark=tones is DARK,
        variables={
            "footer-background": tones.panel,
            "footer-key-foreground": tones.text,
            "footer-description-foreground": tones.dim,
            "scrollbar": tones.cursor,
            "scrollbar-background": tones.background,
            "scrollbar-hover": tones.cursor,
            "scrollbar-active": tones.cursor,
            "scrollbar-background-hover": tones.background,
            "scrollbar-background-active": tones.background,
            "scrollbar-corner-color": tones.background,
        },
    )
