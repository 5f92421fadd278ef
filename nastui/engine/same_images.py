"""Whether the images of a run are still what they were: their list knows names and sizes, this what is in them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from nastui.engine.sources import ImageSource
from nastui.errors import DataNotFound
from nastui.store.image_sums import read_sums

_SAMPLE = 8  # images that are read again


def check_images(path: Path, source: ImageSource, indices: Sequence[int], *, hint: str) -> None:
    """Read some images of the run at `path` again, spread over all that it has done, and compare their sums.

    `indices`: in `source`, by the run's ids. Raises DataNotFound, with the hint, where one is another image by now.
    Images that are no files have no sums.
    """
    for image, then in read_sums(path, _SAMPLE).items():
        key = source.key(indices[image])
        try:
            now = source.load(indices[image]).sha256
        except Exception as exc:  # whatever decoding may raise: it did decode then
            raise DataNotFound(f"{key} does not decode any more: {type(exc).__name__}: {exc}.", hint=hint) from exc
        if now != then:
            raise DataNotFound(
                f"{key} is another image than the one that was scanned: sha256 {(now or 'none')[:12]}…, not "
                f"{then[:12]}….",
                hint=hint,
            )
