"""One-line summaries in words: of a run, of a unit, of a range."""

from __future__ import annotations

import numpy as np
from rich.cells import cell_len

from nastui.records import RunInfo, UnitTable
from nastui.views.classes import ClassSlots
from nastui.views.ink import DIM, TEXT
from nastui.views.legend import LegendPiece
from nastui.views.numbers import grouped, percent, short_number
from nastui.views.plain import printable
from nastui.views.unit_view import RangeFacts, no_value_words


def run_words(info: RunInfo, n_classes: int, reviewer: str | None) -> str:
    """What was scanned, how far, how well the model does on it, and whose reviews are shown."""
    words = [far_words(info) or f"{grouped(info.n_images)} images", f"{n_classes} classes"]
    if info.n_failed:
        words.append(f"{grouped(info.n_failed)} did not decode")
    if info.top1 is not None:
        words.append(f"top-1 {info.top1:.3f}")
        if info.n_matched < info.n_done - info.n_failed:
            words[-1] += f" on {grouped(info.n_matched)}"
    elif info.n_done:
        words.append("no accuracy: classes not matched")
    words.append(f"reduced by {info.spec.reduction}")
    if reviewer is not None:
        words.append(f"reviewer {printable(reviewer)}")
    return " · ".join(words)


def far_words(info: RunInfo) -> str:
    """How far a scan is that still runs or was stopped; nothing of a finished one."""
    if info.finished:
        return ""
    of = grouped(info.n_images)
    if not info.n_done:
        return f"no images yet of {of}"
    return (
        f"{grouped(info.n_done)} of {of} images so far"
        if info.n_done < info.n_images
        else f"{of} images, to be measured"
    )


def unit_words(units: UnitTable, unit: int) -> str:
    """The measures of a unit."""
    n = int(units.n[unit])
    if n == 0 and not units.non_finite[unit]:
        return no_value_words(0)
    if n == 0:
        return f"no finite value · {grouped(int(units.non_finite[unit]))} NaN or infinite"
    words = [
        f"lo {short_number(float(units.lo[unit]))}",
        f"hi {short_number(float(units.hi[unit]))}",
        f"mean {short_number(float(units.mean[unit]))}",
        f"std {short_number(float(units.std[unit]))}",
        f">0 {percent(float(units.density[unit]))}",
        f"zeros {grouped(int(units.zeros[unit]))}",
        f"n {grouped(n)}",
    ]
    if units.non_finite[unit]:
        words.append(f"NaN or infinite {grouped(int(units.non_finite[unit]))}")
    return "  ".join(words)


def range_words(facts: RangeFacts, position: int, n_ranges: int) -> str:
    """The exact numbers of a range: its place, edges, images, mean, and the ranks it covers."""
    end = "]" if facts.is_last else ")"
    words = [
        f"range {position + 1} of {n_ranges}",
        f"[{short_number(facts.low)}, {short_number(facts.high)}{end}",
        f"{grouped(facts.n)} of {grouped(facts.n_finite)} images ({percent(facts.n / max(facts.n_finite, 1))})",
    ]
    if facts.n:
        words.append(f"mean {short_number(facts.mean)}")
        ranks = grouped(facts.rank_first)
        if facts.rank_last > facts.rank_first:
            ranks += f"–{grouped(facts.rank_last)}"
        words.append(f"rank {ranks} from the lowest")
    return "  ".join(words)


def share_pieces(facts: RangeFacts, slots: ClassSlots, width: int) -> list[LegendPiece]:
    """The classes of a range by falling count, with count and share, as far as they fit; the rest in a last `+n`."""
    pieces: list[LegendPiece] = []
    used = 0
    order = np.argsort(-facts.counts, kind="stable")
    present = [int(class_id) for class_id in order if facts.counts[class_id]]
    for shown, class_id in enumerate(present):
        count = int(facts.counts[class_id])
        text = f"{slots.names[class_id]} {grouped(count)} ({percent(count / facts.n)})   "
        rest = f"+{len(present) - shown} classes"
        if used + 4 + cell_len(text) + len(rest) > width and shown:
            return [*pieces, LegendPiece(rest, DIM)]
        used += 4 + cell_len(text)
        pieces += [
            LegendPiece(" ", int(slots.slot_of[class_id]), is_swatch=True),
            LegendPiece(f" {slots.letter(class_id)} ", DIM),
            LegendPiece(text, TEXT),
        ]
    return pieces
