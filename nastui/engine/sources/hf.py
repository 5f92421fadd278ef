"""`hf:PATH_OR_NAME[:SPLIT[:LABEL]]`: a dataset of Hugging Face's `datasets`, saved in a folder or cached from the hub.

Which column has the images and which the labels is told by their types.
"""

from __future__ import annotations

import difflib
import hashlib
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nastui.engine.pictures import open_picture
from nastui.engine.sources.location import Parts
from nastui.engine.sources.names import LabelTable
from nastui.engine.sources.source import SourceImage
from nastui.errors import DataNotFound

_HINT = "Write hf:FOLDER (made by save_to_disk) or hf:NAME, and the split after it: hf:NAME:test."
_FORM = "It needs a column of images (datasets.Image), and one of labels: ClassLabel, texts or whole numbers."


class HuggingFaceImages:
    """The rows of a dataset. Its files are read as bytes and decoded by nastui, like all others."""

    def __init__(
        self, dataset: Any, spec: str, root: Path | None, label: str = "", notes: tuple[str, ...] = ()
    ) -> None:
        """`label`: the column with the labels, to be found by its type where it is "". Raises DataNotFound."""
        from datasets import Image

        self.spec, self.root, self.notes = spec, root, notes
        self._image, column = image_and_label(dataset.features, spec, label)
        self._rows = dataset.select_columns([self._image]).cast_column(self._image, Image(decode=False))
        self._fingerprint = str(dataset._fingerprint)
        self._lock = threading.Lock()
        values = dataset.select_columns([column]).with_format(None)[:][column]
        self.classes, self.labels = numbered(values, dataset.features[column], f"{column} of {spec}")
        if not values:
            raise DataNotFound(f"{spec} is empty.", hint=_HINT)

    def key(self, index: int) -> str:
        return f"[{index}]"

    def stamp(self, index: int) -> str | None:
        """What `datasets` itself tells versions of a dataset apart by."""
        return self._fingerprint

    def load(self, index: int) -> SourceImage:
        with self._lock:
            stored = self._rows[index][self._image]
        data = stored["bytes"] or Path(stored["path"]).read_bytes()
        return SourceImage(open_picture(data), hashlib.sha256(data).hexdigest())


def parts(location: str) -> Parts:
    name, colon, rest = location.partition(":")
    return "", name, colon + rest


def open_source(location: str, *, download: bool = False) -> HuggingFaceImages:
    """Open a saved or cached dataset; with `download` the hub is asked for what is not there. Raises DataNotFound."""
    try:
        import datasets
    except ImportError as exc:
        raise DataNotFound(
            f"hf:{location} needs the package datasets.", hint="Install it: pip install 'nastui[hf]'"
        ) from exc
    name, _, rest = location.partition(":")
    split, _, label = rest.partition(":")
    root = Path(name).expanduser().resolve()
    root_or_none = root if name and root.is_dir() else None
    try:
        if root_or_none is None:
            found = _from_hub(name, download=download)
        else:
            found = datasets.load_from_disk(str(root)) if _is_saved(root) else datasets.load_dataset(str(root))
    except DataNotFound:
        raise
    except Exception as exc:  # from the file system, the network, pyarrow and builders of any kind
        raise DataNotFound(f"hf:{location} cannot be opened: {' '.join(str(exc).split())}", hint=_HINT) from exc
    return HuggingFaceImages(_one_split(found, name, split), f"hf:{location}", root_or_none, label)


def _is_saved(root: Path) -> bool:
    return (root / "state.json").exists() or (root / "dataset_dict.json").exists()


