"""Which model output stands for which class of an image set: by name, never by position."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from nastui.errors import ClassNotFound

ClassMap = Mapping[str, str | int]

_WORDNET = re.compile(r"(n\d{8})(?:[\s_-]+(?P<name>.+))?", re.IGNORECASE)
_N_NEAREST = 3


@dataclass(frozen=True, slots=True)
class Unmatched:
    """A class without an output, why, and the output names that come nearest."""

    name: str
    reason: str
    nearest: tuple[str, ...]

    def __str__(self) -> str:
        near = f"; nearest: {', '.join(self.nearest)}" if self.nearest else ""
        return f"{self.name}: {self.reason}{near}"


@dataclass(frozen=True, slots=True)
class ClassMatch:
    """`outputs`: per class of the run its model output, None where there is none. `note`: how they were matched."""

    outputs: tuple[int | None, ...]
    unmatched: tuple[Unmatched, ...]
    note: str

    @property
    def n_matched(self) -> int:
        return len(self.outputs) - len(self.unmatched)


def match_classes(
    classes: Sequence[str], names: Sequence[str] | None, n_outputs: int, class_map: ClassMap | None = None
) -> ClassMatch:
    """Find the output of each class.

    `names`: of the model's outputs, in order, None where unknown. `class_map` decides before names do. Case,
    `_`, `-`, blanks and apostrophes do not matter; `n01443537_goldfish` is `goldfish`; of an output's name such as
    `tench, Tinca tinca` each part will do. A name that fits several outputs (torchvision has two cranes) fits none.
    Outputs without names are matched only to classes that are all output numbers (folders 0 to 9).
    Raises ClassNotFound where the class map names an output that the model does not have.
    """
    usable = names if names is not None and len(names) == n_outputs else None
    mapped = _mapped_outputs(classes, usable, n_outputs, class_map or {})
    if usable is not None:
        note, found = "by name", [_find(name, usable) for name in classes]
    elif all(_is_output(name, n_outputs) for name in classes):
        note, found = "by number, since the outputs have no names and every class is one", [[int(n)] for n in classes]
    else:
        note, found = _nameless(names, n_outputs), [[] for _ in classes]
    reason = "no output of that name" if usable is not None else "the outputs have no names"
    outputs: list[int | None] = []
    unmatched: list[Unmatched] = []
    for class_id, name in enumerate(classes):
        choices = [mapped[class_id]] if class_id in mapped else found[class_id]
        outputs.append(choices[0] if len(choices) == 1 else None)
        if len(choices) > 1:
            unmatched.append(Unmatched(name, f"fits the outputs {', '.join(map(str, choices))}", ()))
        elif not choices:
            unmatched.append(Unmatched(name, reason, _nearest(name, usable or ())))
    return ClassMatch(tuple(outputs), tuple(unmatched), f"{len(mapped)} by class map, else {note}" if mapped else note)


def find_class(name: str, classes: Sequence[str]) -> int:
    """The id of the class that a person means by `name`. Raises ClassNotFound with the nearest names."""
    found = _find(name, classes)
    if len(found) == 1:
        return found[0]
    if found:
        raise ClassNotFound(
            f"'{name}' fits several classes: {', '.join(classes[i] for i in found)}.", hint="Write one of them in full."
        )
    near = _nearest(name, classes)
    hint = f"Nearest: {', '.join(near)}." if near else f"The classes are {_few(classes)}."
    raise ClassNotFound(f"There is no class '{name}'.", hint=hint)


def normalised(name: str) -> str:
    """A name as it is compared: lower case, no apostrophes, words apart by one blank."""
    name = unicodedata.normalize("NFKC", name).casefold()
    return " ".join(re.sub(r"[\s_\-‐-―./]+", " ", re.sub("['’`´]", "", name)).split())


def _find(name: str, names: Sequence[str]) -> list[int]:
    """The positions in `names` that `name` fits, by the strictest way of reading them that fits any."""
    exact = [i for i, other in enumerate(names) if other == name]
    if exact:
        return exact
    for reading in (_whole, _wordnet_id, _without_wordnet_id, _parts, _run_together):
        wanted = set(reading(name))
        found = [i for i, other in enumerate(names) if wanted.intersection(reading(other))]
        if found:
            return found
    return []


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
    return tuple(part for text in name.split(",") for part in _without_wordnet_id(text) if part)


def _run_together(name: str) -> Iterable[str]:
    return tuple(part.replace(" ", "") for part in _parts(name))


def _mapped_outputs(
    classes: Sequence[str], names: Sequence[str] | None, n_outputs: int, class_map: ClassMap
) -> dict[int, int]:
    """Class id -> output for the classes in `class_map`, which may have entries for other image sets too."""
    entries = list(class_map)
    mapped: dict[int, int] = {}
    for class_id, name in enumerate(classes):
        found = _find(name, entries)
        if len(found) == 1:
            mapped[class_id] = _output(class_map[entries[found[0]]], names, n_outputs, name)
    return mapped


def _output(value: str | int, names: Sequence[str] | None, n_outputs: int, class_name: str) -> int:
    if isinstance(value, str) and names is not None and len(found := _find(value, names)) == 1:
        return found[0]
    if isinstance(value, int) or value.isdecimal():
        if 0 <= int(value) < n_outputs:
            return int(value)
        raise ClassNotFound(
            f"The class map gives '{class_name}' the output {value}; the model has {n_outputs:,}, from 0.",
            hint="Correct that line of the class map.",
        )
    near = _nearest(value, names or ())
    raise ClassNotFound(
        f"The class map gives '{class_name}' the output '{value}', which the model does not have, or more than once.",
        hint=f"Nearest: {', '.join(near)}." if near else "Write the output's number.",
    )


def _is_output(name: str, n_outputs: int) -> bool:
    return name.isascii() and name.isdecimal() and int(name) < n_outputs


def _nameless(names: Sequence[str] | None, n_outputs: int) -> str:
    if names is None:
        return "not at all: the model's outputs have no names"
    return f"not at all: the model has {n_outputs:,} outputs but {len(names):,} names for them"


def _nearest(name: str, names: Sequence[str]) -> tuple[str, ...]:
    wanted = next(iter(_without_wordnet_id(name)), normalised(name))
    by_form: dict[str, str] = {form: other for other in names for form in _without_wordnet_id(other)}
    return tuple(by_form[form] for form in difflib.get_close_matches(wanted, by_form, n=_N_NEAREST, cutoff=0.6))


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:10]) + (f" and {len(names) - 10:,} more" if len(names) > 10 else "")
