"""What a run knows about its images: rows of `image`, `thumbnail` and `output`."""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from nastui.errors import AddressNotFound
from nastui.records import ImageInfo, ImageResult, ImageTable
from nastui.store.text import storable

_TABLE = np.dtype(
    [("class_id", np.int32), ("prediction", np.int32), ("is_ok", np.bool_), ("is_wrong", np.bool_)]
)  # the columns of ImageTable
_IS_WRONG = "image.prediction <> class.output_id"  # NULL where either is missing: nothing can be claimed


@dataclass(frozen=True, slots=True)
class Score:
    """How the images came out: `n_failed` did not decode, `n_matched` decoded and have a class with an output.

    `top1`: the share of the `n_matched` that is predicted rightly; None where there are none.
    """

    n_failed: int
    n_matched: int
    top1: float | None


def write_results(connection: sqlite3.Connection, first_image: int, results: Sequence[ImageResult]) -> None:
    """Write what was found out about consecutive images."""
    named = {output for result in results for output, _ in result.top5}
    connection.executemany("INSERT OR IGNORE INTO output (id) VALUES (?)", [(output,) for output in sorted(named)])
    connection.executemany(
        "UPDATE image SET is_ok = ?, width = ?, height = ?, sha256 = ?, prediction = ?, top5 = ?, error = ?"
        " WHERE id = ?",
        (_result(first_image + i, result) for i, result in enumerate(results)),
    )
    connection.executemany(
        "INSERT INTO thumbnail (image_id, data) VALUES (?, ?)",
        ((first_image + i, result.thumbnail) for i, result in enumerate(results) if result.thumbnail is not None),
    )


def _result(image_id: int, result: ImageResult) -> tuple[int | str | None, ...]:
    top5 = result.top5
    return (
        int(result.error is None),
        result.width,
        result.height,
        result.sha256,
        top5[0][0] if top5 else None,
        _json_pairs(top5) if top5 else None,
        None if result.error is None else storable(result.error),
        image_id,
    )


def _json_pairs(top5: Sequence[tuple[int, float]]) -> str:
    """As `json.dumps` writes them, null for what is not finite, in a fraction of its time: a scan does so for each
    image."""
    pairs = (f"[{output}, {float(logit)!r}]" if math.isfinite(logit) else f"[{output}, null]" for output, logit in top5)
    return f"[{', '.join(pairs)}]"


def read_score(connection: sqlite3.Connection) -> Score:
    """Count over all images that were looked at."""
    n_failed, n_matched, top1 = connection.execute(
        f"SELECT count(*) FILTER (WHERE is_ok = 0), count({_IS_WRONG}) FILTER (WHERE is_ok = 1),"
        f" avg(NOT ({_IS_WRONG})) FILTER (WHERE is_ok = 1)"
        " FROM image JOIN class ON class.id = image.class_id"
    ).fetchone()
    return Score(n_failed, n_matched, top1)


def read_image_table(connection: sqlite3.Connection) -> ImageTable:
    """All images as columns."""
    rows = connection.execute(
        f"SELECT class_id, ifnull(prediction, -1), ifnull(is_ok, 0), ifnull({_IS_WRONG}, 0)"
        " FROM image JOIN class ON class.id = image.class_id ORDER BY image.id"
    )
    # Row by row into numbers: a million rows as Python's objects would take 200 MB.
    table = np.fromiter(rows, dtype=_TABLE)
    return ImageTable(*(np.ascontiguousarray(table[name]) for name in _TABLE.names or ()))


def read_images(connection: sqlite3.Connection, ids: Sequence[int], outputs: Sequence[str]) -> list[ImageInfo]:
    """The images in the order of `ids`; `outputs` are the names of the model's. Raises AddressNotFound."""
    rows = connection.execute(
        "SELECT image.id, class_id, class.name, source, width, height, prediction,"
        f" {_IS_WRONG}, top5, error FROM image JOIN class ON class.id = image.class_id"
        " WHERE image.id IN (SELECT value FROM json_each(?))",
        (_json_ids(ids),),
    )
    found = {row[0]: _image(row, outputs) for row in rows}
    missing = [i for i in ids if i not in found]
    if missing:
        last = connection.execute("SELECT max(id) FROM image").fetchone()[0]
        raise AddressNotFound(f"There is no image {missing[0]} in this run.", hint=f"Its images are 0 to {last}.")
    return [found[i] for i in ids]


def _image(
    row: tuple[int, int, str, str, int | None, int | None, int | None, int | None, str | None, str | None],
    outputs: Sequence[str],
) -> ImageInfo:
    image_id, class_id, class_name, source, width, height, prediction, is_wrong, top5, error = row
    return ImageInfo(
        id=image_id,
        class_id=class_id,
        class_name=class_name,
        source=source,
        width=width,
        height=height,
        predicted=None if prediction is None else outputs[prediction],
        is_wrong=None if is_wrong is None else bool(is_wrong),
        top5=tuple((outputs[i], math.nan if logit is None else logit) for i, logit in json.loads(top5 or "[]")),
        error=error,
    )


def read_thumbnails(connection: sqlite3.Connection, ids: Iterable[int]) -> dict[int, bytes]:
    """The small pictures of those of the images that have one."""
    return dict(
        connection.execute(
            "SELECT image_id, data FROM thumbnail WHERE image_id IN (SELECT value FROM json_each(?))",
            (_json_ids(ids),),
        )
    )


def read_outputs(connection: sqlite3.Connection) -> tuple[str, ...]:
    """The names of the model's outputs by index; one that has none is called `output 7`."""
    names = dict(connection.execute("SELECT id, name FROM output"))
    return tuple(names.get(i) or f"output {i}" for i in range(max(names, default=-1) + 1))


def _json_ids(ids: Iterable[int]) -> str:
    return json.dumps([int(i) for i in ids])  # NumPy's integers too