def _from_hub(name: str, *, download: bool) -> Any:
    import datasets
    from datasets.load import CachedDatasetModuleFactory

    if not name or name.startswith(("/", ".", "~")) or name.count("/") > 1:
        raise DataNotFound(f"The folder {name or '(no path)'} does not exist.", hint=_HINT)
    if not download:
        try:
            CachedDatasetModuleFactory(name).get_module()
        except FileNotFoundError as exc:
            raise DataNotFound(
                f"{name} is no folder, and not in the cache of datasets, {datasets.config.HF_DATASETS_CACHE}.",
                hint=f"{_nearest(name)}Add --download to get it from the hub, or name a folder made by save_to_disk.",
            ) from exc
    return datasets.load_dataset(name)


def _nearest(name: str) -> str:
    """Datasets that are in the cache and called nearly so, in a sentence; "" where there are none."""
    import datasets

    cache = Path(datasets.config.HF_DATASETS_CACHE)
    known = [path.name.replace("___", "/") for path in cache.glob("*") if path.is_dir() and path.name != "downloads"]
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.6)
    return f"Nearest in it: {', '.join(near)}. " if near else ""


def _one_split(found: Any, name: str, split: str) -> Any:
    from datasets import Dataset

    if isinstance(found, Dataset):
        if split:
            raise DataNotFound(f"{name} has no splits, so none called {split}.", hint=f"Write hf:{name}.")
        return found
    if split and split not in found:
        raise DataNotFound(f"{name} has no split '{split}'.", hint=f"It has {', '.join(found)}.")
    if not split and len(found) != 1:
        raise DataNotFound(f"{name} has the splits {', '.join(found)}.", hint=f"Name one: hf:{name}:{list(found)[-1]}")
    return found[split or next(iter(found))]


def with_usual_names(stream: Any, spec: str) -> tuple[Any, Sequence[str] | None]:
    """A `datasets.IterableDataset` with its columns called image and label, and the names of its classes if it knows
    them; as it is where it does not say what its columns are. Raises DataNotFound.
    """
    if stream.features is None:
        return stream, None
    image, label = image_and_label(stream.features, spec, "")
    names = getattr(stream.features[label], "names", None)
    stream = stream.select_columns([image, label])
    renamed = {old: new for old, new in ((image, "image"), (label, "label")) if old != new}
    return (stream.rename_columns(renamed) if renamed else stream), names


def image_and_label(features: Any, spec: str, label: str) -> tuple[str, str]:
    """The names of the two columns. Raises DataNotFound where types do not tell which they are."""
    from datasets import ClassLabel, Image, Value

    columns = dict(features or {})
    images = [name for name, kind in columns.items() if isinstance(kind, Image)]
    kinds = [name for name, kind in columns.items() if isinstance(kind, ClassLabel)]
    plain = [name for name, kind in columns.items() if isinstance(kind, Value) and name in ("label", "labels", "class")]
    found = [name for name in [label] if name in columns] if label else kinds or plain
    named = [name for name in found if name == "label"]
    if not images:
        raise DataNotFound(f"{spec} has no column of images, only {', '.join(columns) or 'no columns'}.", hint=_FORM)
    if len(found) != 1 and not named:
        have = f"the labels {', '.join(found)}" if found else f"no column of labels {label}".rstrip()
        raise DataNotFound(
            f"{spec} has {have}; its columns are {', '.join(columns)}.", hint=f"Name one: {_with_label(spec)}. {_FORM}"
        )
    return images[0], (named or found)[0]


def _with_label(spec: str) -> str:
    kind_and_name, _, split = spec.removeprefix("hf:").partition(":")
    return f"hf:{kind_and_name}:{split.partition(':')[0]}:COLUMN"


def numbered(values: Sequence[Any], feature: Any, where: str) -> tuple[tuple[str, ...], list[int]]:
    """The classes and the class id of each row. Raises DataNotFound where a row has no label."""
    table = LabelTable()
    for row, value in enumerate(values):
        if not isinstance(value, str | int) or value == -1:  # -1: how datasets marks rows without a label
            raise DataNotFound(f"{where} is {value} in row {row:,}: no label.", hint=_FORM)
        table.add(str(value))
    return table.numbered(getattr(feature, "names", None), where)
