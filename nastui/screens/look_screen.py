"""The keys that change how footprints are looked at, the same on every screen that shows them."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType

from nastui.screens.browse import BrowseScreen
from nastui.views.classes import ClassSlots
from nastui.views.look import Look

_RANGES_STEP = 5


class LookScreen(BrowseScreen):
    """A screen with footprints: m and the two thresholds of the bar widths are live keys."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f", "focus_next(1)", "Focus on the next class; after the last, on none", show=False),
        Binding("F", "focus_next(-1)", "Focus on the class before", show=False),
        Binding("c", "classes", "Classes by name: colours and focus", show=False),
        Binding("right_square_bracket", "ranges(1)", "More ranges; N] sets N", show=False),
        Binding("left_square_bracket", "ranges(-1)", "Fewer ranges", show=False),
        Binding("full_stop", "medium(1)", "Medium bars start at more images", show=False),
        Binding("comma", "medium(-1)", "Medium bars start at fewer images", show=False),
        Binding("greater_than_sign", "full(1)", "Full bars start at more images", show=False),
        Binding("less_than_sign", "full(-1)", "Full bars start at fewer images", show=False),
        Binding("a", "auto_widths", "Bar widths to fit the images per class", show=False),
    ]

    def take_count(self) -> int | None:
        """The count typed before the key."""
        raise NotImplementedError

    def look_changed(self) -> None:
        """Show what there is in the session's new look, with its new slots."""
        raise NotImplementedError

    def set_look(self, look: Look) -> None:
        """Look at this and every other footprint so from now on."""
        self.session.look = look
        self.look_changed()

    def action_focus_next(self, step: int) -> None:
        self.session.slots = self.session.slots.with_next_focus(step * (self.take_count() or 1))
        self.look_changed()

    def action_classes(self) -> None:
        from nastui.screens.class_picker import ClassPicker  # brings Textual's Input: not before it is wanted

        self.take_count()
        before = self.session.slots

        def take(chosen: ClassSlots | None) -> None:
            if chosen is None or (chosen.interest, chosen.focus) == (before.interest, before.focus):
                return
            self.session.is_interest_chosen |= chosen.interest != before.interest
            self.session.slots = chosen
            self.look_changed()

        self.app.push_screen(ClassPicker(self.paint, self.session.classes, before), take)

    def action_auto_widths(self) -> None:
        self.take_count()
        self.session.fit_widths()
        self.look_changed()

    def action_ranges(self, step: int) -> None:
        count = self.take_count()
        look = self.session.look
        self.set_look(look.with_ranges(count if count is not None else look.ranges + _RANGES_STEP * step))

    def action_medium(self, step: int) -> None:
        look = self.session.look
        self.set_look(look.with_medium(look.medium + step * (self.take_count() or 1)))

    def action_full(self, step: int) -> None:
        look = self.session.look
        self.set_look(look.with_full(look.full + step * (self.take_count() or 1)))
