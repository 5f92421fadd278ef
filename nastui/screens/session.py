"""What the screens share: the open run, what is known of it, how it is looked at, and what people say about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from nastui.limits import MAX_RANGES
from nastui.measure_records import Listing
from nastui.records import (
    NEURON,
    Address,
    ClassInfo,
    ImageTable,
    Int64,
    LayerInfo,
    RunInfo,
)
from nastui.review_records import LayerReviews, Subject
from nastui.screens.access import ReviewAccess, RunAccess
from nastui.settings import Settings
from nastui.views.classes import ClassSlots
from nastui.views.look import Look
from nastui.views.numbers import grouped

if TYPE_CHECKING:
    from nastui.probe_records import ProbeInfo
    from nastui.screens.child_job import ChildJob
    from nastui.stats.suspects import Suspects


@dataclass(frozen=True, slots=True)
class Unreviewed:
    """Where the next unit without a verdict is; None where every listed unit has one. `words`: what is to be said."""

    unit: int | None
    words: str = ""


@dataclass
class Session:
    """One open run. The app owns it; screens read it, and write what keys change: `look`, `slots`, and the place,
    `layer` and `unit`, where one stands on whatever screen. Once `is_interest_chosen` by a person, the classes in
    colour no longer follow the layer.

    By basis id: `listings`, how the units of a layer are listed, where not plainly; `places`, where one left it;
    `marked`, the marked units. `reviews` is None where nothing can be written; `reviews_seen` is the version of them
    that the screens show. `drafts`: notes that were begun and not saved; `writing`, the one whose editor
    is open. `suspects`: those found last. `job`: what a process of its own is making. `probes`: those that are known,
    marked in footprints where `shows_probes`.
    """

    run: RunAccess
    info: RunInfo
    classes: tuple[ClassInfo, ...]
    layers: tuple[LayerInfo, ...]
    images: ImageTable
    slots: ClassSlots
    look: Look
    layer: LayerInfo
    reviews: ReviewAccess | None = None
    reviews_seen: int = -1
    settings: Settings = field(default_factory=Settings)
    drafts: dict[tuple[Subject, ...], str] = field(default_factory=dict)
    writing: tuple[Subject, ...] = ()
    unit: int = 0
    listings: dict[int, Listing] = field(default_factory=dict)
    places: dict[int, int] = field(default_factory=dict)
    marked: dict[int, set[int]] = field(default_factory=dict)
    is_interest_chosen: bool = False
    suspects: Suspects | None = None
    job: ChildJob | None = None
    probes: tuple[ProbeInfo, ...] = ()
    shows_probes: bool = True
    _listed: dict[int, tuple[Listing, Int64]] = field(default_factory=dict)
    _layer_reviews: dict[int, LayerReviews] = field(default_factory=dict)
    _reviews_asked: dict[int, object] = field(default_factory=dict)

    @classmethod
    def open(cls, run: RunAccess, settings: Settings, reviews: ReviewAccess | None = None) -> Session:
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
            reviews=reviews,
            settings=settings,
            probes=run.probes(),
        )

    # ---- the listing ----------------------------------------------------------------------

    @property
    def listing(self) -> Listing:
        """How the units of the layer are listed."""
        return self.listing_of(self.layer)

    def listing_of(self, layer: LayerInfo) -> Listing:
        """How the units of any layer are listed."""
        return self.listings.get(layer.basis_id, Listing())

    @property
    def listed(self) -> Int64:
        """The units of the layer in the order of its listing; empty while they are all listed by number, and until the
        listing has been read."""
        known = self._listed.get(self.layer.basis_id)
        return known[1] if known is not None and known[0] == self.listing else np.zeros(0, dtype=np.int64)

    def take_listed(self, layer: LayerInfo, listing: Listing, units: Int64 | None) -> None:
        """List a layer's units so from now on; `units` are those of the listing, in its order, None for all by
        number."""
        if units is None:
            self.listings.pop(layer.basis_id, None)
            self._listed.pop(layer.basis_id, None)
        else:
            self.listings[layer.basis_id] = listing
            self._listed[layer.basis_id] = listing, units

    def unit_beside(self, step: int) -> int:
        """The unit `step` places on in the listing, or the last one on the way there."""
        if not len(self.listed):
            return min(max(self.unit + step, 0), self.layer.n_units - 1)
        place = self._place_of(self.unit)
        if place is None:
            place = -1 if step > 0 else 0
        return int(self.listed[min(max(place + step, 0), len(self.listed) - 1)])

    def _place_of(self, unit: int) -> int | None:
        found = np.flatnonzero(self.listed == unit)
        return int(found[0]) if len(found) else None

    def move_to(self, layer: LayerInfo, unit: int | None = None) -> None:
        """Stand in another layer: at `unit`, or where one stood in it before."""
        self.places[self.layer.basis_id] = self.unit
        self.layer = layer
        self.unit = self.places.get(layer.basis_id, 0) if unit is None else unit

    # ---- what people say ------------------------------------------------------------------

    @property
    def layer_reviews(self) -> LayerReviews | None:
        """What the reviewer said about the units of the layer, as far as it has been read."""
        return self.known_reviews(self.layer)

    def known_reviews(self, layer: LayerInfo) -> LayerReviews | None:
        """What the reviewer said about the units of any layer, as far as it has been read."""
        return self._layer_reviews.get(layer.basis_id)

    def read_reviews(self, layer: LayerInfo) -> LayerReviews | None:
        """Ask what the reviewer said about a layer's units, and keep it, where nobody has asked again meanwhile; may be
        called from any thread. None without reviews."""
        if self.reviews is None:
            return None
        question = self._reviews_asked[layer.basis_id] = object()
        found = self.reviews.layer_reviews(layer)
        if self._reviews_asked[layer.basis_id] is question:
            self._layer_reviews[layer.basis_id] = found
        return found

    def next_unreviewed(self, step: int) -> Unreviewed:
        """The next unit (`step` 1) or the one before (-1) in the listing that has no verdict; past the end it goes on
        from the other one."""
        units = self.listed if len(self.listed) else np.arange(self.layer.n_units)
        reviews = self.layer_reviews
        is_open = np.array([reviews is None or reviews.verdicts[unit] is None for unit in units.tolist()])
        here = self._place_of(self.unit) if len(self.listed) else self.unit
        others = np.flatnonzero(is_open)
        if here is not None:
            others = others[others != here]
        if len(others) == 0:
            only_here = here is not None and bool(is_open[here])
            return Unreviewed(
                None, "The others are all reviewed." if only_here else f"All {grouped(len(units))} are reviewed."
            )
        start = -1 if here is None else here
        ahead = others[others > start] if step > 0 else others[others < start][::-1]
        if len(ahead):
            return Unreviewed(int(units[ahead[0]]))
        left = f"{grouped(int(is_open.sum()))} are not reviewed yet"
        first = others[0] if step > 0 else others[-1]
        return Unreviewed(int(units[first]), f"Round the {'end' if step > 0 else 'start'}: {left}.")

    # ---- leaving and coming back ----------------------------------------------------------

    def restore(self) -> None:
        """Go on where the reviewer left off: in that layer, at that unit, every layer listed as it was."""
        if self.reviews is None:
            return
        layers = {str(layer.address): layer for layer in self.layers}
        for standing in reversed(self.reviews.standings()):  # the newest comes last, and stays
            address = Address.parse(standing.address)
            layer = layers.get(str(replace(address, unit=None)))
            if layer is None:
                continue
            if not standing.listing.is_plain:
                self.listings[layer.basis_id] = standing.listing
            self.layer, self.unit = layer, min(address.unit or 0, layer.n_units - 1)
            self.places[layer.basis_id] = self.unit

    def leave(self) -> None:
        """Keep where the reviewer leaves off, for `restore`."""
        if self.reviews is None:
            return
        self.places[self.layer.basis_id] = self.unit
        for layer in self.layers:
            if layer.basis_id in self.places and layer.basis_id != self.layer.basis_id:
                self._leave(layer)
        self._leave(self.layer)

    def _leave(self, layer: LayerInfo) -> None:
        assert self.reviews is not None
        self.reviews.leave_at(layer, self.places[layer.basis_id], self.listing_of(layer))

    # ---- the layer ------------------------------------------------------------------------

    @property
    def layer_index(self) -> int:
        """Where the layer stands in the run's order."""
        return [layer.basis_id for layer in self.layers].index(self.layer.basis_id)

    @property
    def bases(self) -> list[LayerInfo]:
        """The layer along each of its bases, neurons first."""
        return [layer for layer in self.layers if layer.id == self.layer.id]

    def basis_beside(self, step: int) -> LayerInfo:
        """The layer along the basis `step` places on; after the last one come the neurons again."""
        bases = self.bases
        place = [layer.basis_id for layer in bases].index(self.layer.basis_id)
        return bases[(place + step) % len(bases)]

    @property
    def layer_place(self) -> tuple[int, int]:
        """Which of the run's layers it is, counted from 0, and of how many."""
        ids = list(dict.fromkeys(layer.id for layer in self.layers))
        return ids.index(self.layer.id), len(ids)

    def layer_beside(self, step: int) -> LayerInfo:
        """The layer `step` places on in the run's order, or the last one on the way there: along the same basis where
        it has that, else its neurons."""
        ids = list(dict.fromkeys(layer.id for layer in self.layers))
        layer_id = ids[min(max(ids.index(self.layer.id) + step, 0), len(ids) - 1)]
        bases = [layer for layer in self.layers if layer.id == layer_id]
        return next((layer for layer in bases if layer.basis == self.layer.basis), bases[0])

    def fit_widths(self) -> None:
        """Scale the thresholds of the bar widths to the images per class."""
        self.look = _fitted(self.look, self.classes)

    def read_again(self) -> None:
        """Take what the run has by now; place, look and slots stay."""
        self.info, self.images, self.probes = self.run.info(), self.run.image_table(), self.run.probes()
        self.take_layers(self.run.layers())

    def take_layers(self, layers: tuple[LayerInfo, ...]) -> None:
        """Take the layers as they are by now. A basis that was fitted anew is the one that had its name, and neurons
        stand in for one that is gone."""
        self.layers = layers
        before = self.layer
        same = {layer.basis: layer for layer in self.bases}
        self.layer = same.get(before.basis, same[NEURON])
        if self.layer.basis_id != before.basis_id:
            self.unit = min(self.unit, self.layer.n_units - 1)


def look_at(info: RunInfo, classes: Sequence[ClassInfo], settings: Settings) -> Look:
    """How a run is looked at before any key: as it was scanned, where the settings do not say otherwise."""
    look = Look(**{"ranges": min(info.spec.ranges, MAX_RANGES), **settings.look})
    return _fitted(look, classes) if settings.follows_classes else look


def _fitted(look: Look, classes: Sequence[ClassInfo]) -> Look:
    return look.with_widths_for(sum(c.n_images for c in classes) / max(len(classes), 1))
