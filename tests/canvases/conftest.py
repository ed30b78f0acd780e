"""Pictures of boards, and how alike two of them are."""

import base64
import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from worker.canvases.drawing.raster import write_png
from worker.canvases.drawing.svg import write_svg
from worker.canvases.engine import skia
from worker.canvases.stored.pages import read_page

Pixels = NDArray[np.float64]
Bytes = NDArray[np.uint8]


def _decode(picture: bytes) -> Bytes:
    image = skia.Image.MakeFromEncoded(skia.Data.MakeWithCopy(picture))
    rgb: Bytes = image.toarray(colorType=skia.kRGBA_8888_ColorType)[:, :, :3]
    return rgb


def _differ(ours: Bytes, theirs: Bytes, by: int) -> NDArray[np.bool_]:
    """Of each pixel, whether a colour differs by more; without floating point, which takes ten times as long."""
    differing = np.abs(ours.astype(np.int16) - theirs) > by
    return np.asarray(differing[:, :, 0] | differing[:, :, 1] | differing[:, :, 2])


def _blur(values: Pixels) -> Pixels:
    """A Gaussian window of 11 by 11 with a deviation of 1.5, only where it fits."""
    weights = np.exp(-(np.arange(-5, 6) ** 2) / (2 * 1.5**2))
    weights /= weights.sum()
    across = np.lib.stride_tricks.sliding_window_view(values, 11, 0) @ weights
    return np.lib.stride_tricks.sliding_window_view(across, 11, 1) @ weights


def _structural_similarity(ours: Pixels, theirs: Pixels) -> float:
    """Wang, Bovik, Sheikh and Simoncelli, 2004, of the luma: as scikit-image with `gaussian_weights=True, sigma=1.5,
    use_sample_covariance=False, data_range=255`."""
    a, b = (picture @ (0.299, 0.587, 0.114) for picture in (ours, theirs))
    mean_a, mean_b = _blur(a), _blur(b)
    variance_a, variance_b = _blur(a * a) - mean_a**2, _blur(b * b) - mean_b**2
    covariance = _blur(a * b) - mean_a * mean_b
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    similarity = ((2 * mean_a * mean_b + c1) * (2 * covariance + c2)) / (
        (mean_a**2 + mean_b**2 + c1) * (variance_a + variance_b + c2)
    )
    return float(similarity.mean())


def _where_ink_is(ours: Bytes, theirs: Bytes) -> tuple[slice, slice]:
    """The bounding box of all that is not paper in either picture, and eight pixels around it."""
    paper = theirs[-1, -1]
    ink = _differ(ours, paper, 8) | _differ(theirs, paper, 8)
    rows, columns = np.nonzero(ink.any(axis=1))[0], np.nonzero(ink.any(axis=0))[0]
    assert len(rows), "both pictures are empty"
    return slice(max(0, rows[0] - 8), rows[-1] + 9), slice(max(0, columns[0] - 8), columns[-1] + 9)


@pytest.fixture(scope="session")
def likeness() -> Callable[..., tuple[float, float]]:
    """Structural similarity of two pictures' bytes, and the share of pixels that differ by more than 32 of 255."""

    def compare(ours: bytes, theirs: bytes, *, ink_only: bool = False) -> tuple[float, float]:
        a, b = _decode(ours), _decode(theirs)
        assert a.shape == b.shape
        if ink_only:
            part = _where_ink_is(a, b)
            a, b = a[part], b[part]
        share = float(_differ(a, b, 32).mean())
        return _structural_similarity(a.astype(np.float64), b.astype(np.float64)), share

    return compare


@pytest.fixture(scope="session")
def pixels() -> Callable[[bytes], Pixels]:
    """A picture's bytes as red, green and blue: shape (height, width, 3)."""
    return lambda picture: _decode(picture).astype(np.float64)


@pytest.fixture(scope="session")
def rendered() -> Callable[..., bytes]:
    """The PNG of a page document; it may name its `scale`, and its `image` by path."""

    def render(document: Mapping[str, Any]) -> bytes:
        out = io.BytesIO()
        image: Path | None = document.get("image")
        write_png(read_page(document, image=image), out, document.get("scale", 1))
        return out.getvalue()

    return render


@pytest.fixture(scope="session")
def as_svg() -> Callable[..., str]:
    """The SVG of a page document, as a data: URL."""

    def render(document: Mapping[str, Any]) -> str:
        out = io.BytesIO()
        write_svg(read_page(document, image=document.get("image")), out)
        return "data:image/svg+xml;base64," + base64.b64encode(out.getvalue()).decode()

    return render


@pytest.fixture
def photograph(tmp_path: Path) -> Path:
    """A picture of soft and sharp shades, wider than a page: 1500 by 600 pixels."""
    x, y = np.meshgrid(np.linspace(0, 1, 1500), np.linspace(0, 1, 600))
    waves = 0.5 + 0.5 * np.sin(40 * x * y + 6 * x)
    shades = np.stack([255 * x, 255 * waves, 255 * (1 - y), np.full_like(x, 255)], axis=2).astype(np.uint8)
    shades[200:400:6, 600:900, :3] = (15, 23, 42)
    shades[200:400, 600:900:9, :3] = (250, 250, 240)
    path = tmp_path / "photograph.png"
    image = skia.Image.fromarray(np.ascontiguousarray(shades), colorType=skia.kRGBA_8888_ColorType)
    path.write_bytes(bytes(image.encodeToData()))
    return path
