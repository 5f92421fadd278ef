"""The line of keys below every screen."""

from __future__ import annotations

from textual.screen import Screen
from textual.widgets import Footer

_Shown = tuple[tuple[str, str, str, bool, str], ...]


class KeyLine(Footer):
    """Textual's footer, filled anew only where it is to show something else. Textual asks for that whenever the focus
    moves or a screen comes back, and it took a third of every change of screen."""

    def __init__(self) -> None:
        super().__init__(show_command_palette=False)
        self._asked: _Shown | None = None

    def bindings_changed(self, screen: Screen[object]) -> None:
        """Textual's signal. As its own, but not for the same keys again."""
        if screen.app.app_focus and self.is_attached:
            shown = self._shown()
            if shown == self._asked:
                return
            self._asked = shown
        super().bindings_changed(screen)

    def _shown(self) -> _Shown:
        """Of every key: name, description, action, whether it does something now, and tooltip."""
        return tuple(
            (self.app.get_key_display(binding), binding.description, binding.action, enabled, tooltip)
            for _, binding, enabled, tooltip in self.screen.active_bindings.values()
            if binding.show
        )
