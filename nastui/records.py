"""The records that cross levels: frozen, plain, no torch and no SQL in them.

Letters for shapes: N images of the run, U units of a layer, K classes, m ranges asked for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nastui.errors import AddressNotFound
from nastui.limits import DEFAULT_RANGES

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]
Bool = NDArray[np.bool_]

NEURON = "neuron"

Tokens = Literal["all", "class", "patches"]  # class: the first one alone; patches: those that stand for the image
ValueType = Literal["float32", "float16"]

_ADDRESS = re.compile(r"(?P<layer>[^/:]+)(?:/(?P<basis>[^/:]+))?(?::(?P<unit>\d+))?")


@dataclass(frozen=True, slots=True)
class Address:
    """Where a layer or a unit is: `layer`, `layer:unit` or `layer/basis:unit`."""

    layer: str
    unit: int | None = None
    basis: str = NEURON

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read an address as a person types it. Raises AddressNotFound where it is not one."""
        match = _ADDRESS.fullmatch(text.strip())
        if match is None:
            raise AddressNotFound(
                f"'{text}' is not an address.",
                hint="Write layer, layer:unit or layer/basis:unit, e.g. classifier.4:317.",
            )
        unit = match["unit"]
        return cls(match["layer"], None if unit is None else int(unit), match["basis"] or NEURON)

    def __str__(self) -> str:
        basis = "" if self.basis == NEURON else f"/{self.basis}"
        unit = "" if self.unit is None else f":{self.unit}"
        return f"{self.layer}{basis}{unit}"


@dataclass(frozen=True, slots=True)
class ClassInfo:
    """A class of the image set. `output` is the model output that stands for it, None where none could be matched."""

    id: int
    name: str
    output: int | None
    n_images: int


@dataclass(frozen=True, slots=True)
class ReceptiveField:
    """Which pixels of the model's input can reach a position of a layer's map.

    Along each axis they are `size` pixels from `stride * position + offset` on, clipped at the input's border. The
    numbers are whole ones wherever the positions follow a rule exactly; else this is a rule that covers every position.
    """

    size_y: float
    size_x: float
    stride_y: float
    stride_x: float
    offset_y: float
    offset_x: float


class TokenGrid(NamedTuple):
    """Which tokens of a layer are patches of the image: from `first` on, `rows` × `columns` of them, row by row."""

    first: int
    rows: int
    columns: int


@dataclass(frozen=True, slots=True)
class LayerInfo:
    """A captured layer read along one basis.

    `path` is the dotted module path, with `#k` for the k-th call of a module that is called more than once.
    `shape` is the output's shape without the batch dimension. `basis_id` keys the activations.
    `n_dead` counts units that never rise above zero, None while it has not been measured. `field` is None where the
    layer has no map of the image, or it could not be found out. `unit_dim`, `tokens`, `token_grid`, `value_type`: see
    LayerSpec.
    """

    id: int
    path: str
    type: str
    shape: tuple[int, ...]
    basis_id: int
    basis: str
    n_units: int
    n_dead: int | None
    n_reviewed: int
    field: ReceptiveField | None = None
    unit_dim: int = 0
    tokens: Tokens | None = None
    value_type: ValueType = "float32"
    token_grid: TokenGrid | None = None

    @property
    def places(self) -> tuple[int, ...]:
        """Sizes of `shape` without the units' dimension: rows and columns of a map, or how many tokens there are."""
        return self.shape[: self.unit_dim] + self.shape[self.unit_dim + 1 :]

    @property
    def address(self) -> Address:
        return Address(self.path, basis=self.basis)


@dataclass(frozen=True, slots=True)
class RunSpec:
    """What makes a scan this scan and no other; `sha256` over it decides whether a file may be resumed.

    `input_height`, `input_width`: pixels of what the model takes, None where that is no picture. `data_root`: the
    absolute folder that the images' sources start from, None where they are no files. It is no part of the sum.
    `layers_sha256`: over the layers and what is kept of them. `computing`: how the model was run, as JSON: device,
    memory format, precision and whether it was compiled; {} where nobody noted it.
    """

    command: str
    versions: Mapping[str, str]
    model: str
    weights: str
    data: str
    weights_sha256: str
    preprocessing: str  # JSON, readable
    preprocessing_sha256: str
    manifest_sha256: str
    reduction: str
    seed: int
    scan_sha256: str
    ranges: int = DEFAULT_RANGES
    input_height: int | None = None
    input_width: int | None = None
    data_root: str | None = None
    layers_sha256: str = ""
    computing: str = "{}"


