"""Which model output stands for which class of an image set: by name, never by position."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nastui.engine.imagenet_twins import find_twins
from nastui.engine.inspection.finding import named
from nastui.engine.name_index import NameIndex
from nastui.errors import ClassNotFound

ClassMap = Mapping[str, str | int]


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
    """`outputs`: per class of the run its model output, None where there is none. `note`: how they were matched.

    `mapped`: the outputs of those `classes` that a class map has, by class id.
    """

    classes: tuple[str, ...]
    outputs: tuple[int | None, ...]
    unmatched: tuple[Unmatched, ...]
    note: str
    mapped: Mapping[int, int]

    @property
    def n_matched(self) -> int:
        return len(self.outputs) - len(self.unmatched)


def match_classes(
    classes: Sequence[str], names: Sequence[str] | None, n_outputs: int, class_map: ClassMap | None = None
) -> ClassMatch:
    """Find the output of each class.

    `names`: of the model's outputs, in order, None where unknown. `class_map` decides before names do. Names are read
    as NameIndex does; one that fits several outputs (ImageNet has two cranes) fits none. Outputs without names are
    matched only to classes that are all output numbers (folders 0 to 9).
    Raises ClassNotFound where the class map names an output that the model does not have.
    """
    index = NameIndex(names) if names is not None and len(names) == n_outputs else None
    mapped = _mapped_outputs(classes, index, n_outputs, class_map or {})
    if index is not None:
        note, reason = "by name", "no output of that name"
        found = [find_twins(name, index.names) or index.find(name) for name in classes]
    elif all(_is_output(name, n_outputs) for name in classes):
        note, reason = "by number: the outputs have no names, and every class is the number of one", ""
        found = [[int(name)] for name in classes]
    else:
        note, reason = _nameless(names, n_outputs), "the outputs have no names"
        found = [[] for _ in classes]
    outputs: list[int | None] = []
    unmatched: list[Unmatched] = []
    for class_id, name in enumerate(classes):
        choices = [mapped[class_id]] if class_id in mapped else found[class_id]
        outputs.append(choices[0] if len(choices) == 1 else None)
        if len(choices) > 1:
            unmatched.append(Unmatched(name, f"fits the outputs {', '.join(map(str, choices))}", ()))
        elif not choices:
            unmatched.append(Unmatched(name, reason, index.nearest(name) if index else ()))
    if class_map:
        strangers = "" if mapped else f" (it names no class of these images, but {named(list(class_map))})"
        note = f"{len(mapped)} by class map{strangers}, else {note}"
    return ClassMatch(tuple(classes), tuple(outputs), tuple(unmatched), note, mapped)


def _mapped_outputs(
    classes: Sequence[str], index: NameIndex | None, n_outputs: int, class_map: ClassMap
) -> dict[int, int]:
    """Class id -> output for the classes in `class_map`, which may have entries for other image sets too."""
    entries = NameIndex(list(class_map))
    mapped: dict[int, int] = {}
    for class_id, name in enumerate(classes):
        found = entries.find(name)
        if len(found) == 1:
            mapped[class_id] = _output(class_map[entries.names[found[0]]], index, n_outputs, name)
    return mapped


def _output(value: str | int, index: NameIndex | None, n_outputs: int, class_name: str) -> int:
    found = index.find(value) if isinstance(value, str) and index is not None else []
    if len(found) == 1:
        return found[0]
    if isinstance(value, int):
        if 0 <= value < n_outputs:
            return value
        raise ClassNotFound(
            f"The class map gives '{class_name}' the output {value}; the model has {n_outputs:,}, from 0.",
            hint="Correct that line of the class map.",
        )
    near = index.nearest(value) if index is not None else ()
    what = "fits several outputs" if found else "the model does not have"
    raise ClassNotFound(
        f"The class map gives '{class_name}' the output '{value}', which {what}.",
        hint=f"Nearest: {', '.join(near)}." if near else "Write the output's number.",
    )


def _is_output(name: str, n_outputs: int) -> bool:
    return name.isascii() and name.isdecimal() and int(name) < n_outputs


def _nameless(names: Sequence[str] | None, n_outputs: int) -> str:
    if names is None:
        return "not at all: the model's outputs have no names"
    return f"not at all: the model has {n_outputs:,} outputs, but {len(names):,} names were given for them"
