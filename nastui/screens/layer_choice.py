"""Choosing several layers from a list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from nastui.records import LayerInfo
from nastui.views.ink import DIM, STRONG, TEXT
from nastui.views.legend import LegendPiece
from nastui.views.numbers import grouped
from nastui.widgets.paint import Paint
from nastui.widgets.piece_list import PieceList
from nastui.widgets.row_list import RowList


class LayerChoice(ModalScreen[Sequence[LayerInfo] | None], inherit_bindings=False):
    """Ticks layers; the answer is those ticked, in the run's order, or None where all stays as it was."""

    DEFAULT_CSS = """
    LayerChoice { align: right top; }
    LayerChoice > Vertical {
        width: 60; max-width: 100%; height: 24; max-height: 100%;
        background: $panel; border: round $primary;
    }
    LayerChoice Static { height: auto; color: $primary; padding: 0 1; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space,x", "tick", "Tick or untick", show=False),
        Binding("escape,q", "leave", "Leave all as it is", show=False),
        Binding("Q", "app.quit", "Quit nastui", show=False),
    ]

    def __init__(self, paint: Paint, layers: Sequence[LayerInfo], chosen: Sequence[int]) -> None:
        super().__init__()
        self._paint = paint
        self._layers = layers
        self._chosen = set(chosen)

    def compose(self) -> ComposeResult:
        with Vertical():
            yield PieceList(self._paint)
            yield Static("space tick  ⏎ look through the ticked ones  esc leave", markup=False)

    def on_mount(self) -> None:
        layers = self.query_one(PieceList)
        layers.focus()
        layers.show(len(self._layers), self._row)
        ticked = [place for place, layer in enumerate(self._layers) if layer.basis_id in self._chosen]
        self.call_after_refresh(setattr, layers, "cursor", ticked[0] if ticked else len(self._layers) - 1)

    def _row(self, row: int) -> list[LegendPiece]:
        layer = self._layers[row]
        mark = "✓ " if layer.basis_id in self._chosen else "  "
        words = f"   {layer.type} · {grouped(layer.n_units)} units"
        return [LegendPiece(mark, STRONG), LegendPiece(str(layer.address), TEXT), LegendPiece(words, DIM)]

    def action_tick(self) -> None:
        layers = self.query_one(PieceList)
        layers.take_count()
        self._chosen ^= {self._layers[layers.cursor].basis_id}
        layers.cursor += 1
        layers.refresh()

    def on_row_list_opened(self, message: RowList.Opened) -> None:
        """Nothing ticked means the layer under the cursor."""
        chosen = [layer for layer in self._layers if layer.basis_id in self._chosen]
        self.dismiss(chosen or [self._layers[message.row]])

    def action_leave(self) -> None:
        self.dismiss(None)
