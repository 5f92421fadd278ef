"""Screens that take a number before a key themselves, where no list does."""

from __future__ import annotations

import string
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType

from nastui.screens.asking import AskingScreen
from nastui.screens.session import Session
from nastui.widgets.count_prefix import CountPrefix
from nastui.widgets.paint import Paint


class CountingScreen(AskingScreen):
    """A screen that collects a count prefix, unless it is asking something.

    Digits are keys like others: one behind a key that asks something is for the question, also where a slow line
    delivers both at once.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(digit, f"digit('{digit}')", "A count", show=False, system=True) for digit in string.digits
    ]

    def __init__(self, session: Session, paint: Paint) -> None:
        super().__init__(session, paint)
        self.count = CountPrefix()

    def action_digit(self, digit: str) -> None:
        """Collect a count prefix."""
        if self.count.feed(digit):
            self.show_prefix(self.count.text)

    def on_key(self, event: events.Key) -> None:
        """Escape drops a prefix that waits."""
        if event.key == "escape" and not self.is_asking and self.count.feed(event.key):
            event.stop()
            event.prevent_default()
            self.show_prefix(self.count.text)

    def take_count(self) -> int | None:
        """The count typed before a key, which uses it up; None where there was none."""
        self.show_prefix("")
        return self.count.take()
