"""From an address that a person typed to the layer that it names in a run."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Protocol

from nastui.errors import AddressNotFound
from nastui.records import Address, LayerInfo


class HasLayers(Protocol):
    """A run, as far as addresses are concerned."""

    def layer(self, path: str, basis: str) -> LayerInfo: ...


def find_layer(run: HasLayers, address: Address) -> LayerInfo:
    """The layer of an address. Raises AddressNotFound also where the layer is there but not the unit."""
    layer = run.layer(address.layer, address.basis)
    if address.unit is not None and address.unit >= layer.n_units:
        last = Address(layer.path, layer.n_units - 1, layer.basis)
        raise AddressNotFound(
            f"{layer.address} has no unit {address.unit}.", hint=f"Its units are numbered from 0 to {last}."
        )
    return layer


def find_unit(run: HasLayers, address: str) -> tuple[LayerInfo, int]:
    """The layer and the number of the unit at an address. Raises AddressNotFound also where it is a layer's."""
    wanted = Address.parse(address)
    layer = find_layer(run, wanted)
    if wanted.unit is None:
        raise AddressNotFound(f"{wanted} is a layer, no unit.", hint=f"Name a unit, e.g. {wanted}:0.")
    return layer, wanted.unit


def matching_layers(layers: Sequence[LayerInfo], patterns: Sequence[str]) -> list[LayerInfo]:
    """Those of `layers` whose address is one of the patterns, in which `*` stands for anything; all without a pattern.

    A pattern that is an address as it stands (`block[0]`) means that one. Raises AddressNotFound for a pattern that no
    layer matches.
    """
    found: set[str] = set()
    for pattern in patterns:
        names = [str(layer.address) for layer in layers]
        matching = {pattern} & set(names) or {name for name in names if fnmatchcase(name, pattern)}
        if not matching:
            raise AddressNotFound(f"No layer matches '{pattern}'.", hint="nastui layers lists the layers of a run.")
        found |= matching
    return [layer for layer in layers if not patterns or str(layer.address) in found]
