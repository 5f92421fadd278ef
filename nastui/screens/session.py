"""What the screens share: the open run, what is known of it, and how it is looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from nastui.limits import MAX_RANGES
from nastui.records import (
    NEURON,
    ClassInfo,
    Float32,
    Footprints,
    ImageInfo,
    ImageTable,
    Int32,
    LayerInfo,
    RunInfo,
    UnitTable,
)
from nastui.settings import Settings
from nastui.views.classes import ClassSlots
from nastui.views.look import Look


class RunAccess(Protocol):
    """The part of a run's reader that the screens ask; every call may come from any thread."""

    def info(self) -> RunInfo: ...

    def classes(self) -> tuple[ClassInfo, ...]: ...

    def layers(self) -> tuple[LayerInfo, ...]: ...

    def layer(self, path: str, basis: str = NEURON) -> LayerInfo: ...

    def image_table(self) -> ImageTable: ...

    def unit_table(self, layer: LayerInfo) -> UnitTable: ...

    def footprints(self, layer: LayerInfo, first: int, count: int, m: int | None = None) -> Footprints: ...

    def values(self, layer: LayerInfo, unit: int) -> Float32: ...

    def image_values(self, layer: LayerInfo, image: int) -> Float32: ...

    def positions(self, layer: LayerInfo, unit: int) -> Int32 | None: ...

    def images(self, ids: Sequence[int]) -> list[ImageInfo]: ...

    def thumbnails(self, ids: Sequence[int]) -> dict[int, bytes]: ...

    def original(self, image: int) -> bytes: ...


@dataclass
class Session:
    """One open run. The app owns it; screens read it, and write what keys change: `look`, `slots`, and the place,
    `layer` and `unit`, where one stands on whatever screen. Once `is_interest_chosen` by a person, the classes in
    colour no longer follow the layer."""

    run: RunAccess
    info: RunInfo
    classes: tuple[ClassInfo, ...]
    layers: tuple[LayerInfo, ...]
    images: ImageTable
    slots: ClassSlots
    look: Look
    layer: LayerInfo
    unit: int = 0
    is_interest_chosen: bool = False

    @classmethod
    def open(cls, run: RunAccess, settings: Settings) -> Session:
        """Read what every screen needs of a run; the activations stay in the file."""
        info = run.info()
        classes = run.classes()
        layers = run.layers()
        return cls(
            run=run,
            info=info,
            classes=classes,
            layers=layers,
            layer=layers[0],
            images=run.image_table(),
            slots=ClassSlots.choose(classes),
            look=look_at(info, classes, settings),
        )

    @property
    def layer_index(self) -> int:
        """Where the layer stands in the run's order."""
        return [layer.basis_id for layer in self.layers].index(self.layer.basis_id)

    def layer_beside(self, step: int) -> LayerInfo:
        """The layer `step` places on in the run's order, or the last one on the way there."""
        return self.layers[min(max(self.layer_index + step, 0), len(self.layers) - 1)]

    def fit_widths(self) -> None:
        """Scale the thresholds of the bar widths to the images per class."""
        self.look = _fitted(self.look, self.classes)

    def read_again(self) -> None:
        """Take what a run that is being written has by now; place, look and slots stay."""
        self.info, self.layers, self.images = self.run.info(), self.run.layers(), self.run.image_table()
        self.layer = self.layers[self.layer_index]


def look_at(info: RunInfo, classes: Sequence[ClassInfo], settings: Settings) -> Look:
    """How a run is looked at before any key: as it was scanned, where the settings do not say otherwise."""
    look = Look(**{"ranges": min(info.spec.ranges, MAX_RANGES), **settings.look})
    return _fitted(look, classes) if settings.follows_classes else look


def _fitted(look: Look, classes: Sequence[ClassInfo]) -> Look:
    return look.with_widths_for(sum(c.n_images for c in classes) / max(len(classes), 1))
