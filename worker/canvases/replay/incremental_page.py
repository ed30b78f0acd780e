"""One page of a board in motion: its picture at one moment after another, drawing only what has changed."""

from collections.abc import Iterable, Sequence

from worker.canvases.replay.dirty_rects import DirtyRect, box_between, box_of
from worker.canvases.replay.frame_canvas import HEIGHT, WIDTH, Area, FrameCanvas, blank_frame
from worker.canvases.replay.i420 import Picture
from worker.canvases.replay.partial import part_of
from worker.canvases.replay.timeline import TimedStroke
from worker.canvases.shapes import Figure
from worker.canvases.stored.pages import DrawnPage

# More places than people who draw at once are drawn as one.
_MOST_BOXES = 6


class IncrementalPage:
    """A page and its strokes, as pixels (RGBA) and as the picture of a film.

    Strokes that are whole are kept in pixels of their own, which are copied to where a growing one is redrawn. As
    long as the one that grows lies on top of them, that is all there is to do; else the place is drawn from its
    background up.
    """

    def __init__(self, page: DrawnPage, strokes: Iterable[TimedStroke]) -> None:
        self.picture = Picture(WIDTH, HEIGHT)
        self.pixels, self._whole_pixels = blank_frame(), blank_frame()
        self._shown, self._settled = FrameCanvas(page, self.pixels), FrameCanvas(page, self._whole_pixels)
        # By their start: those before `_next` have begun.
        self._strokes = sorted(strokes, key=lambda one: one.start)
        self._next = 0
        # Strokes that have begun, and how much of each is shown.
        self._growing: dict[TimedStroke, float] = {}
        # In drawing order.
        self._whole: list[TimedStroke] = []
        self._boxes: dict[TimedStroke, DirtyRect] = {}
        for easel in (self._shown, self._settled):
            easel.draw((), easel.whole, over=False)
        self.picture.update(self.pixels, 0, 0, WIDTH, HEIGHT)

    def advance(self, at: int) -> bool:
        """Go on to this moment, never back; whether anything changed."""
        gone = self._remove(at)
        self._begin(at)
        changed = gone + self._grow(at)
        finished = sorted((one for one in self._growing if at >= one.end), key=lambda one: one.place)
        for box in _few(gone + self._settle(finished)):
            area = self._settled.area(box)
            if area is not None:
                self._settled.draw(self._parts(self._seen(self._whole, area)), area, over=False)
        for box in _few(changed):
            area = self._shown.area(box)
            if area is not None:
                self._show(area)
        return bool(changed)

    def _remove(self, at: int) -> list[DirtyRect]:
        """Take away what is gone by now; where it was."""
        gone = {one for one in (*self._whole, *self._growing) if one.gone is not None and one.gone <= at}
        if gone:
            self._whole = [one for one in self._whole if one not in gone]
            for one in gone:
                self._growing.pop(one, None)
        return [self._boxes.pop(one) for one in gone]

    def _begin(self, at: int) -> None:
        while self._next < len(self._strokes) and self._strokes[self._next].start <= at:
            one = self._strokes[self._next]
            self._next += 1
            if one.gone is None or one.gone > at:
                self._growing[one] = 0.0
                self._boxes[one] = box_of(one.figure)

    def _grow(self, at: int) -> list[DirtyRect]:
        """Let everything that has begun grow; where that shows."""
        changed: list[DirtyRect] = []
        for one, before in self._growing.items():
            after = one.shown_at(at)
            if after > before:
                changed.append(box_between(one.figure, before, after))
                self._growing[one] = after
        return changed

    def _settle(self, finished: Sequence[TimedStroke]) -> list[DirtyRect]:
        """Put these among the whole strokes; where that is more than drawing them on top."""
        if not finished:
            return []
        for one in finished:
            del self._growing[one]
        if not self._whole or self._whole[-1].place < finished[0].place:
            self._whole += finished
            self._settled.draw([one.figure for one in finished], self._settled.whole, over=True)
            return []
        self._whole = sorted([*self._whole, *finished], key=lambda one: one.place)
        return [self._boxes[one] for one in finished]

    def _show(self, area: Area) -> None:
        growing = sorted(self._growing, key=lambda one: one.place)
        if not growing or not self._whole or self._whole[-1].place < growing[0].place:
            left, top, right, bottom = area
            self.pixels[top:bottom, left:right] = self._whole_pixels[top:bottom, left:right]
            self._shown.draw(self._parts(growing), area, over=True)
        else:
            strokes = sorted([*self._whole, *growing], key=lambda one: one.place)
            self._shown.draw(self._parts(self._seen(strokes, area)), area, over=False)
        self.picture.update(self.pixels, *area)

    def _seen(self, strokes: Iterable[TimedStroke], area: Area) -> list[TimedStroke]:
        areas = ((one, self._shown.area(self._boxes[one])) for one in strokes)
        return [one for one, found in areas if found is not None and _meet(found, area)]

    def _parts(self, strokes: Iterable[TimedStroke]) -> list[Figure]:
        parts = (part_of(one.figure, self._growing.get(one, 1.0)) for one in strokes)
        return [part for part in parts if part is not None]


def _meet(one: Area, other: Area) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _few(boxes: list[DirtyRect]) -> list[DirtyRect]:
    """The boxes, or the one around all of them when they are many."""
    if len(boxes) <= _MOST_BOXES:
        return boxes
    whole = boxes[0]
    for box in boxes[1:]:
        whole = whole.joined(box)
    return [whole]
