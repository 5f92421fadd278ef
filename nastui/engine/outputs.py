"""The tensors in what a module returns: one, or several in tuples, lists, dicts and objects that act like these."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any

from torch import Tensor

Steps = tuple[int | str, ...]


def tensors_in(output: object) -> Iterator[tuple[Steps, Tensor]]:
    """Every tensor in `output`, and by which indices and keys one gets to it: none where it is the output itself."""
    if isinstance(output, Tensor):
        yield (), output
    elif isinstance(output, Mapping):
        for key, value in output.items():
            yield from (((str(key), *steps), tensor) for steps, tensor in tensors_in(value))
    elif isinstance(output, tuple | list):
        for index, value in enumerate(output):
            yield from (((index, *steps), tensor) for steps, tensor in tensors_in(value))


def written(steps: Steps) -> str:
    """The steps as they stand in a layer's path: `[0]`, `[hidden][2]`."""
    return "".join(f"[{step}]" for step in steps)


def pick(output: Any, steps: Steps) -> object:
    """What lies at `steps` of `output`; None where there is no such thing."""
    for step in steps:
        try:
            output = output[step]
        except (LookupError, TypeError):
            return None
    return output


def with_replaced(output: Any, steps: Steps, tensor: Tensor) -> Any:
    """`output` with another tensor at `steps`; what was given is left as it is."""
    if not steps:
        return tensor
    first, inner = steps[0], with_replaced(output[steps[0]], steps[1:], tensor)
    if isinstance(output, tuple):
        items = [inner if index == first else item for index, item in enumerate(output)]
        return type(output)(*items) if hasattr(output, "_fields") else tuple(items)
    changed = copy.copy(output)
    changed[first] = inner
    return changed
