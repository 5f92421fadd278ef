"""The image files a run was made from, where they still are."""

from __future__ import annotations

from pathlib import Path

from nastui.errors import AddressNotFound

_FOLDER_KIND = "imagefolder:"


def read_original(data: str, source: str) -> bytes:
    """The file behind an image: `data` is the run's image set as it was given, `source` the image's place in it.

    Raises AddressNotFound where the set has no files of its own or the file is not there any more.
    """
    if not data.startswith(_FOLDER_KIND):
        raise AddressNotFound(
            f"The images of {data} are not files.", hint="The thumbnail in the run is all there is to show."
        )
    path = Path(data.removeprefix(_FOLDER_KIND)) / source
    try:
        return path.read_bytes()
    except OSError as exc:
        raise AddressNotFound(
            f"{path} cannot be read: {exc.strerror or exc}.",
            hint="The thumbnail stays; open the run on the machine that has the images to see the original.",
        ) from exc
