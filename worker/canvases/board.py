"""A board that can be drawn: its pages and their strokes, and the strokes that are not drawn."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from worker.canvases.shapes import Colour, Shape


@dataclass(frozen=True, slots=True)
class SkippedStroke:
    """A stroke that is not drawn, or not exactly as stored. `order` is its `stroke_order`, if it has one."""

    order: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class DrawnStroke:
    """A shape and its times; `deleted_at` is when it was undone or cleared."""

    shape: Shape
    order: int | None
    created_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    deleted_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class DrawnPage:
    """A page to draw: shapes in drawing order, sizes in CSS pixels. `image` is drawn behind the ink, scaled to fit."""

    number: int
    title: str
    width: int
    height: int
    background: Colour
    drawn: tuple[DrawnStroke, ...]
    skipped: tuple[SkippedStroke, ...] = ()
    page_id: int | None = None
    image: Path | None = None

    @property
    def shapes(self) -> Iterator[Shape]:
        """The shapes on the page now, without deleted ones, in drawing order."""
        return (drawn.shape for drawn in self.drawn if drawn.deleted_at is None)


@dataclass(frozen=True, slots=True)
class DrawnBoard:
    """The pages of one session."""

    title: str
    pages: tuple[DrawnPage, ...]
