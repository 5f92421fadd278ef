"""The numbers of a range in words, its classes, and which of its images one stands on."""

from __future__ import annotations

from collections.abc import Sequence

from nastui.views.classes import ClassSlots
from nastui.views.facts import range_words, share_pieces
from nastui.views.ink import DIM, STRONG
from nastui.views.legend import LegendPiece
from nastui.views.numbers import grouped
from nastui.views.plain import cut
from nastui.views.range_walk import RangeWalk
from nastui.views.unit_view import NON_FINITE, Order, no_value_words


def range_lines(walk: RangeWalk, slots: ClassSlots, width: int, more: Sequence[str] = ()) -> list[list[LegendPiece]]:
    """Three lines about the place where one stands; `more`: what else is to be said of the image."""
    view = walk.view
    if view is None:
        return [[], [], []]
    if walk.stop == NON_FINITE:
        return [[LegendPiece(" NaN or infinite", STRONG)], [], [_image_piece(walk, "in the run's order")]]
    if view.n_ranges == 0:
        return [[LegendPiece(f" {no_value_words(int(view.is_ok.sum()))}", STRONG)], [], []]
    facts = view.facts(walk.stop)
    words = LegendPiece(cut(f" {range_words(facts, walk.stop, view.n_ranges)}", width), STRONG)
    shares = share_pieces(facts, slots, width - 2)
    order = [_order_words(walk, slots), *more]
    return [[words], [LegendPiece(" ", DIM), *shares], [_image_piece(walk, " · ".join(filter(None, order)))]]


def _order_words(walk: RangeWalk, slots: ClassSlots) -> str:
    seed = f", seed {walk.seed}" if walk.order is Order.RANDOM else ""
    only = "" if walk.focus is None else f" · only {slots.names[walk.focus]}"
    return f"by {walk.order.value}{seed}{only}"


def _image_piece(walk: RangeWalk, order: str) -> LegendPiece:
    if not len(walk.tiles):
        return LegendPiece(f" no image {order}", DIM)
    return LegendPiece(f" image {grouped(walk.image + 1)} of {grouped(len(walk.tiles))} {order}", DIM)
