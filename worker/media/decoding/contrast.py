"""How much a picture shows: the variance of its brightness, measured on a thumbnail that ffmpeg makes along with it."""

from dataclasses import dataclass
from typing import Any

import numpy as np

# Variance of the brightness (0-255) below which a picture is blank: a plain colour with coding noise stays below 1, one
# line of thin writing on a board has about 20.
BLANK = 3.0
_SIZE = (64, 36)
THUMBNAIL_OPTIONS = {"f": "rawvideo", "pix_fmt": "gray"}


@dataclass(frozen=True)
class Contrast:
    """The variance of the brightness of the picture at `at` seconds."""

    at: float
    variance: float


def thumbnail(picture: Any) -> Any:
    """The thumbnail of a picture, to be written with THUMBNAIL_OPTIONS."""
    return picture.filter("scale", *_SIZE)


def variances(thumbnails: bytes) -> list[float]:
    """The variance of the brightness of each of these thumbnails."""
    length = _SIZE[0] * _SIZE[1]
    count = len(thumbnails) // length
    pictures = np.frombuffer(thumbnails, np.uint8, count * length).reshape(count, length)
    return [float(variance) for variance in pictures.var(axis=1)]
