"""The probes of a unit in words: which is which, what the unit gives it, and where that lies."""

from __future__ import annotations

import math

from rich.cells import cell_len, set_cell_size

from nastui.stats.probe_places import NOWHERE
from nastui.views.grid import GridTile
from nastui.views.ink import DIM, STRONG, TEXT
from nastui.views.legend import LegendPiece
from nastui.views.numbers import percent, short_number
from nastui.views.plain import cut, printable, right_aligned
from nastui.views.probe_marks import UnitProbes

_LONGEST_NAME = 24


def probe_lines(probes: UnitProbes, stop: int, n_lines: int, width: int) -> list[list[LegendPiece]]:
    """A line a probe, up to `n_lines`: its mark, its file, the value, the range, what it is above, what the model says,
    the note. Those in the range `stop` stand out, and come first where not all have a line."""
    here = probes.numbers_at(stop)
    everyone = range(len(probes.probes))
    order = list(everyone)
    if len(order) > n_lines:
        order = [*here, *(place for place in order if place not in here)][: max(n_lines - 1, 1)]
    n_others = len(everyone) - len(order)
    names = [cut(printable(probe.name), _LONGEST_NAME) for probe in probes.probes]
    longest = max((cell_len(name) for name in names), default=0)
    others = f"   and {n_others} more probes" if n_others else ""
    room = width - (len(others) if n_lines == 1 else 0)
    places = [place_words(probes, place) for place in order]
    widest = max(map(len, places), default=0)
    lines = [
        _line(probes, place, set_cell_size(names[place], longest), f"{words:<{widest}}", room, is_here=place in here)
        for place, words in zip(order, places, strict=True)
    ]
    if n_others and n_lines == 1:
        lines[0].append(LegendPiece(others, DIM))
    elif n_others:
        lines.append([LegendPiece(f" {others}", DIM)])
    return lines


def _line(probes: UnitProbes, place: int, name: str, where: str, width: int, *, is_here: bool) -> list[LegendPiece]:
    probe, value = probes.probes[place], float(probes.values[place])
    words = [f"{right_aligned(short_number(value), 8)}  {where}"]
    share = float(probes.percentiles[place])
    if not math.isnan(share):
        words.append(f"above {percent(share / 100):>5} of the images")
    if probe.top5:
        words.append(f"predicted {printable(probe.top5[0][0])} {short_number(probe.top5[0][1])}")
    if probe.note:
        words.append(printable(probe.note))
    rest = cut("   ".join(words), max(width - 6 - cell_len(name), 0))
    ink = TEXT if is_here else DIM
    return [LegendPiece(f" {probe.mark} ", STRONG), LegendPiece(f"{name}  ", ink), LegendPiece(rest, ink)]


def place_words(probes: UnitProbes, place: int) -> str:
    """Where the value lies among the unit's ranges."""
    side, stop = int(probes.places.sides[place]), int(probes.places.stops[place])
    if side:
        return "above the highest" if side > 0 else "below the lowest"
    return "no finite value" if stop == NOWHERE else f"range {stop + 1}"


def probe_tile(probes: UnitProbes, place: int, thumbnail: bytes | None) -> GridTile:
    """A probe as a picture with its mark, name and value."""
    probe = probes.probes[place]
    caption = (f"{probe.mark} {printable(probe.name)}", short_number(float(probes.values[place])))
    return GridTile(("probe", probe.sha256), thumbnail, caption, note="no thumbnail")
