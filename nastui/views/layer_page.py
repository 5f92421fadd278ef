"""What the layer screen says in words around its rows: the title, the legend and the facts of a unit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from rich.cells import cell_len

from nastui.measure_records import Listing
from nastui.records import LayerInfo, RunInfo, UnitTable
from nastui.views.classes import ClassSlots
from nastui.views.facts import far_words, unit_words
from nastui.views.footprint import Geometry
from nastui.views.ink import DIM, STRONG, TEXT
from nastui.views.legend import LegendPiece, legend_lines
from nastui.views.listing import Counts, filter_words, sort_words
from nastui.views.look import Look

_SHORT = 20  # lines: below this the rows need the room of the legend
_TYPED_ROOM = 4
_SHORT_FILTER, _LONGEST_FILTER = 16, 1000  # cells
_SPARED = 1


def title_pieces(name: str, words: str, prefix: str = "") -> list[LegendPiece]:
    """The title line of a screen: what is looked at, what is to be said of it, and the number being typed."""
    typed = f"  {prefix}" if prefix else ""
    return [LegendPiece(f" {name}", STRONG), LegendPiece(f"   {words}", DIM), LegendPiece(typed, STRONG)]


def title_room(name: str, columns: int) -> int:
    """The cells that a title has for words after `name`, where a number may be typed behind them."""
    return columns - cell_len(name) - 4 - _TYPED_ROOM


@dataclass(frozen=True, slots=True)
class _Part:
    """A piece of the title. Where there is no room for all, those of the highest `rank` go first, then the others are
    said in their `short` words, then those of rank 1 go too; 0 never goes."""

    words: str
    rank: int = 0
    short: str = ""


def layer_words(
    layer: LayerInfo,
    look: Look,
    geometry: Geometry,
    info: RunInfo,
    index: int,
    n_layers: int,
    counts: Counts,
    width: int,
) -> str:
    """What the title says of a layer, which is the one at `index` of the run's `n_layers`, while its units stand by
    number."""
    parts = [
        _Part(layer.type, 5),
        _Part(_shape(layer), 4),
        *(_Part(words, short=short) for words, short in counts.words(is_filtered=False)),
        _ranges_part(look, geometry),
        _Part(f"layer {index + 1} of {n_layers}", 6),
        *_progress(info),
    ]
    return _joined(_that_fit(parts, width))


def listing_words(
    layer: LayerInfo, look: Look, geometry: Geometry, info: RunInfo, listing: Listing, counts: Counts, width: int
) -> str:
    """What the title says of a layer whose units are sorted or filtered. A long filter is cut, to a few characters
    where the rest has no room else."""
    where, sort = listing.where, sort_words(listing)
    parts = [_Part(sort, short=sort.removeprefix("sort "))] if sort else []
    at = len(parts)
    if where:
        parts.append(_Part(filter_words(where, _LONGEST_FILTER), short=filter_words(where, _SHORT_FILTER)))
    parts += [_Part(words, short=short) for words, short in counts.words(is_filtered=bool(where))]
    parts += [_ranges_part(look, geometry), *_progress(info), _Part(layer.type, 5), _Part(_shape(layer), 4)]
    said = _that_fit(parts, width)
    if where:
        others = _joined([*said[:at], _Part(""), *said[at + 1 :]])
        said[at] = _Part(filter_words(where, width - cell_len(others)))
    return _joined(said)


def _that_fit(parts: Sequence[_Part], width: int) -> list[_Part]:
    """The parts that there is room for, as short as they have to be: a filter first, then the last ones."""
    said = list(parts)

    def is_long() -> bool:
        return cell_len(_joined(said)) > width

    while is_long() and any(part.rank > _SPARED for part in said):
        said.remove(max(said, key=lambda part: part.rank))
    for place in sorted(range(len(said)), key=lambda place: (not said[place].words.startswith("filter "), -place)):
        if is_long() and said[place].short:
            said[place] = replace(said[place], words=said[place].short)
    while is_long() and any(part.rank for part in said):
        said.remove(max(said, key=lambda part: part.rank))
    return said


def _joined(parts: Sequence[_Part]) -> str:
    return " · ".join(part.words for part in parts)


def _shape(layer: LayerInfo) -> str:
    kept = {"class": " class token", "patches": " patches"}.get(layer.tokens or "", "")
    return "×".join(str(size) for size in layer.shape) + kept


def _progress(info: RunInfo) -> list[_Part]:
    words = far_words(info)
    return [_Part(words, short=words.removesuffix(" so far"))] if words else []


def _ranges_part(look: Look, geometry: Geometry) -> _Part:
    """The ranges of a row; what is not as asked for is always said."""
    if geometry.m < look.ranges:
        fit = f"{geometry.m} of {look.ranges}"
        return _Part(f"{fit} ranges (what fits)", _SPARED, short=f"{fit} ranges")
    if not geometry.is_whole:
        return _Part(f"{look.ranges} ranges (more to the side: ← →)", _SPARED, short=f"{look.ranges} ranges ← →")
    return _Part(f"{look.ranges} ranges", 3)


def legend_block(slots: ClassSlots, look: Look, width: int, height: int) -> list[list[LegendPiece]]:
    """The legend's lines on a screen of this size."""
    lines = legend_lines(slots, look, width - 2, 1 if height < _SHORT else 3)
    return [[LegendPiece(" ", DIM), *line] for line in lines]


def facts_start(layer: LayerInfo, unit: int) -> int:
    """The cells that the line of facts takes for the address."""
    return cell_len(str(replace(layer.address, unit=unit))) + 3


def facts_pieces(
    layer: LayerInfo, units: UnitTable, unit: int, n_hidden: int, value: str = "", evidence: str = "", probes: str = ""
) -> list[LegendPiece]:
    """The line of facts of the unit under the cursor; `value`: by what it stands where it does; `evidence`: for its
    kind; `probes`: which of them fall where. `n_hidden` classes are too rare to be drawn in its row."""
    address = str(replace(layer.address, unit=unit))
    said = [LegendPiece(f"{words}  ", TEXT) for words in (probes, value, evidence) if words]
    pieces = [LegendPiece(f" {address}  ", STRONG), *said, LegendPiece(unit_words(units, unit), DIM)]
    if n_hidden:
        pieces.append(LegendPiece(f"  in some range {n_hidden} classes are too rare to draw", DIM))
    return pieces


def nothing_listed_pieces(layer: LayerInfo) -> list[LegendPiece]:
    """The line of facts where the filter holds for no unit."""
    return [LegendPiece(f" {layer.address}  ", STRONG), LegendPiece("no unit fits the filter: / changes it", DIM)]
