"""The sums of some images that a run has looked at, to find out whether the files are still the same."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import numpy as np

from nastui.store.connection import leave_one_file, open_to_read
from nastui.store.faults import translated
from nastui.store.layer_rows import read_extent


def read_sums(path: Path, count: int) -> dict[int, str]:
    """The sha256 of up to `count` image files by the images' ids, spread over those that the run at `path` has done.

    Empty where none came from a file.
    """
    found: dict[int, str] = {}
    with closing(open_to_read(path)) as connection, translated(path):
        n_done = read_extent(connection).n_done
        for image in np.linspace(0, max(n_done - 1, 0), count).astype(int).tolist():
            row = connection.execute(
                "SELECT id, sha256 FROM image WHERE id >= ? AND sha256 IS NOT NULL LIMIT 1", (image,)
            ).fetchone()
            found |= dict([row] if row else [])
    leave_one_file(path)
    return found
