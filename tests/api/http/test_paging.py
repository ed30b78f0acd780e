"""Cursors: each list accepts its own and refuses any other text."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.api.http.paging import BY_CREATION, BY_ID, BY_STROKE, BY_TIME, CursorCodec
from worker.errors import InvalidInput
from worker.whiteboards.board_stream import BoardPosition

CODECS: list[CursorCodec[Any]] = [BY_ID, BY_TIME, BY_CREATION, BY_STROKE]
IDS = st.integers(1, 2**31 - 1)
NUMBERS = st.integers(-(2**31), 2**31 - 1)
INSTANTS = st.datetimes(timezones=st.just(UTC))


@given(IDS)
def test_a_row(row_id: int) -> None:
    assert BY_ID.decode(BY_ID.encode(row_id)) == row_id


@given(st.tuples(st.none() | INSTANTS, IDS))
def test_a_time(position: tuple[datetime | None, int]) -> None:
    assert BY_TIME.decode(BY_TIME.encode(position)) == position


@given(st.tuples(INSTANTS, st.uuids()))
def test_a_job(position: tuple[datetime, UUID]) -> None:
    assert BY_CREATION.decode(BY_CREATION.encode(position)) == position


@given(st.builds(BoardPosition, NUMBERS, NUMBERS, NUMBERS))
def test_a_stroke(place: BoardPosition) -> None:
    assert BY_STROKE.decode(BY_STROKE.encode(place)) == place


def test_a_time_of_another_zone_is_the_same_cursor() -> None:
    at = datetime(2026, 1, 5, 14, tzinfo=UTC)
    assert BY_TIME.encode((at, 3)) == BY_TIME.encode((at.astimezone(timezone(timedelta(hours=3))), 3))


def test_no_cursor_is_the_start_and_the_last_page_has_none() -> None:
    assert BY_ID.decode(None) is None
    assert BY_ID.after([9, 8, 7], 3) is None
    assert BY_ID.after([9, 8, 7, 6], 3) == BY_ID.encode(7)


@pytest.mark.parametrize(
    "cursor", ["", "x", "é", "A" * 200, "MjAyNi0wMS0wMSB4", "bm93IGhlcmU=", "\x00", "YmVmb3JlIDA=", "YmVmb3JlICs1"]
)
@pytest.mark.parametrize("codec", CODECS)
def test_any_other_text_is_refused(codec: CursorCodec[Any], cursor: str) -> None:
    with pytest.raises(InvalidInput, match="not one that this list has given"):
        codec.decode(cursor)


def test_a_cursor_of_another_list_is_refused() -> None:
    cursors = [
        BY_ID.encode(5),
        BY_TIME.encode((None, 5)),
        BY_CREATION.encode((datetime(2026, 1, 5, tzinfo=UTC), UUID(int=5))),
        BY_STROKE.encode(BoardPosition(1, 2, 3)),
    ]
    for codec, own in zip(CODECS, cursors, strict=True):
        for cursor in cursors:
            if cursor != own:
                with pytest.raises(InvalidInput):
                    codec.decode(cursor)
