"""How a picture gets to the terminal: the part that is the same for every protocol.

A driver (`Graphics`) encodes a picture once for a box of cells, in any thread. Painting then puts cells where it
stands, and what the protocol needs besides is written before or after the frame that shows those cells, in the same
stream. Drivers: `graphics_half`, `graphics_kitty`, `graphics_sixel`; `graphics_app` ties one to the Textual app.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import ClassVar, NamedTuple

from PIL import Image, ImageOps, UnidentifiedImageError
from rich.segment import Segment

from nastui.terminal import Terminal
from nastui.terminal.probe import window_cell
from nastui.views.grid import Box

Row = tuple[Segment, ...]
PIXEL_ART = 32  # pixels: pictures up to this size are enlarged by repeating pixels, larger ones smoothly
_CACHE_BYTES = 32_000_000
_SCREEN = 2  # the descriptor that Textual draws on


class PictureKey(NamedTuple):
    """What a picture is cached by: the image, its box of cells, the pixels of a cell, and the colour around it."""

    id: Hashable
    columns: int
    lines: int
    cell: tuple[int, int]
    background: tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture made ready for `columns` × `lines` cells.

    `rows`: the cells that stand for it, where the protocol has any; a Segment without a style takes the widget's.
    `payload`: the escape codes to send besides, where the protocol has any.
    """

    columns: int
    lines: int
    rows: tuple[Row, ...] = ()
    payload: str = ""

    @property
    def cost(self) -> int:
        """Bytes to keep it, roughly."""
        return len(self.payload) + 100 * sum(len(row) for row in self.rows)


@dataclass(frozen=True, slots=True)
class NoPicture:
    """Why an image cannot be shown."""

    reason: str


@dataclass(frozen=True, slots=True)
class Placement:
    """A picture that a widget wants to see on the screen, in screen cells, with nothing above it."""

    key: PictureKey
    picture: Picture
    box: Box


class PictureCache:
    """Encoded pictures, the least recently shown dropped first."""

    def __init__(self, capacity: int = _CACHE_BYTES) -> None:
        self._capacity = capacity
        self._size = 0
        self._pictures: OrderedDict[PictureKey, Picture | NoPicture] = OrderedDict()

    def get(self, key: PictureKey) -> Picture | NoPicture | None:
        if (picture := self._pictures.get(key)) is not None:
            self._pictures.move_to_end(key)
        return picture

    def put(self, key: PictureKey, picture: Picture | NoPicture) -> None:
        if (old := self._pictures.pop(key, None)) is not None:
            self._size -= _cost(old)
        self._pictures[key] = picture
        self._size += _cost(picture)
        while self._size > self._capacity and len(self._pictures) > 1:
            self._size -= _cost(self._pictures.popitem(last=False)[1])

    def __len__(self) -> int:
        return len(self._pictures)


def _cost(picture: Picture | NoPicture) -> int:
    return picture.cost if isinstance(picture, Picture) else 100


