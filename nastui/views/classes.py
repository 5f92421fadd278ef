"""Which classes are shown in colour, and in which slot."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nastui.palette import LETTERS, OTHER
from nastui.records import ClassInfo, Int32
from nastui.views.plain import printable

MAX_SLOTS = len(LETTERS)


@dataclass(frozen=True)
class ClassSlots:
    """The classes of interest in the order of their colours; every other class is the neutral *other*.

    `slot_of` (K,) int32: class id -> slot 0..9, or OTHER. The order is that of the class ids, in every bar and
    in the legend.
    """

    names: tuple[str, ...]
    interest: tuple[int, ...]
    slot_of: Int32

    @classmethod
    def choose(cls, classes: Sequence[ClassInfo], interest: Sequence[int] | None = None) -> ClassSlots:
        """Slots for `interest` (class ids), or for the first ten classes where nothing is asked for."""
        chosen = sorted(interest if interest is not None else range(len(classes)))[:MAX_SLOTS]
        slot_of = np.full(len(classes), OTHER, dtype=np.int32)
        slot_of[chosen] = np.arange(len(chosen), dtype=np.int32)
        return cls(tuple(display_name(c.name) for c in classes), tuple(chosen), slot_of)

    @property
    def has_other(self) -> bool:
        """Whether some class has no colour of its own."""
        return len(self.interest) < len(self.names)

    def letter(self, class_id: int) -> str:
        """The legend's letter of a class, a dot for one that is *other*."""
        slot = int(self.slot_of[class_id])
        return "·" if slot == OTHER else LETTERS[slot]

    def slot_counts(self, counts: Int32) -> Int32:
        """Counts per class (…, K) as counts per slot (…, 11): the ten slots, then *other*."""
        total = np.zeros((*counts.shape[:-1], MAX_SLOTS + 1), dtype=np.int32)
        for slot, class_id in enumerate(self.interest):
            total[..., slot] = counts[..., class_id]
        total[..., OTHER] = counts.sum(axis=-1) - total[..., :MAX_SLOTS].sum(axis=-1)
        return total


def display_name(name: str) -> str:
    """A class name as it is read: without a WordNet id before it, and with nothing that a terminal would obey."""
    return printable(_WORDNET_ID.sub("", name) or name)


_WORDNET_ID = re.compile(r"^n\d{8}[ _-]+")
