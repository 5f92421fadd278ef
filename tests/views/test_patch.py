"""From a position in a map back to the image: inside it, in order, and where a transform really puts a pixel."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from PIL import Image
from torchvision.transforms._presets import ImageClassification

from nastui.engine.models import LoadedModel
from nastui.engine.preprocessing import Preprocessing, choose_preprocessing
from nastui.engine.sources.source import SourceImage
from nastui.records import ImageInfo, LayerInfo, ReceptiveField, RunSpec
from nastui.views.patch import Part, PatchFinder, Resizing

PRESET: dict[str, object] = {"kind": "torchvision ImageClassification", "resize": [256], "crop": [224]}
FIELD = ReceptiveField(51, 51, 16, 16, -17, -17)


def spec(description: dict[str, object], size: tuple[int, int] | None = (224, 224), reduction: str = "max") -> RunSpec:
    height, width = size or (None, None)
    return RunSpec("", {}, "", "", "", "", json.dumps(description), "", "", reduction, 0, "", 30, height, width)


def layer(
    field: ReceptiveField | None = FIELD, shape: tuple[int, ...] = (8, 14, 14), basis: str = "neuron"
) -> LayerInfo:
    return LayerInfo(1, "conv", "Conv2d", shape, 1, basis, shape[0], 0, 0, field)


def finder(description: dict[str, object] = PRESET) -> PatchFinder:
    return PatchFinder.of(layer(), spec(description))


# ---- by hand --------------------------------------------------------------------------------


def test_a_patch_by_hand() -> None:
    # 512×256 is resized to 512×256, and the middle 224×224 begins at column 144, row 16. Position (2, 3) sees rows
    # 15 to 66 and columns 31 to 82 of it.
    part = finder().part(2 * 14 + 3, width=512, height=256)
    assert part == pytest.approx(((31 + 144) / 512, (15 + 16) / 256, (82 + 144) / 512, (66 + 16) / 256))


def test_at_the_border_it_is_clipped_to_what_the_model_takes() -> None:
    part = finder().part(0, width=256, height=256)
    assert part == pytest.approx((16 / 256, 16 / 256, (34 + 16) / 256, (34 + 16) / 256))


def test_stretched_images_keep_their_shares() -> None:
    part = finder({"kind": "plain"}).part(14, width=1000, height=10)
    assert part == pytest.approx((0, 0, 34 / 224, 50 / 224))


def test_a_position_that_is_none_has_no_patch() -> None:
    image = ImageInfo(1, 0, "cat", "1.png", 300, 200, None, None, (), None)
    assert finder().part_of(image, np.array([5, -1], np.int32)) is None
    assert finder().part_of(image, np.array([-1, 5], np.int32)) is not None
    assert finder().part_of(image, None) is None
    undecoded = ImageInfo(1, 0, "cat", "1.png", None, None, None, None, (), "broken")
    assert finder().part_of(undecoded, np.array([5, 5], np.int32)) is None


@pytest.mark.parametrize(
    ("where", "how", "reason"),
    [
        (layer(None, (10,)), spec(PRESET), "conv has no map of the image"),
        (layer(None), spec(PRESET), "what conv sees could not be found out"),
        (layer(), spec(PRESET, reduction="mean"), "values by mean have no position"),
        (layer(basis="pca"), spec(PRESET), "values along pca have no position"),
        (layer(), spec({"kind": "the model's own transform"}), "patch unknown: the transform is not described"),
        (layer(), spec({}, None), "patch unknown: the transform is not described"),
    ],
)
def test_where_there_is_no_patch_a_reason_is_given(where: LayerInfo, how: RunSpec, reason: str) -> None:
    found = PatchFinder.of(where, how)
    assert found.reason == reason
    assert found.part(0, 256, 256) is None


def test_sizes_in_words() -> None:
    assert finder().size_words == "51×51 of 224×224 pixels"
    whole = PatchFinder.of(layer(ReceptiveField(224, 224, 0, 0, 0, 0)), spec(PRESET))
    assert whole.size_words == "all 224×224 pixels that the model takes"
    part = whole.part(3, width=256, height=256)
    assert part == pytest.approx((16 / 256, 16 / 256, 240 / 256, 240 / 256))


# ---- properties ------------------------------------------------------------------------------


@st.composite
def finders(draw: st.DrawFn) -> PatchFinder:
    field = ReceptiveField(
        *(draw(st.integers(1, 400)) for _ in range(2)),
        *(draw(st.integers(0, 40)) for _ in range(2)),
        *(draw(st.integers(-200, 50)) for _ in range(2)),
    )
    resizing = Resizing(draw(st.none() | st.integers(1, 300)), (draw(st.integers(1, 300)), draw(st.integers(1, 300))))
    return PatchFinder(field, draw(st.integers(1, 30)), resizing, "")


sides = st.integers(1, 3000)


@given(finders(), st.integers(0, 900), sides, sides)
def test_a_patch_lies_inside_the_image(found: PatchFinder, position: int, width: int, height: int) -> None:
    part = found.part(position, width, height)
    if part is not None:
        assert 0 <= part.left < part.right <= 1
        assert 0 <= part.top < part.bottom <= 1


@given(finders(), st.integers(0, 800), sides, sides)
def test_patches_stand_in_the_order_of_their_positions(
    found: PatchFinder, position: int, width: int, height: int
) -> None:
    here, below = found.part(position, width, height), found.part(position + found.map_width, width, height)
    assume(here is not None and below is not None)
    assert here is not None
    assert below is not None
    assert (below.left, below.right) == (here.left, here.right)
    assert below.top >= here.top
    assert below.bottom >= here.bottom
    if (position + 1) % found.map_width:
        right = found.part(position + 1, width, height)
        if right is not None:
            assert (right.top, right.bottom) == (here.top, here.bottom)
            assert right.left >= here.left


# ---- the real transforms ----------------------------------------------------------------------


def preset(resize: int, crop: int) -> Preprocessing:
    transform = ImageClassification(crop_size=crop, resize_size=resize)
    return choose_preprocessing(LoadedModel(_NoModule(), transform, None, "", "", ""), _example())  # type: ignore[arg-type]


class _NoModule:
    def modules(self) -> list[object]:
        return []


def _example() -> SourceImage:
    return SourceImage(Image.new("RGB", (8, 8)), None)


def plain(height: int, width: int) -> Preprocessing:
    return choose_preprocessing(LoadedModel(_NoModule(), None, None, "", "", ""), _example(), size=(height, width))  # type: ignore[arg-type]


@settings(max_examples=100, deadline=None)
@given(st.data(), st.integers(40, 400), st.integers(40, 400), st.booleans())
def test_a_marked_block_is_where_the_patch_says(data: st.DataObject, width: int, height: int, is_preset: bool) -> None:
    """A white block put exactly on a patch turns the patch's pixels of the input white, and no others."""
    resize, crop = data.draw(st.integers(32, 64)), data.draw(st.integers(20, 70))
    prepare = preset(resize, crop) if is_preset else plain(48, 40)
    black = prepare(SourceImage(Image.new("RGB", (width, height)), None))
    white = prepare(SourceImage(Image.new("RGB", (width, height), "white"), None))
    size = black.shape[1], black.shape[2]
    finder = PatchFinder.of(
        layer(ReceptiveField(9, 7, 4, 4, -2, -1), (1, 10, 10)), spec(dict(prepare.description), size)
    )
    position = data.draw(st.integers(0, 99))
    part = finder.part(position, width, height)
    assume(part is not None)
    assert part is not None
    light = (prepare(SourceImage(with_block(part, width, height), None)) - black)[0].numpy()
    rows, columns = np.nonzero(light > (white - black).max().item() / 2)
    y, x = divmod(position, 10)
    for lit, start, end, along, side in (
        (rows, 4 * y - 2, 4 * y + 7, height, size[0]),
        (columns, 4 * x - 1, 4 * x + 6, width, size[1]),
    ):
        inside = 1 + max(side, 64) / along / 2  # the block has whole pixels of the image
        start, end = max(start, 0), min(end, side)
        if end - start > 2 * inside and len(lit):
            assert np.min(lit) >= start - inside
            assert np.max(lit) + 1 <= end + inside
            is_padded = is_preset and crop > resize  # then a part of the patch lies outside of the image
            assert is_padded or np.max(lit) + 1 - np.min(lit) >= end - start - 2 * inside


