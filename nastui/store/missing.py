"""Why there is no file where a run should be: several processes write it in parts before it appears."""

from __future__ import annotations

from pathlib import Path

from nastui.errors import NotARun, StoreError
from nastui.store.lock import is_locked
from nastui.store.parts import Parts, any_parts, place_of_lock


def no_run_there(path: Path, hint: str) -> NotARun:
    """The error for a run that does not exist; `hint`: for where nothing is known of it."""
    parts = any_parts(path)
    if parts is None:
        return NotARun(f"{path} does not exist.", hint=hint)
    done = parts.bounds[0] + sum(_readable(parts, number) for number in parts.numbers)
    how_far = f"{done:,} of {parts.bounds[-1]:,} images"
    n_parts = len(parts.numbers)
    if is_locked(place_of_lock(path)):
        return NotARun(
            f"{path} is being written by several processes in {n_parts:,} parts: {how_far} are done.",
            hint="It appears when all are.",
        )
    return NotARun(
        f"{path} is not there yet: its scan, in {n_parts:,} parts, was stopped after {how_far}.",
        hint="The command that began it goes on, with any number of processes; then the file appears.",
    )


def _readable(parts: Parts, number: int) -> int:
    """How many images of a part can be read: of a damaged one, none."""
    try:
        return parts.n_done(number)
    except StoreError:
        return 0