@dataclass(frozen=True, slots=True)
class RunInfo:
    """A run as a whole. `finished` is None while the scan runs or after it was stopped.

    `n_images` were asked for, `n_done` have been looked at, `n_failed` of those did not decode.
    `top1` is the share of correct predictions among the images whose class has an output, None where none has.
    """

    path: Path
    created: str
    finished: str | None
    spec: RunSpec
    n_images: int
    n_done: int
    n_failed: int
    n_matched: int
    top1: float | None

    @property
    def name(self) -> str:
        return self.path.name.removesuffix(".nas.db")


@dataclass(frozen=True, slots=True)
class ManifestImage:
    """An image that a scan will look at, in the run's order: its class and where it comes from."""

    class_id: int
    source: str


@dataclass(frozen=True, slots=True)
class LayerSpec:
    """A layer that a scan will capture.

    `unit_dim`: the dimension of `shape` along which the units lie. `tokens`: where the rest of `shape` is one of
    tokens, which of them count; None elsewhere. `token_grid`: which of all its tokens are patches of the image, as far
    as that can be told. `value_type`: how its values are stored.
    """

    path: str
    type: str
    shape: tuple[int, ...]
    n_units: int
    has_positions: bool
    field: ReceptiveField | None = None
    unit_dim: int = 0
    tokens: Tokens | None = None
    value_type: ValueType = "float32"
    token_grid: TokenGrid | None = None


@dataclass(frozen=True, slots=True)
class ImageResult:
    """What a scan found out about one image. `error` says why it could not be decoded.

    `top5`: (output, logit) pairs, highest first. `width`, `height`: pixels of the original.
    """

    thumbnail: bytes | None
    width: int | None
    height: int | None
    sha256: str | None
    top5: tuple[tuple[int, float], ...]
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """The images `first_image` … `first_image + B - 1` and what the layers gave them.

    `values`: layer path -> (B, U) float32; NaN rows for images that did not decode.
    `positions`: layer path -> (B, U) int32, the flat index (row-major) into the layer's map of the value kept;
    only for the reductions that have one.
    """

    first_image: int
    images: tuple[ImageResult, ...]
    values: Mapping[str, Float32]
    positions: Mapping[str, Int32]


@dataclass(frozen=True, slots=True)
class ImageInfo:
    """One image of the run. `predicted` is the model's top-1 as text; `is_wrong` is None where nothing can be said."""

    id: int
    class_id: int
    class_name: str
    source: str
    width: int | None
    height: int | None
    predicted: str | None
    is_wrong: bool | None
    top5: tuple[tuple[str, float], ...]
    error: str | None


@dataclass(frozen=True, slots=True)
class ImageTable:
    """All images of a run as columns, each (N,). `is_ok`: looked at and decoded; only these count anywhere.

    `prediction`: top-1 output, -1 where there is none. `is_wrong`: False where nothing can be claimed.
    """

    class_id: Int32
    prediction: Int32
    is_ok: Bool
    is_wrong: Bool


@dataclass(frozen=True, slots=True)
class UnitTable:
    """The measures of a layer's units as columns, each (U,)."""

    n: Int64
    lo: Float64
    hi: Float64
    mean: Float64
    std: Float64
    density: Float64
    zeros: Int64
    non_finite: Int64
    is_reviewed: Bool


@dataclass(frozen=True, slots=True)
class Footprints:
    """The ranges of consecutive units and how many images of each class lie in them.

    `edges` (U, m + 2) float64: range r of a unit is [edges[r], edges[r + 1]); NaN past the last one.
    `n_ranges` (U,): ranges of each unit: m, m + 1, 1 (all values equal) or 0 (no finite value).
    `n_left` (U,): ranges left of the zero line; range r stands in column r - n_left, so column 0 starts at zero.
    `counts` (U, m + 1, K) int32: finite values per range and class.
    """

    first_unit: int
    m: int
    edges: Float64
    n_ranges: Int32
    n_left: Int32
    counts: Int32

    @property
    def n_units(self) -> int:
        return len(self.n_ranges)
