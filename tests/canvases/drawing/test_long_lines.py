"""A long line is drawn in pieces, which look like the whole."""

import io
import math

import numpy as np
import pytest
from PIL import Image

from worker.canvases.drawing import page as drawing
from worker.canvases.drawing.raster import write_png
from worker.canvases.stored.pages import read_page

pytestmark = pytest.mark.drawing


def _pixels(colour: str) -> np.ndarray:
    points = [[600 + 0.15 * n * math.cos(n / 40), 400 + 0.1 * n * math.sin(n / 40)] for n in range(2500)]
    data = {"points": points, "color": colour, "width": 6}
    out = io.BytesIO()
    write_png(read_page({"strokes": [{"stroke_type": "pen", "stroke_data": data}]}), out, scale=1)
    return np.asarray(Image.open(out).convert("RGB"), dtype=np.int16)


@pytest.mark.parametrize("colour", ["#1d4ed8", "rgb(29 78 216 / 0.5)"])
def test_pieces_look_like_the_whole(colour: str, monkeypatch: pytest.MonkeyPatch) -> None:
    in_pieces = _pixels(colour)
    monkeypatch.setattr(drawing, "_LONGEST_PIECE", 10**6)
    whole = _pixels(colour)
    assert (whole != 255).any()
    # Where two pieces meet, the soft edge of one lies on the other.
    assert (np.abs(in_pieces - whole).max(axis=2) > 60).sum() <= 20
