"""What a person's dataset gives: items of (image, label), or with names as Hugging Face's have them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from PIL import Image
from torch import Tensor

from nastui.engine.name_index import as_names
from nastui.engine.pictures import as_picture, picture_of_array, picture_of_tensor
from nastui.engine.sources.source import SourceImage
from nastui.errors import DataNotFound

FORM = "It needs items of (image, label), and .classes with a name for each label."
_IMAGE_KEYS = ("image", "img", "pixel_values", "jpg", "png")
_LABEL_KEYS = ("label", "labels", "cls", "target", "fine_label")


def image_of(item: Any) -> Any:
    return _of_item(item, 0, _IMAGE_KEYS)


def label_of(item: Any) -> Any:
    return _of_item(item, 1, _LABEL_KEYS)


def _of_item(item: Any, position: int, keys: Sequence[str]) -> Any:
    if not isinstance(item, Mapping):
        return item[position]
    key = next((key for key in keys if key in item), None)
    if key is None:
        raise KeyError(f"an item has {', '.join(map(str, item))}, none of {', '.join(keys)}")
    return item[key]


def source_image(item: Any, sha256: str | None = None) -> SourceImage:
    """Images may be PIL, NumPy or uint8 tensors; float tensors go to the model as they are."""
    image = image_of(item)
    if isinstance(image, Image.Image):
        return SourceImage(as_picture(image), sha256)
    if isinstance(image, Tensor):
        is_ready = image.is_floating_point()
        return SourceImage(picture_of_tensor(image), sha256, image.float() if is_ready else None)
    if isinstance(image, np.ndarray):
        return SourceImage(picture_of_array(image), sha256)
    raise TypeError(f"the dataset gives a {type(image).__name__}; nastui takes PIL images, arrays and tensors")


def class_names(dataset: Any, spec: str, given: Sequence[str] | None) -> tuple[str, ...]:
    """The dataset's `.classes`, also below `Subset`s, or those given. Raises DataNotFound where there are none."""
    names, inner = getattr(dataset, "classes", None), dataset
    while names is None and hasattr(inner, "dataset"):  # torch.utils.data.Subset
        inner = inner.dataset
        names = getattr(inner, "classes", None)
    names = given if names is None else names
    if isinstance(names, str) or not isinstance(names, Sequence) or not names:
        raise DataNotFound(f"The dataset {spec} ({type(dataset).__name__}) has no class names.", hint=FORM)
    return as_names(names)


def check_labels(labels: Sequence[int], classes: Sequence[str], spec: str) -> None:
    """Raises DataNotFound for a label that has no name."""
    wrong = next((label for label in labels if not 0 <= label < len(classes)), None)
    if wrong is not None:
        raise DataNotFound(f"{spec} has the label {wrong}, but {len(classes)} class names.", hint=FORM)
