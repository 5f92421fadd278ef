"""Points along the axis of a unit as a strip of images: a column a point, its nearest images below each other. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from nastui.records import NEURON, Address, Int32, LayerInfo, RunSpec
from nastui.stats.points import Along, Nearest
from nastui.views.grid import GridLayout
from nastui.views.ink import DIM, STRONG, TEXT
from nastui.views.legend import LegendPiece
from nastui.views.numbers import short_number
from nastui.views.patch import PatchFinder
from nastui.views.plain import cut


@dataclass(frozen=True, eq=False)
class Strip:
    """What a strip shows of a unit: the values at its points, and for each the images that are nearest."""

    along: Along
    points: tuple[float, ...]
    nearest: tuple[Nearest, ...]

    @classmethod
    def of(cls, along: Along, points: int, images: int) -> Strip:
        """So many points, and so many images for each."""
        values = tuple(float(value) for value in along.points(points))
        return cls(along, values, tuple(along.nearest(value, images) for value in values))

    @property
    def address(self) -> Address:
        return replace(self.along.layer.address, unit=self.along.unit)

    @property
    def n_rows(self) -> int:
        """How many images each point has."""
        return len(self.nearest[0])

    @property
    def ids(self) -> list[int]:
        """The images as they stand, row by row."""
        return [int(point.images[row]) for row in range(self.n_rows) for point in self.nearest]

    @property
    def values(self) -> list[float]:
        """The unit's values for those."""
        return [float(point.value[row]) for row in range(self.n_rows) for point in self.nearest]


def heading_pieces(strip: Strip, beside: str, width: int, *, is_active: bool) -> list[LegendPiece]:
    """A strip's unit and what is to be said of it; strong where the keys lead through this strip."""
    address = cut(str(strip.address), width - 1)
    words = f"  {short_number(strip.along.lo)} to {short_number(strip.along.hi)}{beside}"
    return [
        LegendPiece(f" {address}", STRONG if is_active else TEXT),
        LegendPiece(cut(words, max(0, width - 1 - len(address))), DIM),
    ]


def value_pieces(strip: Strip, layout: GridLayout, point: int | None) -> list[LegendPiece]:
    """The values at the points, each over the middle of its column; strong at the point that one stands on."""
    pieces, used = [], 0
    for number, value in enumerate(strip.points):
        text = short_number(value)
        start = max(layout.tile(number).x + (layout.tile_width - len(text)) // 2, used)
        pieces.append(LegendPiece(" " * (start - used) + text, STRONG if number == point else DIM))
        used = start + len(text)
    return pieces


def place_words(strip: Strip, point: int, row: int) -> str:
    """The point that one stands on, and how far the image is from it."""
    nearest = strip.nearest[point]
    at = f"point {point + 1} of {len(strip.points)} at {short_number(strip.points[point])}"
    away, off_axis = short_number(float(nearest.distance[row])), short_number(float(nearest.off_axis[row]))
    return f"{at} · #{int(nearest.images[row])} is {_ordinal(row)}: {away} away, {off_axis} off the axis"


def _ordinal(row: int) -> str:
    return "the nearest" if row == 0 else f"nearest but {row}"


@dataclass(frozen=True, slots=True)
class SharedPlace:
    """Whether all neurons of a layer were read at one place of an image, so that a vector of them saw one patch.

    `position`: of all images; None where each has its own (the run has them), or there is none, as `finder.reason`
    says.
    """

    finder: PatchFinder
    position: int | None

    @classmethod
    def of(cls, neurons: LayerInfo, spec: RunSpec) -> SharedPlace:
        """`neurons`: the layer by its neurons."""
        assert neurons.basis == NEURON
        if len(neurons.places) == 2 and spec.reduction == "max":
            reason = "by max each neuron has its value from a place of its own"
            return cls(replace(PatchFinder.of(neurons, spec), reason=reason), None)
        if len(neurons.places) == 2 and spec.reduction == "center":
            height, width = neurons.places
            finder = PatchFinder.of(neurons, replace(spec, reduction="sample"))
            return cls(finder, height // 2 * width + width // 2)
        return cls(PatchFinder.of(neurons, spec), None)

    @property
    def is_read(self) -> bool:
        """Whether the run's positions are needed to tell the place."""
        return not self.finder.reason and self.position is None

    def words(self) -> str:
        """What is shown of the images."""
        if self.finder.reason:
            return f"whole images: {self.finder.reason}"
        return f"patches of {self.finder.size_words}"

    def positions(self, n_images: int, found: Int32 | None) -> Int32 | None:
        """The place in each image: (N,). `found`: what the run has for one of the neurons."""
        return found if self.position is None else np.full(n_images, self.position, dtype=np.int32)
