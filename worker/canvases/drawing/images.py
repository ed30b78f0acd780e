"""Background images of pages."""

from pathlib import Path
from typing import Any

from worker.canvases.engine import skia
from worker.errors import InvalidInput

MAX_BYTES = 30_000_000
MAX_PIXELS = 50_000_000
# Start of image, and the first byte of the next marker.
_JPEG = b"\xff\xd8\xff"
_JPEG_QUALITY = 90


class BadImage(InvalidInput):
    """The file is not an image that can be drawn."""

    code, title = "bad-image", "The picture cannot be drawn"


def open_image(path: Path) -> Any:
    """The image in a PNG, JPEG or WebP file, decoded when drawn. Raises BadImage."""
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise BadImage(f"The picture has {size} bytes; at most {MAX_BYTES} are drawn.")
    data = skia.Data.MakeFromFileName(str(path)) if size else None
    codec, result = _codec(data) if data is not None else (None, "it is empty")
    if codec is None:
        raise BadImage(f"The picture cannot be read: {result}.")
    width, height = codec.dimensions().width(), codec.dimensions().height()
    if width * height > MAX_PIXELS:
        raise BadImage(f"The picture has {width}x{height} pixels; at most {MAX_PIXELS} are drawn.")
    image = skia.Image.MakeFromEncoded(data)
    if image is None:
        raise BadImage("The picture cannot be decoded.")
    return image


def as_jpeg(drawn: Any, path: Path) -> Any:
    """What was drawn of the image in the file `path`, as JPEG; None unless the file is a JPEG, a photograph.

    Compressed without loss, a page of a photograph has five times the bytes and takes three seconds.
    """
    with path.open("rb") as file:
        is_jpeg = file.read(len(_JPEG)) == _JPEG
    return drawn.encodeToData(skia.kJPEG, _JPEG_QUALITY) if is_jpeg else None


def fitted_rectangle(image: Any, width: float, height: float) -> tuple[float, float, float, float]:
    """Left, top, right, bottom of the image scaled to fit a page of this size and centred on it."""
    scale = min(width / image.width(), height / image.height())
    left, top = (width - image.width() * scale) / 2, (height - image.height() * scale) / 2
    return left, top, left + image.width() * scale, top + image.height() * scale


def _codec(data: Any) -> tuple[Any, str]:
    try:
        return skia.Codec.MakeFromData(data), ""
    except (ValueError, RuntimeError) as error:  # no decoder recognises the data
        return None, str(error)
