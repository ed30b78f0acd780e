"""Lists: `{"items": […], "next": cursor or null}`, newest first, continued by an opaque cursor."""

import base64
import binascii
from collections.abc import Sequence
from typing import Annotated, Generic, TypeVar

from fastapi import Query
from pydantic import BaseModel, Field

from worker.api.fields import LARGEST_INTEGER, AsText, Words
from worker.errors import InvalidInput

Limit = Annotated[int, Field(ge=1, le=200), AsText, Query(description="How many items at most.")]
Cursor = Annotated[Words | None, Query(max_length=200, description="`next` of the page before.")]


Item = TypeVar("Item", bound=BaseModel)


class Page(BaseModel, Generic[Item]):
    """A page of a list; `next` is null on the last one."""

    items: list[Item]
    next: str | None


def position(cursor: str | None) -> int | None:
    """The id that a cursor of `cursor_after` holds; None for none. Raises InvalidInput."""
    if cursor is None:
        return None
    try:
        name, number = base64.urlsafe_b64decode(cursor.encode("ascii")).decode("ascii").split(" ")
        if name != "before" or not number.isdecimal() or not 0 < int(number[:20]) <= LARGEST_INTEGER:
            raise ValueError
        before = int(number)
        if _cursor_of(before) != cursor:
            raise ValueError
    except (ValueError, binascii.Error) as error:
        raise InvalidInput("The cursor is not one that a list has given; start without it.") from error
    return before


def cursor_after(ids: Sequence[int], limit: int) -> str | None:
    """The cursor behind the first `limit` of these ids, when more of them were found."""
    if len(ids) <= limit:
        return None
    return _cursor_of(ids[limit - 1])


def _cursor_of(before: int) -> str:
    return base64.urlsafe_b64encode(f"before {before}".encode()).decode()
