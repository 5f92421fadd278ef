"""What a finished run shows to be wrong with the scan, in words for a person."""

from __future__ import annotations

import json
import shlex
from itertools import takewhile

import numpy as np

from nastui.engine.inspection.answers import Answers, near_chance, one_answer
from nastui.engine.inspection.finding import named
from nastui.records import RunInfo, UnitTable
from nastui.store.reader import RunReader

_NAMED = 3
_ONLY_SCAN = frozenset(["--force", "--distributed"])  # options without a value that nastui doctor lacks
_DOUBTFUL = 0.5  # top-1


def find_faults(reader: RunReader, info: RunInfo, *, is_random: bool) -> list[str]:
    """Images that did not decode, layers that gave every image the same values, and answers that say nothing; but
    `is_random` weights know nothing yet."""
    answers = [] if is_random else _useless_answers(reader, info)
    return [*_failed_images(reader, info), *_constant_layers(reader, info), *answers]


def _useless_answers(reader: RunReader, info: RunInfo) -> list[str]:
    """One answer for all images, an accuracy no better than chance, or images that look unprepared: at most one of
    these. The reason is for `nastui doctor` to find."""
    table, classes = reader.image_table(), reader.classes()
    has_answer = table.is_ok & (table.prediction >= 0)
    class_ids = table.class_id[has_answer].astype(np.int64)
    outputs = np.array([-1 if one.output is None else one.output for one in classes], dtype=np.int64)
    answers = Answers(table.prediction[has_answer].astype(np.int64), outputs[class_ids], class_ids)
    if found := one_answer(answers, reader.outputs()) or near_chance(answers):
        return [f"{found[0].text} {_doctor(info)}"]
    return _unprepared_images(info)


def _doctor(info: RunInfo) -> str:
    """The command that looks for the reason."""
    command = doctor_command(info.spec.command, info.spec.weights) or "nastui doctor MODEL DATA"
    return f"To look for the reason: {command}"


def doctor_command(scan: str, weights: str) -> str | None:
    """`nastui scan …` as `nastui doctor …` with this file of weights, for a scan may name several; None where the scan
    was not started by that command."""
    try:
        words = shlex.split(scan)
    except ValueError:
        return None
    if words[:2] != ["nastui", "scan"]:
        return None
    subjects: dict[str, str] = {}
    rest: list[str] = []
    remaining = iter(words[2:])
    for word in remaining:
        option, is_whole, value = word.partition("=")
        if option in _ONLY_SCAN:
            continue
        if option in ("--model", "--data", "--weights", "--out"):
            subjects[option] = value if is_whole else next(remaining, "")
        else:
            rest.append(word)
    if not subjects.get("--model") or not subjects.get("--data"):
        return None
    chosen = ["--weights", weights] if "--weights" in subjects else []
    return shlex.join(["nastui", "doctor", subjects["--model"], subjects["--data"], *chosen, *rest])


def _unprepared_images(info: RunInfo) -> list[str]:
    """Nothing in the weights tells that a mean and std are missing; a low accuracy hints at it."""
    done = json.loads(info.spec.preprocessing)
    is_plain = set(done.get("mean", [1])) == {0} and set(done.get("std", [0])) == {1}
    if not is_plain or info.top1 is None or info.top1 >= _DOUBTFUL:
        return []
    return [
        f"top-1 is {info.top1:.1%}, and the images went in scaled to 0..1 and no further: "
        "if the model was trained otherwise, give --mean and --std."
    ]


def _failed_images(reader: RunReader, info: RunInfo) -> list[str]:
    if not info.n_failed:
        return []
    failed = np.flatnonzero(~reader.image_table().is_ok)
    first = reader.images(failed[:_NAMED].tolist())
    reasons = "; ".join(f"{image.source}: {image.error}" for image in first)
    more = "; …" if len(failed) > _NAMED else ""
    return [f"{info.n_failed:,} of {info.n_images:,} images could not be decoded and count nowhere: {reasons}{more}"]


def _constant_layers(reader: RunReader, info: RunInfo) -> list[str]:
    if info.n_images - info.n_failed < 2:
        return []
    layers = reader.layers()
    is_constant = [_is_constant(reader.unit_table(layer)) for layer in layers]
    # Before the first attention the class token is the same for all images, and so is all that comes of it alone.
    of_class = [k for k, layer in enumerate(layers) if layer.tokens == "class"]
    blind = list(takewhile(lambda k: is_constant[k], of_class))
    expected = set(blind) if len(blind) < len(of_class) else set()
    constant = [layer.path for k, layer in enumerate(layers) if is_constant[k] and k not in expected]
    if not constant:
        return []
    return [
        f"{named(constant)}: every image got the same values. "
        "Are the images really different, and do they reach this layer?"
    ]


def _is_constant(units: UnitTable) -> bool:
    return bool(np.all((units.lo == units.hi) & (units.n > 1)))
