"""The image files a run was made from, where they still are."""

from __future__ import annotations

import re
import stat
from pathlib import Path

from nastui.errors import AddressNotFound

MAX_BYTES = 200_000_000

_TOGETHER = frozenset(("npy", "npz", "tar", "wds", "hf"))  # kinds of sets with many images in a file
_A_COPY = re.compile(r"#\d+$")  # what an image's key has that its list has named before

_THUMBNAIL_STAYS = "The thumbnail in the run is all there is to show."


def read_original(data: str, root: str | None, source: str) -> bytes:
    """The file behind an image. `data`: the run's image set as it was given; `root`: the folder that it was, absolute;
    `source`: the image's place in it.

    A run may come from anybody: only a regular file below the root is read, and no more than MAX_BYTES. Links are
    followed, for the scan followed them too; and a list, `csv:`, may name files that lie anywhere.
    Raises AddressNotFound, with the reason, also where the set has no files of its own.
    """
    kind = data.partition(":")[0]
    if root is None or kind in _TOGETHER or (kind == "torchvision" and source.startswith("[")):
        raise AddressNotFound(f"The images of {data} are not files of their own.", hint=_THUMBNAIL_STAYS)
    place = Path(source)
    if kind == "csv":
        place = place if (root / place).exists() else Path(_A_COPY.sub("", source))
    elif place.is_absolute() or ".." in place.parts:
        raise AddressNotFound(f"{source} lies outside the image set {root}.", hint=_THUMBNAIL_STAYS)
    path = Path(root) / place
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise AddressNotFound(f"{path} is not a regular file.", hint=_THUMBNAIL_STAYS)
        if status.st_size > MAX_BYTES:
            raise AddressNotFound(
                f"{path} has {status.st_size:,} bytes, more than {MAX_BYTES:,}.", hint=_THUMBNAIL_STAYS
            )
        return path.read_bytes()
    except (OSError, ValueError) as exc:  # ValueError: no file can have such a name
        raise AddressNotFound(
            f"{path} cannot be read: {getattr(exc, 'strerror', None) or exc}.",
            hint="The thumbnail stays; open the run on the machine that has the images to see the original.",
        ) from exc
