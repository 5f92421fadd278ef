"""What is wrong with images and with what becomes of them before the model: seen without the model."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from statistics import median

import torch
from torch import Tensor
from torchvision.transforms._presets import ImageClassification

from nastui.engine.inspection.finding import Finding, named
from nastui.engine.inspection.sample import Loaded, Sample
from nastui.engine.models import LoadedModel
from nastui.engine.preprocessing import Preprocessing
from nastui.engine.subset import Selection

_TWICE = 4  # images that go through the transform a second time
_UNSCALED = 16.0  # no usual mean and std take pixels of 0..1 so far from 0
_ENLARGED = 2.0


def check_pictures(
    sample: Sample, images: Selection, per_class: int | None, preprocessing: Preprocessing, model: LoadedModel
) -> list[Finding]:
    return [
        *unreadable(sample),
        *same_image_in_two_classes(sample.loaded, images.classes),
        *few_images(images, per_class),
        *random_transform(sample.loaded, preprocessing),
        *constant_channels(sample),
        *enlarged(sample.loaded, preprocessing),
        *replaced_preprocessing(preprocessing, model),
    ]


def unreadable(sample: Sample) -> list[Finding]:
    if not sample.failed:
        return []
    total = len(sample.failed) + len(sample.loaded)
    cases = [f"{key}: {reason}" for key, reason in sample.failed]
    return [
        Finding(
            "unreadable-images",
            f"{len(sample.failed):,} of {total:,} images of the sample could not be read: {named(cases)}.",
            "They would count nowhere. Replace or remove these files, or look at the transform.",
        )
    ]


def same_image_in_two_classes(loaded: Sequence[Loaded], classes: Sequence[str]) -> list[Finding]:
    by_sha256: dict[str, dict[int, str]] = defaultdict(dict)
    for one in loaded:
        if one.image.sha256 is not None:
            by_sha256[one.image.sha256][one.class_id] = one.key
    twice = [" = ".join(keys.values()) for keys in by_sha256.values() if len(keys) > 1]
    if not twice:
        return []
    return [
        Finding(
            "same-image-two-classes",
            f"{len(twice):,} {'image is' if len(twice) == 1 else 'images are'} in two classes at once: {named(twice)}.",
            "One of the two labels is wrong; nastui suspects finds more after the scan.",
        )
    ]


def few_images(images: Selection, per_class: int | None) -> list[Finding]:
    wanted = per_class or 0
    few = [f"{name} ({count:,})" for name, count in zip(images.classes, images.counts, strict=True) if count < wanted]
    if not few:
        return []
    what = "1 class has" if len(few) == 1 else f"{len(few):,} classes have"
    return [
        Finding(
            "few-images",
            f"{what} fewer than the {wanted:,} images asked for: {named(few)}.",
            "All that they have are taken. For equal classes ask for fewer.",
        )
    ]


def random_transform(loaded: Sequence[Loaded], preprocessing: Preprocessing) -> list[Finding]:
    """The first images once more: a transform that gives something else has a random part."""
    for one in loaded[:_TWICE]:
        again = preprocessing(one.image)
        if again.shape != one.tensor.shape or not torch.equal(again, one.tensor):
            return [
                Finding(
                    "random-transform",
                    f"The transform gives two different results for the same image ({one.key}): it has a random part, "
                    "as for training.",
                    "Return a transform without RandomCrop, flips or jitter: else no scan can be repeated.",
                )
            ]
    return []


def constant_channels(sample: Sample) -> list[Finding]:
    if len(sample.alike()) < 2 or sample.inputs().ndim != 4:
        return []
    inputs = sample.inputs()
    flat = inputs.transpose(0, 1).flatten(1)
    dead = [str(channel) for channel, row in enumerate(flat) if bool((row == row[0]).all())]
    if not dead:
        return []
    return [
        Finding(
            "constant-channel",
            f"Channel {named(dead)} of the model's input has one value in all of {len(inputs):,} images.",
            "Check the transform: a channel may be lost, or the images may be blank.",
        )
    ]


def enlarged(loaded: Sequence[Loaded], preprocessing: Preprocessing) -> list[Finding]:
    heights = [one.image.height for one in loaded if one.image.tensor is None]
    if not heights or loaded[0].tensor.ndim != 3:
        return []
    before, after = median(heights), loaded[0].tensor.shape[1]
    if after < _ENLARGED * before:
        return []
    return [
        Finding(
            "enlarged-images",
            f"The images are {before:.0f} pixels high and are enlarged to {after}.",
            "Weights that were trained on sharper images see only blur"
            # What belongs to weights has the size that they were trained with.
            + (
                "; a --size nearer to the images may do better."
                if preprocessing.description["kind"] == "plain"
                else "."
            ),
        )
    ]


def replaced_preprocessing(preprocessing: Preprocessing, model: LoadedModel) -> list[Finding]:
    """Options in place of what belongs to torchvision's weights."""
    preset = model.transform
    if not isinstance(preset, ImageClassification):
        return []
    own: dict[str, object] = {"mean": list(preset.mean), "std": list(preset.std), "crop": list(preset.crop_size)}
    now = {"crop": "none (--size)", **preprocessing.description}
    replaced = [f"{name} {value} by {now.get(name)}" for name, value in own.items() if now.get(name) != value]
    if not replaced:
        return []
    return [
        Finding(
            "replaced-preprocessing",
            f"The options replace what belongs to these weights: {'; '.join(replaced)}.",
            "Leave out --size, --mean and --std, unless that is meant.",
        )
    ]


def unscaled_mean_std(preprocessing: Preprocessing) -> list[Finding]:
    """A mean and std that were measured on pixels of 0 to 255, or lost a digit, where pixels go in as 0 to 1."""
    mean, std = preprocessing.description.get("mean"), preprocessing.description.get("std")
    if not isinstance(mean, list) or not isinstance(std, list) or max(*mean, *std) <= 1:
        return []
    text = f"Pixels are scaled to 0..1 before mean {_listed(mean)} and std {_listed(std)}, "
    check = "unscaled-mean-std"
    if any(1 < max(values) < _UNSCALED for values in (mean, std)):
        return [Finding(check, f"{text}of which some are more than 1.", "Look whether a digit is missing.")]
    # A mean of 0 to 255 without a std means pixels of 0 to 255 less that mean.
    is_alone = max(mean) > 1 and set(std) == {1}
    meant = {
        "mean": _over_255(mean) if max(mean) > 1 else _listed(mean),
        "std": _over_255(std) if max(std) > 1 or is_alone else _listed(std),
    }
    how = f"Divide by 255 what is of 0 to 255: --mean={meant['mean']} --std={meant['std']}."
    return [Finding(check, f"{text}which look like those of pixels of 0 to 255.", how, meant)]


def _over_255(values: Sequence[float]) -> str:
    return _listed([value / 255 for value in values])


def _listed(values: Sequence[float]) -> str:
    return ",".join(f"{value:.6g}" for value in values)


def pixel_range(inputs: Tensor) -> list[Finding]:
    """For models of which no accuracy is known: pixels of 0..255 are far from what most weights take."""
    highest = float(inputs.abs().max())
    if highest <= _UNSCALED:
        return []
    return [
        Finding(
            "pixel-range",
            f"The model's inputs reach from {float(inputs.min()):.4g} to {float(inputs.max()):.4g}; most weights "
            "expect pixels of 0 to 1, less a mean and divided by a std.",
            "End the transform with ToTensor() and Normalize(), unless the model was trained so.",
        )
    ]
