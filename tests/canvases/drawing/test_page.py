"""A long line is drawn in pieces, which look like the whole."""

import math

import numpy as np
import pytest

from worker.canvases.drawing.page import LONGEST_PIECE, backdrop_of, draw_background, draw_shape
from worker.canvases.engine import skia
from worker.canvases.stored.pages import read_page

pytestmark = pytest.mark.drawing


def _pixels(colour: str, longest_piece: int = LONGEST_PIECE) -> np.ndarray:
    points = [[600 + 0.15 * n * math.cos(n / 40), 400 + 0.1 * n * math.sin(n / 40)] for n in range(2500)]
    data = {"points": points, "color": colour, "width": 6}
    page = read_page({"strokes": [{"stroke_type": "pen", "stroke_data": data}]})
    surface = skia.Surface(page.width, page.height)
    backdrop = backdrop_of(page)
    with surface as canvas:
        draw_background(canvas, page, backdrop)
        for shape in page.shapes:
            draw_shape(canvas, shape, backdrop, longest_piece=longest_piece)
    rgba: np.ndarray = surface.makeImageSnapshot().toarray(colorType=skia.kRGBA_8888_ColorType)
    return rgba[:, :, :3].astype(np.int16)


@pytest.mark.parametrize("colour", ["#1d4ed8", "rgb(29 78 216 / 0.5)"])
def test_pieces_look_like_the_whole(colour: str) -> None:
    in_pieces, whole = _pixels(colour), _pixels(colour, longest_piece=10**6)
    assert (whole != 255).any()
    # Where two pieces meet, the soft edge of one lies on the other.
    assert (np.abs(in_pieces - whole).max(axis=2) > 60).sum() <= 20
