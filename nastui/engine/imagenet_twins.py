"""ImageNet's classes that share a name: two cranes, two maillots, and a cardigan that is a Cardigan corgi."""

from __future__ import annotations

import re
from collections.abc import Sequence

from nastui.engine.name_index import normalised

_OUTPUTS = {
    "n02012849": 134,  # the crane that flies
    "n03126707": 517,  # the crane that lifts
    "n02113186": 264,  # the dog
    "n02963159": 474,  # the garment
    "n03710637": 638,  # a maillot
    "n03710721": 639,  # a maillot that is a tank suit
}
_SHARED = {"crane": [134, 517], "maillot": [638, 639]}


def find_twins(name: str, outputs: Sequence[str]) -> list[int]:
    """The outputs that `name` may mean if it is one of these and `outputs` are ImageNet's 1,000; else none.

    torchvision calls one of a pair by the bare name, and which one differs between its versions: only a WordNet id
    can tell. The cardigans differ by their capital, which is enough where there is no id.
    """
    if len(outputs) != 1000 or any(not normalised(outputs[i]).startswith(w) for w, ids in _SHARED.items() for i in ids):
        return []
    wordnet_id = re.match(r"n\d{8}", name.strip().lower())
    if wordnet_id is None:
        return _SHARED.get(normalised(name), [])
    output = _OUTPUTS.get(wordnet_id[0])
    return [] if output is None else [output]
