"""The images of a range as the tiles of a grid, read page by page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import overload

from nastui.records import ImageInfo, Int64
from nastui.views.classes import ClassSlots, display_name
from nastui.views.grid import GridTile
from nastui.views.numbers import short_number
from nastui.views.patch import Part


def image_tile(
    image: ImageInfo, thumbnail: bytes | None, value: float, slots: ClassSlots, colour: str, part: Part | None = None
) -> GridTile:
    """An image with its class and value, and with the model's answer where that is wrong.

    `colour`: of its class. `part`: what to show of it, None for the whole.
    """
    answer = f" → {display_name(image.predicted)}" if image.is_wrong and image.predicted else ""
    return GridTile(
        id=image.id,
        thumbnail=thumbnail,
        caption=(f"{slots.names[image.class_id]}{answer}", f"{short_number(value)}  #{image.id}"),
        colour=colour,
        letter=slots.letter(image.class_id),
        is_wrong=bool(image.is_wrong),
        note=image.error or "no thumbnail",
        crop=part,
    )


class TileSource(Sequence[GridTile]):
    """The tiles of `ids` in order. Those not read yet are blank; `put` adds what has come from the file."""

    def __init__(self, ids: Int64) -> None:
        self._ids = ids
        self._known: dict[int, GridTile] = {}

    @property
    def ids(self) -> list[int]:
        """The images, in order."""
        return [int(image_id) for image_id in self._ids]

    def image_at(self, place: int) -> int:
        """The image at one place."""
        return int(self._ids[place])

    def __len__(self) -> int:
        return len(self._ids)

    @overload
    def __getitem__(self, index: int) -> GridTile: ...

    @overload
    def __getitem__(self, index: slice) -> list[GridTile]: ...

    def __getitem__(self, index: int | slice) -> GridTile | list[GridTile]:
        if isinstance(index, slice):
            return [self._tile(int(image_id)) for image_id in self._ids[index]]
        return self._tile(self.image_at(index))

    def _tile(self, image_id: int) -> GridTile:
        return self._known.get(image_id) or GridTile(("unread", image_id), None, ("", ""))

    def unread(self) -> TileSource:
        """The same images, to be shown in another way."""
        return TileSource(self._ids)

    def missing(self, first: int, count: int) -> tuple[int, ...]:
        """The images among `count` places from `first` on that have not been read."""
        return tuple(int(image) for image in self._ids[first : first + count] if int(image) not in self._known)

    def put(self, tiles: Mapping[int, GridTile]) -> None:
        """Keep tiles that were read, by image id."""
        self._known.update(tiles)
