"""Lists: `{"items": […], "next": cursor or null}`, continued by an opaque cursor: base64url of the last position."""

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Generic, TypeVar
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, Field

from worker.api.http.fields import LARGEST_INTEGER, AsText, Words
from worker.errors import InvalidInput
from worker.whiteboards.board_stream import BoardPosition

Limit = Annotated[int, Field(ge=1, le=200), AsText, Query(description="How many items at most.")]
Cursor = Annotated[Words | None, Query(max_length=200, description="`next` of the page before.")]

_NO_INSTANT = "-"

Item = TypeVar("Item", bound=BaseModel)
Position = TypeVar("Position")


class Page(BaseModel, Generic[Item]):
    """A page of a list; `next` is null on the last page."""

    items: list[Item]
    next: str | None


@dataclass(frozen=True)
class CursorCodec(Generic[Position]):
    """Converts positions in an ordered list to cursors and back: `words` of a position, and `position` of words.

    `position` raises ValueError.
    """

    words: Callable[[Position], tuple[object, ...]]
    position: Callable[..., Position]

    def encode(self, position: Position | None) -> str | None:
        """The cursor of the page after this position; None for None."""
        if position is None:
            return None
        return base64.urlsafe_b64encode(" ".join(map(str, self.words(position))).encode()).decode()

    def decode(self, cursor: str | None) -> Position | None:
        """The position of a cursor that `encode` returned; None for None. Raises InvalidInput for any other."""
        if cursor is None:
            return None
        try:
            position = self.position(*base64.urlsafe_b64decode(cursor.encode("ascii")).decode("ascii").split(" "))
            if self.encode(position) != cursor:
                raise ValueError
        except (ValueError, TypeError, OverflowError, binascii.Error) as error:
            raise InvalidInput("The cursor is not one that this list has given; start without it.") from error
        return position

    def after(self, positions: Sequence[Position], limit: int) -> str | None:
        """The cursor after the first `limit` of these positions; None if there are no more."""
        return self.encode(positions[limit - 1]) if len(positions) > limit else None


def _row_id(text: str) -> int:
    number = int(text)
    if not 0 < number <= LARGEST_INTEGER:
        raise ValueError
    return number


def _time_position(_name: str, when: str, row_id: str) -> tuple[datetime | None, int]:
    starts_at = None if when == _NO_INSTANT else datetime.fromisoformat(when).astimezone(UTC)
    return starts_at, _row_id(row_id)


def _time_words(position: tuple[datetime | None, int]) -> tuple[object, ...]:
    starts_at, row_id = position
    return "after", _NO_INSTANT if starts_at is None else starts_at.astimezone(UTC).isoformat(), row_id


def _board_position(*words: str) -> BoardPosition:
    numbers = [int(word) for word in words]
    if not all(-(2**31) <= number < 2**31 for number in numbers):
        raise ValueError
    return BoardPosition(*numbers)


# Rows by descending id.
BY_ID = CursorCodec[int](lambda row_id: ("before", row_id), lambda _name, row_id: _row_id(row_id))
# Rows by time, those without a time last.
BY_TIME = CursorCodec[tuple[datetime | None, int]](_time_words, _time_position)
# Jobs, newest first.
BY_CREATION = CursorCodec[tuple[datetime, UUID]](
    lambda position: (position[0].isoformat(), position[1]),
    lambda created_at, row_id: (datetime.fromisoformat(created_at), UUID(row_id)),
)
# Strokes of a board, in drawing order.
BY_STROKE = CursorCodec[BoardPosition](lambda place: (place.page_number, place.stroke_order, place.id), _board_position)
