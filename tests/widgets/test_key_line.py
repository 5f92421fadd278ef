"""The line of keys shows what the keys do now, and is left alone while that is the same."""

from __future__ import annotations

from typing import ClassVar

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input, Label
from textual.widgets._footer import FooterKey

from nastui.widgets.key_line import KeyLine


class Keys(App[None]):
    BINDINGS: ClassVar[list[BindingType]] = [Binding("f2", "save", "Save"), Binding("f3", "look", "Look", show=False)]
    has_changes = False

    def compose(self) -> ComposeResult:
        yield Label("text")
        yield Input(id="one")
        yield Input(id="two")
        yield KeyLine()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return True if action != "save" or self.has_changes else None

    def shown(self) -> list[FooterKey]:
        return list(self.query(FooterKey))


async def test_it_is_filled_anew_only_where_keys_do_something_else() -> None:
    app = Keys()
    async with app.run_test() as pilot:
        await pilot.pause()
        (before,) = app.shown()
        assert (before.description, before.has_class("-disabled")) == ("Save", True)
        app.query_one("#two").focus()
        app.refresh_bindings()
        await pilot.pause()
        assert app.shown() == [before]
        app.has_changes = True
        app.refresh_bindings()
        await pilot.pause()
        assert [(key.description, key.has_class("-disabled")) for key in app.shown()] == [("Save", False)]
