"""Which name another one means, when people and data sets write names in their own ways."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence

from nastui.errors import ClassNotFound

_WORDNET = re.compile(r"(n\d{8})(?:[\s_-]+(?P<name>.+))?", re.IGNORECASE)
_N_NEAREST = 3


class NameIndex:
    """Names that are looked up by what they mean.

    Case, `_`, `-`, blanks and apostrophes do not matter; `n01443537_goldfish` is `goldfish`, and `n01443537` alone is
    it too; of a name such as `tench, Tinca tinca` each part will do.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)
        self._positions: list[dict[str, list[int]]] = []
        for reading in _READINGS:
            positions: dict[str, list[int]] = {}
            for position, name in enumerate(self.names):
                for form in dict.fromkeys(reading(name)):
                    positions.setdefault(form, []).append(position)
            self._positions.append(positions)

    def find(self, name: str) -> list[int]:
        """The positions that `name` fits, by the strictest reading that fits any. Several: the name is ambiguous."""
        for reading, positions in zip(_READINGS, self._positions, strict=True):
            found = {position for form in reading(name) for position in positions.get(form, ())}
            if found:
                return sorted(found)
        return []

    def nearest(self, name: str) -> tuple[str, ...]:
        """At most three names that are spelt alike."""
        by_form = {form: other for other in self.names for form in _without_wordnet_id(other)}
        wanted = next(iter(_without_wordnet_id(name)), "")
        return tuple(by_form[form] for form in difflib.get_close_matches(wanted, by_form, n=_N_NEAREST, cutoff=0.6))


def find_classes(names: Iterable[str], classes: Sequence[str]) -> list[int]:
    """The ids of the classes that a person means by `names`. Raises ClassNotFound with the nearest names."""
    index = NameIndex(classes)
    return [_find_class(name, index) for name in names]


def as_names(values: Sequence[object]) -> tuple[str, ...]:
    """Class names as text; torchvision's ImageNet gives each as a tuple of synonyms, which become one list of them."""
    return tuple(", ".join(map(str, value)) if isinstance(value, tuple | list) else str(value) for value in values)


def is_wordnet_id(name: str) -> bool:
    """Whether a name is nothing but an id, as ImageNet's folders are called: `n01443537`."""
    match = _WORDNET.fullmatch(name.strip())
    return match is not None and match["name"] is None


def normalised(name: str) -> str:
    """A name as it is compared: lower case, no apostrophes, words apart by one blank."""
    name = unicodedata.normalize("NFKC", name).casefold()
    return " ".join(re.sub(r"[\s_\-‐-―./]+", " ", re.sub("['’`´]", "", name)).split())


def _find_class(name: str, index: NameIndex) -> int:
    found = index.find(name)
    if len(found) == 1:
        return found[0]
    if found:
        several = ", ".join(index.names[i] for i in found)
        raise ClassNotFound(f"'{name}' fits several classes: {several}.", hint="Write one of them in full.")
    near = index.nearest(name)
    hint = f"Nearest: {', '.join(near)}." if near else f"The classes are {_few(index.names)}."
    raise ClassNotFound(f"There is no class '{name}'.", hint=hint)


def _exact(name: str) -> Iterable[str]:
    return (name,)


def _whole(name: str) -> Iterable[str]:
    return (normalised(name),)


def _wordnet_id(name: str) -> Iterable[str]:
    match = _WORDNET.fullmatch(name.strip())
    return (match[1].lower(),) if match else ()


def _without_wordnet_id(name: str) -> Iterable[str]:
    match = _WORDNET.fullmatch(name.strip())
    if match is None:
        return (normalised(name),)
    return (normalised(match["name"]),) if match["name"] else ()


def _parts(name: str) -> Iterable[str]:
    return [part for text in name.split(",") for part in _without_wordnet_id(text) if part]


def _run_together(name: str) -> Iterable[str]:
    return [part.replace(" ", "") for part in _parts(name)]


_READINGS: tuple[Callable[[str], Iterable[str]], ...] = (
    _exact,
    _whole,
    _wordnet_id,
    _without_wordnet_id,
    _parts,
    _run_together,
)


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:10]) + (f" and {len(names) - 10:,} more" if len(names) > 10 else "")
