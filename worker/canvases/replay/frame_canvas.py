"""Draws a page scaled into the frame of a film, in whole or within a dirty rectangle."""

import math
from collections.abc import Iterable

import numpy as np

from worker.canvases.board import DrawnPage
from worker.canvases.drawing.page import backdrop_of, draw_background, draw_shape
from worker.canvases.engine import skia
from worker.canvases.replay.dirty_rects import DirtyRect
from worker.canvases.replay.i420 import Pixels
from worker.canvases.shapes import Shape

WIDTH, HEIGHT = 1280, 720
# Fills the frame around a page of another aspect ratio: darker than paper, lighter than ink.
SURROUND = (0x3A, 0x3F, 0x47, 0xFF)
# Half a pixel of antialiasing, and a pixel for rounding.
_SOFT = 1.5

# Left, top, right, bottom in pixels of the frame, all even: colour is stored per two by two pixels.
Area = tuple[int, int, int, int]


def blank_frame(width: int = WIDTH, height: int = HEIGHT) -> Pixels:
    """The pixels of a frame without a page: shape (height, width, 4), RGBA."""
    return np.full((height, width, 4), SURROUND, np.uint8)


class FrameCanvas:
    """Draws a page into the pixels of a frame of any size, both sides even."""

    def __init__(self, page: DrawnPage, pixels: Pixels) -> None:
        self._page = page
        frame_height, frame_width = pixels.shape[:2]
        self._scale = min(frame_width / page.width, frame_height / page.height)
        width, height = _even(page.width * self._scale), _even(page.height * self._scale)
        self._left, self._top = (frame_width - width) // 4 * 2, (frame_height - height) // 4 * 2
        # The area of the page.
        self.whole: Area = (self._left, self._top, self._left + width, self._top + height)
        self._backdrop = backdrop_of(page)
        self._surface = skia.Surface(pixels, colorType=skia.kRGBA_8888_ColorType)

    def area(self, box: DirtyRect) -> Area | None:
        """The pixels that ink within a box of the page may affect; None when the box is outside the page."""
        left, top, right, bottom = self.whole
        area = (
            max(left, _floor(box.left * self._scale + self._left - _SOFT)),
            max(top, _floor(box.top * self._scale + self._top - _SOFT)),
            min(right, -_floor(-(box.right * self._scale + self._left + _SOFT))),
            min(bottom, -_floor(-(box.bottom * self._scale + self._top + _SOFT))),
        )
        return area if area[0] < area[2] and area[1] < area[3] else None

    def draw(self, shapes: Iterable[Shape], within: Area, *, over: bool) -> None:
        """Draw shapes within the area: over its present pixels when `over`, else over the page's background."""
        page_colour = self._page.background
        with self._surface as canvas:
            canvas.save()
            canvas.clipRect(skia.Rect(*within))
            canvas.translate(self._left, self._top)
            canvas.scale(self._scale, self._scale)
            if not over:
                # The page may end within a pixel, whose old value must not remain.
                canvas.drawColor(skia.Color(page_colour.red, page_colour.green, page_colour.blue))
                draw_background(canvas, self._page, self._backdrop)
            for shape in shapes:
                draw_shape(canvas, shape, self._backdrop)
            canvas.restore()


def _even(length: float) -> int:
    return max(2, round(length / 2) * 2)


def _floor(place: float) -> int:
    return math.floor(place / 2) * 2
