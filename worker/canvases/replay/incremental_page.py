"""Renders one page of a replay at increasing times, redrawing only what has changed."""

from collections.abc import Iterable, Sequence

from worker.canvases.board import DrawnPage
from worker.canvases.replay.dirty_rects import DirtyRect, box_between, box_of
from worker.canvases.replay.frame_canvas import HEIGHT, WIDTH, Area, FrameCanvas, blank_frame
from worker.canvases.replay.i420 import Picture
from worker.canvases.replay.partial import part_of
from worker.canvases.replay.timeline import TimedStroke
from worker.canvases.shapes import Shape

# More boxes than this (people drawing at the same time) are merged into one.
_MAX_BOXES = 6


class IncrementalPage:
    """A page and its strokes, as pixels (RGBA) and as the planes of a film.

    Finished strokes are kept in a separate buffer. Where a growing stroke changes, that buffer is copied and the stroke
    drawn over it, if it is above all finished ones; otherwise the area is redrawn from the background.
    """

    def __init__(self, page: DrawnPage, strokes: Iterable[TimedStroke]) -> None:
        self.picture = Picture(WIDTH, HEIGHT)
        self.pixels, self._whole_pixels = blank_frame(), blank_frame()
        self._shown, self._settled = FrameCanvas(page, self.pixels), FrameCanvas(page, self._whole_pixels)
        # Ordered by start; those before the index `_next` have begun.
        self._strokes = sorted(strokes, key=lambda stroke: stroke.start)
        self._next = 0
        # Strokes that have begun, and the fraction of each that is shown.
        self._growing: dict[TimedStroke, float] = {}
        # In drawing order.
        self._whole: list[TimedStroke] = []
        self._boxes: dict[TimedStroke, DirtyRect] = {}
        for canvas in (self._shown, self._settled):
            canvas.draw((), canvas.whole, over=False)
        self.picture.update(self.pixels, 0, 0, WIDTH, HEIGHT)

    def advance(self, at: int) -> bool:
        """Advance to this time, which must not be earlier than before. Returns whether anything changed."""
        removed = self._remove(at)
        self._begin(at)
        changed = removed + self._grow(at)
        finished = sorted((stroke for stroke in self._growing if at >= stroke.end), key=lambda stroke: stroke.place)
        for box in _few(removed + self._settle(finished)):
            area = self._settled.area(box)
            if area is not None:
                self._settled.draw(self._parts(self._touching(self._whole, area)), area, over=False)
        for box in _few(changed):
            area = self._shown.area(box)
            if area is not None:
                self._show(area)
        return bool(changed)

    def _remove(self, at: int) -> list[DirtyRect]:
        """Remove the strokes deleted by this time. Returns their boxes."""
        removed = {
            stroke
            for stroke in (*self._whole, *self._growing)
            if stroke.removed_at is not None and stroke.removed_at <= at
        }
        if removed:
            self._whole = [stroke for stroke in self._whole if stroke not in removed]
            for stroke in removed:
                self._growing.pop(stroke, None)
        return [self._boxes.pop(stroke) for stroke in removed]

    def _begin(self, at: int) -> None:
        while self._next < len(self._strokes) and self._strokes[self._next].start <= at:
            stroke = self._strokes[self._next]
            self._next += 1
            if stroke.removed_at is None or stroke.removed_at > at:
                self._growing[stroke] = 0.0
                self._boxes[stroke] = box_of(stroke.shape)

    def _grow(self, at: int) -> list[DirtyRect]:
        """Grow all strokes that have begun. Returns the boxes that changed."""
        changed: list[DirtyRect] = []
        for stroke, before in self._growing.items():
            after = stroke.shown_at(at)
            if after > before:
                changed.append(box_between(stroke.shape, before, after))
                self._growing[stroke] = after
        return changed

    def _settle(self, finished: Sequence[TimedStroke]) -> list[DirtyRect]:
        """Add these to the finished strokes. Returns the boxes to redraw when they cannot just be drawn on top."""
        if not finished:
            return []
        for stroke in finished:
            del self._growing[stroke]
        if not self._whole or self._whole[-1].place < finished[0].place:
            self._whole += finished
            self._settled.draw([stroke.shape for stroke in finished], self._settled.whole, over=True)
            return []
        self._whole = sorted([*self._whole, *finished], key=lambda stroke: stroke.place)
        return [self._boxes[stroke] for stroke in finished]

    def _show(self, area: Area) -> None:
        growing = sorted(self._growing, key=lambda stroke: stroke.place)
        if not growing or not self._whole or self._whole[-1].place < growing[0].place:
            left, top, right, bottom = area
            self.pixels[top:bottom, left:right] = self._whole_pixels[top:bottom, left:right]
            self._shown.draw(self._parts(growing), area, over=True)
        else:
            strokes = sorted([*self._whole, *growing], key=lambda stroke: stroke.place)
            self._shown.draw(self._parts(self._touching(strokes, area)), area, over=False)
        self.picture.update(self.pixels, *area)

    def _touching(self, strokes: Iterable[TimedStroke], area: Area) -> list[TimedStroke]:
        areas = ((stroke, self._shown.area(self._boxes[stroke])) for stroke in strokes)
        return [stroke for stroke, stroke_area in areas if stroke_area is not None and _overlap(stroke_area, area)]

    def _parts(self, strokes: Iterable[TimedStroke]) -> list[Shape]:
        parts = (part_of(stroke.shape, self._growing.get(stroke, 1.0)) for stroke in strokes)
        return [part for part in parts if part is not None]


def _overlap(first: Area, second: Area) -> bool:
    return first[0] < second[2] and second[0] < first[2] and first[1] < second[3] and second[1] < first[3]


def _few(boxes: list[DirtyRect]) -> list[DirtyRect]:
    """The boxes, or a single box around all of them when there are too many."""
    if len(boxes) <= _MAX_BOXES:
        return boxes
    whole = boxes[0]
    for box in boxes[1:]:
        whole = whole.union(box)
    return [whole]
