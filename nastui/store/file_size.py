"""How large the file of a run will be, known before it is written: SQLite's pages counted as it fills them.

Source of the rules for pages: https://www.sqlite.org/fileformat2.html, "B-tree pages" and "cell payload overflow".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from nastui.records import LayerSpec
from nastui.store.checkpointing import MOST_PAGES
from nastui.store.connection import MOVED_PAGES
from nastui.store.tiles import TILE_UNITS, bytes_of_a_value, image_bytes, images_in_a_tile

SMALL_PAGE, LARGE_PAGE = 16_384, 65_536  # bytes
_LARGE_RUN = 32 << 20  # bytes of tiles, beside which 2 MB of pages that are hardly filled do not count

_PAGE_HEAD = 8
_CELL = 12  # its pointer, its rowid and its length

_TILE_HEAD = 24
_EMPTY_PAGES = 44  # the schema, and a page for every table and index
_UNIT = 290  # a row of `unit` with its measures, and its entry in the index
_IMAGE = 30  # a row of `image` without its texts
_GROWN = 0.85  # how full pages are whose rows have grown in place
_ROW_HEAD = 10
_OUTPUT = 30


@dataclass(frozen=True, slots=True)
class Contents:
    """What a finished run holds. `thumbnails`: the sizes of some previews in bytes. `image_text_bytes`: of an image's
    path, sum and best outputs, on average. `footprints`: the sizes of all rows of compressed counts. `n_outputs`: of
    the model."""

    layers: Sequence[LayerSpec]
    n_images: int
    thumbnails: Sequence[int]
    image_text_bytes: float
    footprints: Sequence[int]
    n_outputs: int


def page_size(layers: Sequence[LayerSpec], n_images: int) -> int:
    """Bytes of a page of the run's file: tiles are written a fifth faster in large ones, a small run takes less space
    in small ones."""
    return LARGE_PAGE if image_bytes(layers) * n_images >= _LARGE_RUN else SMALL_PAGE


def forecast_bytes(contents: Contents) -> int:
    """The size of the finished file."""
    n_images = contents.n_images
    page = page_size(contents.layers, n_images)
    n_units = sum(layer.n_units for layer in contents.layers)
    previews = table_bytes((size + _ROW_HEAD for size in contents.thumbnails), page) / max(len(contents.thumbnails), 1)
    return (
        _EMPTY_PAGES * page
        + tile_bytes(contents.layers, n_images)
        + table_bytes((size + _ROW_HEAD for size in contents.footprints), page)
        + round(n_images * (previews + (_IMAGE + contents.image_text_bytes) / _GROWN))
        + n_units * _UNIT
        + contents.n_outputs * _OUTPUT
    )


def log_bytes(contents: Contents) -> int:
    """The most that SQLite's log beside the run takes while it is written, where no reader holds it back: what is let
    gather there, with pages that short tiles do not fill, and a row of tiles with its images, committed at once."""
    layers, n_images = contents.layers, contents.n_images
    preview = sum(contents.thumbnails) / max(len(contents.thumbnails), 1)
    an_image = image_bytes(layers) + preview + _IMAGE + contents.image_text_bytes
    a_row = min(images_in_a_tile(layers), n_images) * an_image
    return (MOST_PAGES + MOVED_PAGES) * page_size(layers, n_images) + round(a_row)


def tile_bytes(layers: Sequence[LayerSpec], n_images: int) -> int:
    """The pages of all tiles of so many images, row of tiles by row of tiles as they are written."""
    height = max(1, min(images_in_a_tile(layers), n_images))
    whole, rest = divmod(n_images, height)
    page = page_size(layers, n_images)
    one_row = table_bytes(_tiles_of_a_row(layers, height), page) if whole else 0
    return whole * one_row + (table_bytes(_tiles_of_a_row(layers, rest), page) if rest else 0)


def _tiles_of_a_row(layers: Iterable[LayerSpec], n_images: int) -> list[int]:
    payloads = []
    for layer in layers:
        for first in range(0, layer.n_units, TILE_UNITS):
            n_units = min(TILE_UNITS, layer.n_units - first)
            payloads.append(_TILE_HEAD + n_units * n_images * bytes_of_a_value(layer))
    return payloads


def table_bytes(payloads: Iterable[int], page: int) -> int:
    """The pages, of `page` bytes each, that rows of these sizes take, one after the other: a leaf takes as many as fit,
    and what is too long for one goes on in overflow pages."""
    n_pages, room = 0, 0
    for payload in payloads:
        local, n_overflow = _split(payload, page)
        if local + _CELL > room:
            n_pages, room = n_pages + 1, page - _PAGE_HEAD
        room -= local + _CELL
        n_pages += n_overflow
    return n_pages * page


def _split(payload: int, page: int) -> tuple[int, int]:
    """How much of a row stays in the leaf, and how many overflow pages the rest takes."""
    most, least, overflow = page - 35, (page - 12) * 32 // 255 - 23, page - 4
    if payload <= most:
        return payload, 0
    local = least + (payload - least) % overflow
    if local > most:
        local = least
    return local, -(-(payload - local) // overflow)
