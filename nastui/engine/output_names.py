"""What a model's outputs are called: predictions are shown by these names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nastui.engine.class_names import ClassMap, ClassMatch
from nastui.engine.name_index import is_wordnet_id


def name_outputs(
    names: Sequence[str] | None, n_outputs: int, match: ClassMatch, class_map: ClassMap | None = None
) -> tuple[str, ...]:
    """A name for each of `n_outputs`: the class map's, else the model's own, else the number.

    `names`: the model's, left out where they are not as many as the outputs. `match`: what `match_classes` found. A
    class map names the outputs that it gives to classes of the run after these, the others after its entries; several
    names come with commas between them. WordNet ids and numbers are no names where there is anything else. A number
    that a class has for its name stands for no other output, which is called `output 7` then.
    """
    own = names if names is not None and len(names) == n_outputs else [""] * n_outputs
    of_run = _by_output({match.classes[class_id]: output for class_id, output in match.mapped.items()})
    of_map = _by_output({name: value for name, value in (class_map or {}).items() if isinstance(value, int)})
    found = [_first_words([of_run.get(n, []), of_map.get(n, []), [own[n]]]) for n in range(n_outputs)]
    taken = set(found)
    return tuple(name or (f"output {n}" if str(n) in taken else str(n)) for n, name in enumerate(found))


def _by_output(outputs: Mapping[str, int]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for name, output in outputs.items():
        found.setdefault(output, []).append(name)
    return found


def _first_words(choices: Sequence[Sequence[str]]) -> str:
    """The first of the choices with a name that says something; where none does, the first one that there is."""
    for names in choices:
        if words := [name for name in names if name and not name.isdecimal() and not is_wordnet_id(name)]:
            return ", ".join(words)
    return next((name for names in reversed(choices) for name in names if name), "")