def with_block(part: Part, width: int, height: int) -> Image.Image:
    image = Image.new("RGB", (width, height))
    left, right = round(part.left * width), round(part.right * width)
    top, bottom = round(part.top * height), round(part.bottom * height)
    image.paste((255, 255, 255), (left, top, max(right, left + 1), max(bottom, top + 1)))
    return image


def test_real_squeezenets_transform(shared_data: Path) -> None:
    """A real photograph with a block painted on a patch differs in the input only there."""
    path = sorted((shared_data / "imagenet" / "images").rglob("*.jp*g"))[0]
    with Image.open(path) as opened:
        photograph = opened.convert("RGB")
    prepare = preset(256, 224)
    found = PatchFinder.of(layer(), spec(dict(prepare.description)))
    for position in (0, 7 * 14 + 7, 14 * 14 - 1):
        part = found.part(position, *photograph.size)
        assert part is not None
        painted = photograph.copy()
        corner = round(part.left * painted.width), round(part.top * painted.height)
        painted.paste((255, 0, 255), (*corner, round(part.right * painted.width), round(part.bottom * painted.height)))
        change = (prepare(SourceImage(painted, None)) - prepare(SourceImage(photograph, None))).abs().amax(0).numpy()
        rows, columns = np.nonzero(change > 0.5)
        y, x = divmod(position, 14)
        for lines, start in ((rows, 16 * y - 17), (columns, 16 * x - 17)):
            assert abs(int(np.min(lines)) - max(start, 0)) <= 2
            assert abs(int(np.max(lines)) + 1 - min(start + 51, 224)) <= 2