class Graphics(ABC):
    """A way to show pictures. `encode` is safe in any thread; the rest belongs to the app's.

    `cell`: (width, height) of a cell in pixels. `background`: the colour of what a picture leaves free of its cells.

    `generation` grows whenever cells painted earlier may no longer show the picture that they stood for.
    """

    name: ClassVar[str]
    has_pictures: ClassVar[bool] = True
    is_coarse: ClassVar[bool] = False  # made of parts of cells, not of pixels
    is_placed: ClassVar[bool] = False  # drawn by place_pictures over blank cells, not by the cells themselves

    def __init__(self, terminal: Terminal) -> None:
        self.terminal = terminal
        self.cell = terminal.cell_pixels
        self._window_cell = window_cell(_SCREEN)
        self.background = (0, 0, 0)
        self.cache = PictureCache()
        self.generation = 0

    def measure(self) -> None:
        """Take over another size of the cells, as after a change of the font; where the window told it truly before."""
        cell = window_cell(_SCREEN)
        if cell is not None and self._window_cell == self.cell:
            self._window_cell = self.cell = cell

    def key(self, image_id: Hashable, columns: int, lines: int) -> PictureKey:
        return PictureKey(image_id, columns, lines, self.cell, self.background)

    @abstractmethod
    def encode(self, image: Image.Image, columns: int, lines: int) -> Picture:
        """Make an RGB image ready for a box of cells; the picture may fill less of it, in proportion."""

    def rows(self, key: PictureKey, picture: Picture, *, is_covered: bool) -> Sequence[Row]:
        """The cells that stand for a picture now; none for blanks. `is_covered`: its screen lies under another."""
        return picture.rows

    def before_frame(self) -> str:
        """What to write before the cells that were just painted."""
        return ""

    def after_frame(self, painted: Iterable[Box], wanted: Sequence[Placement], cells: Callable[[Box], str]) -> str:
        """What to write after a frame that wrote `painted`, so that the `wanted` pictures stand and no others.

        `cells` gives what writes the text of a box again, which wipes a picture there.
        """
        return ""

    def forget(self) -> None:  # noqa: B027  most drivers have nothing to forget
        """The terminal has lost what was sent to it."""

    def farewell(self) -> str:
        """What to write so that nothing of ours is left in the terminal."""
        return ""


class NoGraphics(Graphics):
    """No pictures at all: captions only."""

    name = "none"
    has_pictures = False

    def encode(self, image: Image.Image, columns: int, lines: int) -> Picture:
        return Picture(0, 0)


def decode(data: bytes) -> Image.Image | NoPicture:
    """An image file as an upright RGB image. Takes milliseconds: not for the event loop."""
    try:
        with Image.open(BytesIO(data)) as opened:
            return flatten(opened)
    except UnidentifiedImageError:
        return NoPicture("not an image that can be read")
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
        return NoPicture(str(error) or type(error).__name__)


def flatten(image: Image.Image) -> Image.Image:
    """`image` upright, as RGB; what is transparent becomes white, as drawings expect."""
    upright = ImageOps.exif_transpose(image)
    if upright.mode in ("RGBA", "LA", "PA") or "transparency" in upright.info:
        layered = upright.convert("RGBA")
        white = Image.new("RGBA", layered.size, "white")
        return Image.alpha_composite(white, layered).convert("RGB")
    if upright.mode.startswith("I"):
        upright = upright.convert("I").point(lambda value: value / 256).convert("L")
    return upright.convert("RGB")


def fit_cells(image: Image.Image, columns: int, lines: int, cell: tuple[int, int]) -> tuple[int, int]:
    """The cells (columns, lines) that `image` covers when made as large as the box allows, in proportion."""
    scale = min(columns * cell[0] / image.width, lines * cell[1] / image.height)
    return (
        min(columns, max(1, round(image.width * scale / cell[0]))),
        min(lines, max(1, round(image.height * scale / cell[1]))),
    )


def fit_pixels(image: Image.Image, columns: int, lines: int, cell: tuple[int, int]) -> tuple[int, int]:
    """The pixels (width, height) that `image` covers when made as large as the box allows.

    Small pictures take a whole multiple of their size, so that each of their pixels stays a square.
    """
    scale = min(columns * cell[0] / image.width, lines * cell[1] / image.height)
    if is_pixel_art(image) and scale > 1:
        scale = int(scale)
    return max(1, int(image.width * scale)), max(1, int(image.height * scale))


def is_pixel_art(image: Image.Image) -> bool:
    """Whether `image` is so small that its pixels are to be seen as they are."""
    return max(image.size) <= PIXEL_ART


def scaled(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """`image` at `size` pixels: small pictures enlarged by repeating pixels, everything else smoothly."""
    is_larger = size[0] >= image.width and size[1] >= image.height
    nearest = is_larger and is_pixel_art(image)
    return image.resize(size, Image.Resampling.NEAREST if nearest else Image.Resampling.LANCZOS)
