"""What the layer screen says in words around its rows: the title, the legend and the facts of a unit."""

from __future__ import annotations

from dataclasses import replace

from nastui.records import LayerInfo, RunInfo, UnitTable
from nastui.views.classes import ClassSlots
from nastui.views.facts import unit_words
from nastui.views.footprint import Geometry
from nastui.views.ink import DIM, STRONG
from nastui.views.legend import LegendPiece, legend_lines
from nastui.views.look import Look

_SHORT = 20  # lines: below this the rows need the room of the legend


def title_pieces(name: str, words: str, prefix: str = "") -> list[LegendPiece]:
    """The title line of a screen: what is looked at, what is to be said of it, and the number being typed."""
    typed = f"  {prefix}" if prefix else ""
    return [LegendPiece(f" {name}", STRONG), LegendPiece(f"   {words}", DIM), LegendPiece(typed, STRONG)]


def layer_words(layer: LayerInfo, look: Look, geometry: Geometry, info: RunInfo, index: int, n_layers: int) -> str:
    """What the title says of a layer, which is the one at `index` of the run's `n_layers`."""
    ranges = f"{look.ranges} ranges"
    if geometry.m < look.ranges:
        ranges = f"{geometry.m} of {look.ranges} ranges (what fits)"
    elif geometry.full_width > geometry.bars_width:
        ranges += " (more to the side: ← →)"
    shape = "×".join(str(size) for size in layer.shape)
    words = [layer.type, shape, f"{layer.n_units} units", ranges, f"layer {index + 1} of {n_layers}"]
    if not info.finished:
        words.append(f"{info.n_done} of {info.n_images} images so far")
    return " · ".join(words)


def legend_block(slots: ClassSlots, look: Look, width: int, height: int) -> list[list[LegendPiece]]:
    """The legend's lines on a screen of this size."""
    lines = legend_lines(slots, look, width - 2, 1 if height < _SHORT else 3)
    return [[LegendPiece(" ", DIM), *line] for line in lines]


def facts_pieces(layer: LayerInfo, units: UnitTable, unit: int, n_hidden: int) -> list[LegendPiece]:
    """The line of facts of the unit under the cursor; `n_hidden` classes are too rare to be drawn in its row."""
    address = str(replace(layer.address, unit=unit))
    pieces = [LegendPiece(f" {address}  ", STRONG), LegendPiece(unit_words(units, unit), DIM)]
    if n_hidden:
        pieces.append(LegendPiece(f"  in some range {n_hidden} classes are too rare to draw", DIM))
    return pieces
