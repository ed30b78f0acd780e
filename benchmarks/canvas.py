"""How many pages of a board are drawn per second, beside other renderers of the same picture."""

import gc
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.browser import Browser, running_browser
from benchmarks.harness.figure import Figure, Limit, Reading, median
from benchmarks.harness.scale import Scale
from benchmarks.material.boards import stored_bytes
from benchmarks.peers.canvas_peers import (
    FINENESS,
    Render,
    cairo_is_there,
    cairosvg_pdf,
    cairosvg_png,
    pillow_png,
    resvg_png,
)
from benchmarks.peers.ssim import similarity
from worker.canvases.board import DrawnPage
from worker.canvases.drawing.pdf import write_pdf
from worker.canvases.drawing.raster import write_png
from worker.canvases.stored.json_text import parse_json
from worker.canvases.stored.pages import read_page

# Strokes and points.
_PAGES = {"typical": (300, 9_000), "heavy": (5_000, 150_000)}
_THREEFOLD, _AS_FAST = Limit("ratio", "≥", 3.0), Limit("ratio", "≥", 1.0)
# Less similarity means another picture: antialiased edges differ between engines, everything else does not.
_ALIKE = 0.95

_HOW = (
    (
        "Ours starts from the stored JSON text: it parses it, checks every stroke, turns gestures into shapes, and "
        "draws these. The peers start from shapes prepared in advance: an SVG with letters as outlines (CairoSVG, "
        "resvg), lists of points in its own pixels (Pillow), objects in an open page (Chromium). Only the rows "
        "`from the stored JSON` include the time to make CairoSVG's SVG."
    ),
    (
        f"Pillow does not antialias: it draws {FINENESS} times as large, lines with round joints and a disc at both "
        "ends, and scales the picture down."
    ),
    "Our PDF has selectable text with its fonts, and bookmarks; CairoSVG's has outlines.",
)

# Draws once: seconds, and the file.
Turn = Callable[[], tuple[float, bytes]]


@dataclass
class _Renderer:
    """A renderer; `rates` are its pages per second in each round."""

    name: str
    turn: Turn
    limit: Limit | None = None
    rates: list[float] = field(default_factory=list)
    file: bytes = b""

    def take_turn(self) -> None:
        seconds, self.file = self.turn()
        self.rates.append(1 / seconds)


def measure_canvas(scale: Scale) -> Figure:
    """Measure both pages as PNG and as PDF; the renderers take turns."""
    figure = Figure("Boards: pages drawn in a second, 1200x800, from stored strokes to the finished file")
    if not cairo_is_there():
        figure.notes.append("NOT COMPARED with CairoSVG: libcairo2 is not installed (apt-get install libcairo2).")
    with running_browser() as browser:
        if browser is None:
            figure.notes.append("NOT COMPARED with Chromium: it is not installed (apt-get install chromium).")
        for name, (strokes, points) in _PAGES.items():
            what = f"{name} page ({strokes:,} strokes, {points:,} points)"
            _measure(figure, what, stored_bytes(strokes, points), browser, scale.canvas_repeats)
    figure.notes += _HOW
    return figure


def _measure(figure: Figure, what: str, stored: bytes, browser: Browser | None, repeats: int) -> None:
    page = read_page(parse_json(stored))
    if page.skipped:
        raise RuntimeError(f"not all of the page is drawn: {page.skipped[:3]}")
    pictures, documents = _png_peers(page, stored, browser), _pdf_peers(page, stored)
    _run(figure, f"{what}, PNG", _Renderer("", _timed(lambda: _our_png(stored))), pictures, repeats)
    _run(figure, f"{what}, PDF", _Renderer("", _timed(lambda: _our_pdf(stored))), documents, repeats)


def _png_peers(page: DrawnPage, stored: bytes, browser: Browser | None) -> list[_Renderer]:
    peers = [
        _Renderer("resvg", _timed(resvg_png(page)), _AS_FAST),
        _Renderer(f"Pillow, {FINENESS} times as large", _timed(pillow_png(page)), _THREEFOLD),
    ]
    if cairo_is_there():
        peers += [
            _Renderer("CairoSVG", _timed(cairosvg_png(page)), _THREEFOLD),
            _Renderer("CairoSVG, from the stored JSON", _timed(_from_stored(cairosvg_png, stored))),
        ]
    if browser is not None:
        browser.prepare(page)
        peers.append(_Renderer("Chromium, page open: draw and `toBlob`", browser.draw))
    return peers


def _pdf_peers(page: DrawnPage, stored: bytes) -> list[_Renderer]:
    if not cairo_is_there():
        return []
    return [
        _Renderer("CairoSVG", _timed(cairosvg_pdf(page)), _THREEFOLD),
        _Renderer("CairoSVG, from the stored JSON", _timed(_from_stored(cairosvg_pdf, stored))),
    ]


def _run(figure: Figure, what: str, ours: _Renderer, peers: list[_Renderer], repeats: int) -> None:
    everybody = [ours, *peers]
    for contender in everybody:  # fonts are loaded, caches are warm; not counted
        contender.take_turn()
        contender.rates.clear()
    gc.collect()
    gc.freeze()  # the peers' prepared objects stay out of garbage collection
    for _repeat in range(repeats):
        for contender in everybody:
            contender.take_turn()
    gc.unfreeze()
    figure.readings += [Reading.of(what, ours.rates, "/s", peer.rates, peer.name, peer.limit) for peer in peers]
    sizes = [f"ours {len(ours.file) / 1e3:.0f} kB"]
    for peer in peers:
        size = f"{peer.name} {len(peer.file) / 1e3:.0f} kB"
        sizes.append(size if what.endswith("PDF") else f"{size} ({_alike(ours, peer):.3f})")
    if not peers:
        figure.readings.append(Reading(what, median(ours.rates), "/s", (min(ours.rates), max(ours.rates))))
    likeness = "" if what.endswith("PDF") else ", and how like ours it looks (structural similarity)"
    figure.notes.append(f"{what}: size of the file{likeness}: {', '.join(sizes)}.")


def _alike(ours: _Renderer, peer: _Renderer) -> float:
    likeness = similarity(ours.file, peer.file)
    if likeness < _ALIKE:
        raise RuntimeError(f"{peer.name} draws another picture: similarity {likeness:.3f}")
    return likeness


def _timed(render: Render) -> Turn:
    def turn() -> tuple[float, bytes]:
        began = time.perf_counter()
        file = render()
        return time.perf_counter() - began, file

    return turn


def _from_stored(prepare: Callable[[DrawnPage], Render], stored: bytes) -> Render:
    """Including the time to build the peer's own input."""

    def render() -> bytes:
        return prepare(_read(stored))()

    return render


def _read(stored: bytes) -> DrawnPage:
    return read_page(parse_json(stored))


def _our_png(stored: bytes) -> bytes:
    out = BytesIO()
    write_png(_read(stored), out)
    return out.getvalue()


def _our_pdf(stored: bytes) -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "figures.pdf"
        write_pdf([_read(stored)], path, "Figures")
        return path.read_bytes()
