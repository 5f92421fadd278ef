"""`tar:PATH`, `wds:PATH`: images in tar archives, WebDataset's shards among them.

PATH is an archive, a folder of them, or a pattern: `train-{000..009}.tar`, `train-*.tar`. Files that share a name up to
the first dot are a sample: `000017.jpg` with `000017.cls`. Where no file has a label, the image's folder is its class.
"""

from __future__ import annotations

import hashlib
import json
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from nastui.engine.pictures import SUFFIXES, open_picture
from nastui.engine.sources.location import Parts, files_of_pattern, folder_of_pattern
from nastui.engine.sources.names import LabelTable, as_text, names_beside, natural
from nastui.engine.sources.source import SourceImage
from nastui.engine.sources.tar_headers import Member, tar_members
from nastui.errors import DataNotFound

_SUFFIX = ".tar"
_HINT = "Write tar:FOLDER, tar:FILE.tar or a pattern such as tar:train-{000..009}.tar."
_LABELS = ("cls", "txt", "json")  # the first of them that a sample has
_LABEL_SUFFIXES = tuple(case for kind in _LABELS for case in (f".{kind}", f".{kind.upper()}"))
_IN_JSON = ("label", "class", "cls", "target")
_FORM = "A sample is an image with its label in a file of the same name: 17.jpg with 17.cls, 17.txt or 17.json."


@dataclass(frozen=True, slots=True)
class TarImages:
    """Images by shard, name, place and size; numbers in arrays, for there may be millions."""

    spec: str
    root: Path
    classes: tuple[str, ...]
    labels: Sequence[int]
    shards: Sequence[str]  # relative to root
    shard: Sequence[int]  # of each image
    names: Sequence[str]
    offsets: Sequence[int]
    sizes: Sequence[int]
    notes: tuple[str, ...] = ()

    def key(self, index: int) -> str:
        return f"{as_text(self.shards[self.shard[index]])}/{self.names[index]}"

    def stamp(self, index: int) -> str | None:
        """The size of the image's file in bytes."""
        return str(self.sizes[index])

    def load(self, index: int) -> SourceImage:
        with (self.root / self.shards[self.shard[index]]).open("rb") as file:
            file.seek(self.offsets[index])
            data = file.read(self.sizes[index])
        return SourceImage(open_picture(data), hashlib.sha256(data).hexdigest())


def parts(location: str) -> Parts:
    return folder_of_pattern(location, _SUFFIX)


def open_source(location: str) -> TarImages:
    """Go through the headers of the archives once. Raises DataNotFound for what is damaged or has no label."""
    if "://" in location or location.startswith("pipe:"):
        raise DataNotFound(f"{location} is not a file: nastui reads shards that lie here.", hint=_HINT)
    root, shards = files_of_pattern(location, _SUFFIX, _HINT)
    shards.sort(key=natural)
    table, n_labelled = LabelTable(), 0
    shard_of, offsets, sizes = array("i"), array("q"), array("q")
    names: list[str] = []
    for number, shard in enumerate(shards):
        path = root / shard
        try:
            images, labels = _read_shard(path)
        except OSError as exc:
            raise DataNotFound(f"{path} cannot be read: {exc.strerror}.", hint="Check its permissions.") from exc
        shard_of.extend([number] * len(images))
        offsets.extend(image.offset for image in images)
        sizes.extend(image.size for image in images)
        names.extend(image.name for image in images)
        table.extend(labels)
        n_labelled += len(labels)
        if n_labelled not in (0, len(names)):
            raise DataNotFound(f"{shards[0]} and {shard} in {root} do not both have labels.", hint=_FORM)
    if not names:
        raise DataNotFound(f"tar:{location} holds no images.", hint=_FORM)
    if not n_labelled:
        table.extend(_folder(name, root / shards[number]) for name, number in zip(names, shard_of, strict=True))
    classes, class_ids = table.numbered(names_beside(root) if n_labelled else None, f"tar:{location}")
    return TarImages(f"tar:{location}", root, classes, class_ids, shards, shard_of, names, offsets, sizes)


def _read_shard(path: Path) -> tuple[list[Member], list[str]]:
    """The images of an archive, and the label of each; no labels where no image has one."""
    images: dict[str, tuple[Member, str, str]] = {}  # by name, with the sample and the extension
    labels: dict[str, tuple[int, Member]] = {}  # by the name of the sample, with the extension's place in _LABELS
    for member in tar_members(path, _LABEL_SUFFIXES):
        sample, extension = _sample(member.name)
        if member.content is not None:
            rank = _LABELS.index(extension) if extension in _LABELS else len(_LABELS)
            if rank < labels.get(sample, (len(_LABELS), ""))[0]:
                labels[sample] = rank, member
        elif _is_image(extension) and sample[-1] != "/":
            if member.name in images:
                raise DataNotFound(f"{path} holds {member.name} twice.", hint="Pack it anew.")
            images[member.name] = member, sample, extension
    chosen = _one_a_sample(images.values())
    if labels.keys().isdisjoint(chosen):
        return [member for member, _, _ in images.values()], []
    missing = next((member.name for sample, member in chosen.items() if sample not in labels), None)
    if missing is not None:
        raise DataNotFound(f"{missing} in {path} has no label.", hint=_FORM)
    return list(chosen.values()), [_label(labels[sample][1], path) for sample in chosen]


@cache
def _is_image(extension: str) -> bool:
    return f".{extension.rpartition('.')[2]}" in SUFFIXES


def _sample(name: str) -> tuple[str, str]:
    """The name of the sample, up to the first dot of the file's name, and the extension in lower case."""
    slash = name.rfind("/") + 1
    dot = name.find(".", slash)
    return (name, "") if dot < 0 else (name[:dot] or "/", name[dot + 1 :].lower())


def _one_a_sample(images: Iterable[tuple[Member, str, str]]) -> dict[str, Member]:
    """The image of each sample: of several `17.jpg` and not `17.mask.png`, else the first."""
    chosen: dict[str, Member] = {}
    for member, sample, extension in images:
        if sample not in chosen or ("." in _sample(chosen[sample].name)[1] and "." not in extension):
            chosen[sample] = member
    return chosen


def _label(member: Member, path: Path) -> str:
    name = member.name
    try:
        text = (member.content or b"").decode("utf-8").strip()
        said = json.loads(text) if name.lower().endswith(".json") else text
    except ValueError as exc:
        raise DataNotFound(f"{name} in {path} is no label: {exc}.", hint=_FORM) from exc
    if isinstance(said, dict):
        said = next((said[key] for key in _IN_JSON if key in said), None)
    if not isinstance(said, str | int) or said == "":
        keys = ", ".join(_IN_JSON)
        raise DataNotFound(f"{name} in {path} holds no label.", hint=f"In JSON it stands under one of {keys}.")
    return str(said)


def _folder(name: str, path: Path) -> str:
    folder = name.rpartition("/")[0].rpartition("/")[2]
    if not folder:
        raise DataNotFound(f"{name} in {path} has no label, and lies in no folder.", hint=_FORM)
    return folder
