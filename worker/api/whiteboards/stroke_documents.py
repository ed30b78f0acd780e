"""Strokes as clients send them, and as pages and boards return them."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, ValidatorFunctionWrapHandler, WrapValidator

from worker.api.http.fields import Body, DeviceInstant, Document
from worker.whiteboards.stroke_validation import MAX_STROKES

StrokeType = Literal["pen", "eraser", "line", "rectangle", "circle", "triangle", "arrow", "text"]
# Safe in a path: a UUID, a nanoid.
ClientId = Annotated[str, Field(pattern="^[A-Za-z0-9._~-]{1,64}$")]
_LONGEST_CLIENT_ID = 64


class StrokeBody(Body):
    """A stroke as the board's client or another drawing library writes it, with the times of pen down and pen up."""

    client_id: ClientId
    stroke_type: StrokeType
    stroke_data: dict[str, Any]
    started_at: DeviceInstant | None = None
    ended_at: DeviceInstant | None = None


@dataclass(frozen=True)
class MalformedStroke:
    """Takes the place of a stroke with invalid fields, so that the other strokes are still accepted."""

    client_id: str | None
    reason: str

    @classmethod
    def unless_valid(cls, value: object, handler: ValidatorFunctionWrapHandler) -> object:
        """The valid stroke, or a MalformedStroke with the reason."""
        try:
            return handler(value)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False, include_context=False)[0]
            client_id = value.get("client_id") if isinstance(value, dict) else None
            place = ".".join(str(part)[:_LONGEST_CLIENT_ID] for part in first["loc"])
            return cls(
                client_id[:_LONGEST_CLIENT_ID] if isinstance(client_id, str) else None,
                f"{place or 'stroke'}: {first['msg']}.",
            )


class StrokesBody(Body):
    """Strokes in the order in which they were drawn. Each is accepted or refused separately."""

    strokes: Annotated[
        list[Annotated[StrokeBody, WrapValidator(MalformedStroke.unless_valid)]],
        Field(min_length=1, max_length=MAX_STROKES, fail_fast=True),
    ]


class PlacedStrokeDocument(Document):
    """Where a stroke is on its page."""

    client_id: str
    id: int
    stroke_order: int


class RefusedStroke(Document):
    """A stroke that was not stored: its place in the request, counted from 0, and why. Do not send it again."""

    index: int
    client_id: str | None
    reason: str


class PlacedStrokes(Document):
    """The strokes of the request that are on the page, each once, in the request's order, and the refused ones."""

    strokes: list[PlacedStrokeDocument]
    refused: list[RefusedStroke]


class Cleared(Document):
    """How many strokes were marked deleted."""

    cleared: int


class BoardStroke(Document):
    """A stroke to draw."""

    stroke_type: str
    stroke_order: int
    stroke_data: dict[str, Any]


class BoardPage(Document):
    """A page to draw, its strokes in drawing order."""

    page_id: int
    page_number: int
    page_title: str | None
    background_color: str
    background_image: str | None = None
    strokes: list[BoardStroke]


class Board(Document):
    """The board of a session, or the requested part of it; `next` is null when nothing follows."""

    pages: list[BoardPage]
    next: str | None
