"""The storyboard of a replay, drawn from its strokes: no film is decoded."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from worker.canvases.board import DrawnPage
from worker.canvases.engine import skia
from worker.canvases.replay.frame_canvas import FrameCanvas, blank_frame
from worker.canvases.replay.i420 import Pixels
from worker.canvases.replay.partial import part_of
from worker.canvases.replay.timeline import ReplayTimeline, TimedStroke
from worker.media.pictures.storyboard import COLUMNS, Sheet, StoryboardPlan

_QUALITY = 60


def write_drawn_storyboard(timeline: ReplayTimeline, folder: Path, plan: StoryboardPlan) -> list[Sheet]:
    """Write the sheets of a replay into the folder: a tile at each interval, exactly as the board was then.

    Raises EngineMissing and BadImage.
    """
    times = range(0, max(1, timeline.duration_ms), plan.interval_ms)
    tiles = draw_tiles(timeline, times, plan.width, plan.height)
    sheets = []
    for number, first in enumerate(range(0, len(times), plan.tiles_per_sheet), start=1):
        shown = times[first : first + plan.tiles_per_sheet]
        pixels = blank_frame(COLUMNS * plan.width, plan.rows * plan.height)
        for place, (_, tile) in enumerate(zip(shown, tiles, strict=False)):
            row, column = divmod(place, COLUMNS)
            top, left = row * plan.height, column * plan.width
            pixels[top : top + plan.height, left : left + plan.width] = tile
        path = folder / f"drawn-{number}.jpg"
        path.write_bytes(_jpeg(pixels))
        sheets.append(Sheet(path, tuple(shown), pixels.shape[1], pixels.shape[0]))
    return sheets


def draw_tiles(timeline: ReplayTimeline, times: Iterable[int], width: int, height: int) -> Iterator[Pixels]:
    """Draw the board at these increasing times in this size (both sides even): RGBA, in memory that is reused."""
    pages: dict[int, _PageTile] = {}
    strokes: dict[int, list[TimedStroke]] = {}
    for stroke in timeline.strokes:
        strokes.setdefault(stroke.page, []).append(stroke)
    for at in times:
        index = timeline.page_at(at)
        if index not in pages:
            pages[index] = _PageTile(timeline.pages[index], strokes.get(index, []), width, height)
        yield pages[index].at(at)


class _PageTile:
    """A small picture of a page at increasing times; finished strokes are not drawn again."""

    def __init__(self, page: DrawnPage, strokes: list[TimedStroke], width: int, height: int) -> None:
        self._pixels, self._shown = blank_frame(width, height), blank_frame(width, height)
        self._canvas, self._above = FrameCanvas(page, self._pixels), FrameCanvas(page, self._shown)
        self._strokes = sorted(strokes, key=lambda stroke: stroke.place)
        self._finished: list[TimedStroke] = []
        self._canvas.draw((), self._canvas.whole, over=False)

    def at(self, at: int) -> Pixels:
        """The page at this time, which must not be earlier than before."""
        seen = [
            stroke
            for stroke in self._strokes
            if stroke.start < at and (stroke.removed_at is None or stroke.removed_at > at)
        ]
        self._finish([stroke for stroke in seen if stroke.end <= at])
        growing = [part_of(stroke.shape, stroke.shown_at(at)) for stroke in seen if at < stroke.end]
        if not growing:
            return self._pixels
        self._shown[:] = self._pixels
        self._above.draw([part for part in growing if part is not None], self._above.whole, over=True)
        return self._shown

    def _finish(self, finished: list[TimedStroke]) -> None:
        before = len(self._finished)
        if finished[:before] == self._finished:
            self._canvas.draw((stroke.shape for stroke in finished[before:]), self._canvas.whole, over=True)
        else:
            self._canvas.draw((stroke.shape for stroke in finished), self._canvas.whole, over=False)
        self._finished = finished


def _jpeg(pixels: Pixels) -> bytes:
    image: Any = skia.Image.fromarray(pixels, colorType=skia.kRGBA_8888_ColorType, copy=False)
    return bytes(image.encodeToData(skia.kJPEG, _QUALITY))
