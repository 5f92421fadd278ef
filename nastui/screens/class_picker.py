"""Choosing by name which classes are in colour, and which one has the focus."""

from __future__ import annotations

from typing import ClassVar

from rich.segment import Segment
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.strip import Strip
from textual.widgets import Input, Static

from nastui.records import ClassInfo
from nastui.views.classes import MAX_SLOTS, ClassSlots
from nastui.views.numbers import grouped
from nastui.widgets.paint import Paint
from nastui.widgets.row_list import RowList


class ClassList(RowList):
    """Classes with the letter and colour they have, and how many images."""

    can_focus = False

    def __init__(self, paint: Paint, classes: tuple[ClassInfo, ...]) -> None:
        super().__init__()
        self._paint = paint
        self._infos = classes
        self._slots = ClassSlots.choose(classes)
        self.shown: tuple[int, ...] = ()

    def show(self, class_ids: tuple[int, ...], slots: ClassSlots) -> None:
        """Show these classes, marked as `slots` has them."""
        self.shown, self._slots = class_ids, slots
        self.resize_rows(len(class_ids), 1)

    def row_strip(self, row: int, line: int, width: int) -> Strip:
        class_id = self.shown[row]
        style = self._paint.cursor if row == self.cursor else self._paint.text
        is_coloured = class_id in self._slots.interest
        swatch = [Segment(*self._paint.swatch(int(self._slots.slot_of[class_id])))] if is_coloured else []
        letter = self._slots.letter(class_id) if is_coloured else "   "
        count = grouped(self._infos[class_id].n_images)
        segments = [Segment(" ", style), *swatch, Segment(f" {letter} {self._slots.names[class_id]}", style)]
        name = Strip(segments).adjust_cell_length(max(width - len(count) - 1, 0), style)
        return Strip([*name, Segment(f"{count} ", style)]).adjust_cell_length(width, style)


class ClassPicker(ModalScreen[ClassSlots], inherit_bindings=False):
    """Type to find a class; the answer is the classes as they then stand."""

    DEFAULT_CSS = """
    ClassPicker { align: right top; }
    ClassPicker > Vertical {
        width: 48; max-width: 100%; height: 24; max-height: 100%;
        background: $panel; border: round $primary;
    }
    ClassPicker Input, ClassPicker Input:focus { border: none; height: 1; padding: 0 1; background: $panel; }
    ClassPicker Static { height: auto; color: $primary; padding: 0 1; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "move(1)", "Next class", show=False),
        Binding("up", "move(-1)", "Previous class", show=False),
        Binding("tab", "toggle_colour", "Give or take away its colour", show=False),
        Binding("enter", "focus_class", "Focus on it", show=False),
        Binding("escape", "done", "Done", show=False),
    ]

    def __init__(self, paint: Paint, classes: tuple[ClassInfo, ...], slots: ClassSlots) -> None:
        super().__init__()
        self._slots = slots
        self._list = ClassList(paint, classes)
        self._words = Static("↑ ↓ choose  tab colour  ⏎ focus and close  esc close", markup=False)

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Input(placeholder="class name", select_on_focus=False)
            yield self._list
            yield self._words

    def on_mount(self) -> None:
        self.query_one(Input).cursor_blink = False  # a blink is bytes over ssh, twice a second
        self._find("")

    def on_input_changed(self, event: Input.Changed) -> None:
        self._find(event.value)

    def on_input_submitted(self) -> None:
        self.action_focus_class()

    def _find(self, text: str) -> None:
        wanted = text.casefold().strip()
        names = self._slots.names
        found = [class_id for class_id, name in enumerate(names) if wanted in name.casefold()]
        found.sort(key=lambda class_id: (not names[class_id].casefold().startswith(wanted), class_id))
        self._list.show(tuple(found), self._slots)
        self._list.cursor = 0

    def _chosen(self) -> int | None:
        return self._list.shown[self._list.cursor] if self._list.shown else None

    def action_move(self, rows: int) -> None:
        self._list.cursor += rows

    def action_toggle_colour(self) -> None:
        chosen, interest = self._chosen(), self._slots.interest
        if chosen is None:
            return
        if chosen in interest:
            self._slots = self._slots.with_interest([other for other in interest if other != chosen])
        elif len(interest) < MAX_SLOTS:
            self._slots = self._slots.with_interest([*interest, chosen])
        else:
            self._words.update(f"There are {MAX_SLOTS} colours: take one away first (tab).")
        self._list.show(self._list.shown, self._slots)

    def action_focus_class(self) -> None:
        chosen = self._chosen()
        self.dismiss(self._slots if chosen is None else self._slots.with_focus(chosen))

    def action_done(self) -> None:
        self.dismiss(self._slots)
