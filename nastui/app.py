"""The Textual app: opens a run and shows its screens."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from rich.segment import Segment
from textual import events, work
from textual.app import SystemCommand
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.theme import Theme
from textual.timer import Timer

from nastui.addresses import find_layer
from nastui.errors import NastuiError
from nastui.probe_records import ProbeInfo
from nastui.records import Address
from nastui.screens.access import ReviewAccess, RunAccess
from nastui.screens.browse import BrowseScreen
from nastui.screens.job_app import JobApp
from nastui.screens.layer import LayerScreen
from nastui.screens.layers import LayersScreen
from nastui.screens.session import Session
from nastui.settings import Settings
from nastui.terminal import Terminal
from nastui.widgets.paint import DARK, Paint, Tones

_GROWTH_EVERY = 1.0  # seconds between two looks at a run that is being written
_REVIEWS_EVERY = 0.5  # seconds between two looks at what other windows have written
_PROBES_EVERY = 1.0


class NastuiApp(JobApp[None]):
    """Shows one run. `start` opens a layer or a unit at once; `terminal` says what can be drawn.

    `standing`: the lines of the layer screen that the terminal shows already. `reviews`: None where nothing is kept.
    """

    CSS_PATH = "app.tcss"
    TITLE = "nastui"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+q", "quit", "Quit nastui", show=False, priority=True),
        Binding("Q", "quit", "Quit nastui", show=False),
        Binding("ctrl+p", "command_palette", "All commands", show=False),
        Binding("ctrl+l", "repaint", "Paint the screen anew", show=False),
    ]

    def __init__(
        self,
        run: RunAccess,
        start: Address | None,
        terminal: Terminal,
        settings: Settings | None = None,
        standing: Sequence[Sequence[Segment]] = (),
        reviews: ReviewAccess | None = None,
    ) -> None:
        super().__init__(terminal, standing)
        self.session = Session.open(run, settings or Settings(), reviews)
        self.paint = Paint(terminal.colour_depth)
        if start is not None:
            self.session.layer, self.session.unit = find_layer(run, start), start.unit or 0
        else:
            self.session.restore()
        self._start = start
        self._growth: Timer | None = None
        self.register_theme(_theme("nastui", DARK))
        self.theme = "nastui"

    def action_repaint(self) -> None:
        """Write the whole screen again."""
        self.repaint()

    async def on_key(self, event: events.Key) -> None:
        """A key that was on its way to another widget when a field opened is for that field: a slow line delivers
        several keys at once. Letters that the field has had itself do not come here. A key that follows the one that
        opened a screen waits for what is on that."""
        if self._exit:
            event.prevent_default()  # of what was typed behind q: no screen opens any more
            return
        await self.screen._mounted_event.wait()
        field = self.focused
        if field is None or not field.check_consume_key("a", "a"):
            return
        if field.check_consume_key(event.key, event.character):
            event.prevent_default()
            field.post_message(events.Key(event.key, event.character))
        elif await self._check_bindings(event.key, priority=True):
            event.prevent_default()

    def on_mount(self) -> None:
        self.push_screen(LayersScreen(self.session, self.paint))
        if self._start is not None:
            self.push_screen(LayerScreen(self.session, self.paint))
            if self._start.unit is not None:
                from nastui.screens.unit import UnitScreen  # brings Pillow: not before a row of a layer is painted

                self.push_screen(UnitScreen(self.session, self.paint))
        if self.session.info.finished is None:
            self._growth = self.set_interval(_GROWTH_EVERY, self.look_for_growth)
        if self.session.reviews is not None:
            self.set_interval(_REVIEWS_EVERY, self.look_for_reviews)
        self.set_interval(_PROBES_EVERY, self.look_for_probes)

    @work(thread=True, exclusive=True, group="growth")
    def look_for_growth(self) -> None:
        """Look whether a run that is being written has more images by now, or is finished."""
        try:
            info = self.session.run.info()
        except NastuiError:
            return  # the next read of a screen says it
        if (info.n_done, info.finished) != (self.session.info.n_done, self.session.info.finished):
            self.call_from_thread(self._take_growth)

    def _take_growth(self) -> None:
        self.session.read_again()
        for screen in self.screen_stack:
            if isinstance(screen, BrowseScreen) and screen.is_mounted:
                screen.run_grew()
        if self.session.info.finished is not None and self._growth is not None:
            self._growth.stop()

    @work(thread=True, exclusive=True, group="reviews")
    def look_for_reviews(self) -> None:
        """Look whether another window has written reviews meanwhile."""
        reviews = self.session.reviews
        if reviews is None:
            return
        try:
            version = reviews.version()
            if version == self.session.reviews_seen:
                return
            for screen in list(self.screen_stack):
                if isinstance(screen, BrowseScreen):
                    screen.read_reviews()
        except NastuiError:
            return  # the next key that asks for them says it
        self.session.reviews_seen = version
        self.call_from_thread(self._tell_of_reviews)

    def _tell_of_reviews(self) -> None:
        for screen in self.screen_stack:
            if self._exit or not screen.is_mounted:
                continue  # it is being taken down; or it will read them itself
            if isinstance(screen, BrowseScreen):
                screen.reviews_changed()

    @work(thread=True, group="probes")
    def look_for_probes(self) -> None:
        """Look whether somebody has shown the model other images, or removed some."""
        try:
            found = self.session.run.probes()
        except NastuiError:
            return  # the next read of a screen says it
        if found != self.session.probes:
            self.call_from_thread(self._take_probes, found)

    def _take_probes(self, found: tuple[ProbeInfo, ...]) -> None:
        self.session.probes = found
        for screen in self.screen_stack:
            if isinstance(screen, BrowseScreen) and screen.is_mounted and not self._exit:
                screen.probes_changed()

    def leave(self) -> None:
        """Keep where one stands, for the next time, and a note that was being written; called when the app has ended,
        however that came."""
        session = self.session
        try:
            session.leave()
            if session.reviews is not None and session.writing in session.drafts:
                session.reviews.write_note(session.writing, session.drafts[session.writing])
        except NastuiError:
            return  # a file that cannot be written keeps nothing

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """Textual's commands but the choice of a theme: the classes' colours are made for this one background."""
        return (command for command in super().get_system_commands(screen) if command.title != "Theme")


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
        dark=True,
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
