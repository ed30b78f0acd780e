"""Raster images of pages: PNG at any scale, and a small WebP."""

from typing import Any, BinaryIO

import numpy as np

from worker.canvases.board import DrawnPage
from worker.canvases.drawing.page import draw_page
from worker.canvases.drawing.png import PngWriter
from worker.canvases.engine import skia
from worker.errors import InvalidInput

LARGEST_SCALE = 4.0
# Pixels; for lists of lessons on phones.
THUMBNAIL_WIDTH = 400
_THUMBNAIL_QUALITY = 80
_HIGHEST_THUMBNAIL = 8000
# 32 MB of pixels in memory at a time, however large the page; an ordinary page is a single band.
_BAND_PIXELS = 8_000_000


def pixel_size(page: DrawnPage, scale: float) -> tuple[int, int]:
    """Width and height of the page's image in pixels. Raises InvalidInput for an invalid scale."""
    if not 0 < scale <= LARGEST_SCALE:
        raise InvalidInput(f"A scale is more than 0 and at most {LARGEST_SCALE:g}, not {scale:g}.")
    return max(1, round(page.width * scale)), max(1, round(page.height * scale))


def write_png(page: DrawnPage, out: BinaryIO, scale: float = 1.0) -> None:
    """Write the page as PNG; the bytes are deterministic. Raises EngineMissing, BadImage, InvalidInput."""
    width, height = pixel_size(page, scale)
    writer = PngWriter(out, width, height, photo=page.image is not None)
    rows = min(height, max(1, _BAND_PIXELS // width))
    for top in range(0, height, rows):
        writer.write(_draw(page, width, min(rows, height - top), scale, top))
    writer.finish()


def write_thumbnail(page: DrawnPage, out: BinaryIO) -> None:
    """Write a WebP of `thumbnail_size`. Raises EngineMissing, BadImage."""
    width, height = thumbnail_size(page)
    pixels = _draw(page, width, height, width / page.width)
    image = skia.Image.fromarray(pixels, colorType=skia.kBGRA_8888_ColorType, copy=False)
    out.write(bytes(image.encodeToData(skia.kWEBP, _THUMBNAIL_QUALITY)))


def thumbnail_size(page: DrawnPage) -> tuple[int, int]:
    """Width and height of the thumbnail in pixels: THUMBNAIL_WIDTH wide, less when it would be too high for WebP."""
    scale = min(THUMBNAIL_WIDTH / page.width, _HIGHEST_THUMBNAIL / page.height)
    return max(1, round(page.width * scale)), max(1, round(page.height * scale))


def _draw(page: DrawnPage, width: int, height: int, scale: float, top: int = 0) -> Any:
    """Rows of the page's image from `top` on: shape (height, width, 4), blue, green, red, alpha.

    Drawing in this order, the engine's native one, is a tenth faster.
    """
    pixels = np.empty((height, width, 4), np.uint8)
    with skia.Surface(pixels, colorType=skia.kBGRA_8888_ColorType) as canvas:
        # A side that was rounded up ends a fraction of a pixel beyond the page, where memory would stay uninitialised.
        canvas.clear(skia.Color(page.background.red, page.background.green, page.background.blue))
        canvas.translate(0, -top)
        canvas.scale(scale, scale)
        draw_page(canvas, page)
    return pixels
