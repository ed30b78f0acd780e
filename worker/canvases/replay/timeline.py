"""The timeline of a replay: which strokes are visible at which time.

Times are whole milliseconds from the beginning of the replay.
"""

import bisect
from dataclasses import dataclass
from datetime import datetime

from worker.canvases.board import DrawnPage
from worker.canvases.replay.partial import part_of
from worker.canvases.shapes import Shape
from worker.media.films.mix import SoundPiece
from worker.media.probing.recorded_time import RecordedStretch


@dataclass(frozen=True, slots=True)
class PageShown:
    """Somebody turned to a page, named by its index among the board's pages."""

    at: datetime
    page: int


@dataclass(frozen=True, slots=True, eq=False)
class TimedStroke:
    """A shape, with the index of its page and its place in that page's drawing order.

    It grows from `start` to `end` and is removed at `removed_at`, if ever.
    """

    page: int
    place: int
    shape: Shape
    start: int
    end: int
    removed_at: int | None

    def shown_at(self, at: int) -> float:
        """The visible fraction of the shape, 0 to 1."""
        if self.removed_at is not None and self.removed_at <= at:
            return 0.0
        if at >= self.end:
            return 1.0
        return (at - self.start) / (self.end - self.start) if at > self.start else 0.0


@dataclass(frozen=True, slots=True)
class Turn:
    """From this time on this page is shown."""

    at: int
    page: int


@dataclass(frozen=True, slots=True)
class RecordedVoice:
    """A recording of sound alone, and when it was recorded: at least one stretch, in order."""

    recording_id: int
    stretches: tuple[RecordedStretch, ...]


@dataclass(frozen=True, slots=True)
class PlacedVoice:
    """A voice of the replay: which piece of its recording is heard when."""

    recording_id: int
    pieces: tuple[SoundPiece, ...]


@dataclass(frozen=True, slots=True)
class ReplayTimeline:
    """A replay: strokes ordered by start, turns in order (the first at 0). `started_at` is the date of 0, if known."""

    title: str
    pages: tuple[DrawnPage, ...]
    strokes: tuple[TimedStroke, ...]
    turns: tuple[Turn, ...]
    duration_ms: int
    started_at: datetime | None
    voices: tuple[PlacedVoice, ...] = ()

    def page_at(self, at: int) -> int:
        """The index of the page that is shown at this time."""
        return self.turns[max(0, bisect.bisect_right(self.turns, at, key=lambda turn: turn.at) - 1)].page

    def shapes_at(self, at: int, page: int) -> list[Shape]:
        """The shapes visible on a page at this time, in drawing order."""
        strokes = sorted((stroke for stroke in self.strokes if stroke.page == page), key=lambda stroke: stroke.place)
        parts = (part_of(stroke.shape, stroke.shown_at(at)) for stroke in strokes)
        return [part for part in parts if part is not None]
