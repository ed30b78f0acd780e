"""Tickets of streams."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.access.callers import Caller, Operator, UserCaller
from worker.access.issue_token import issue_token
from worker.access.tickets import TICKET_LIFETIME, issue_ticket, read_ticket
from worker.access.tokens import read_token
from worker.errors import Unauthorized

KEY, PATH = "k" * 32, "/v1/jobs/1/events"
LATER = int((datetime.now(UTC) + timedelta(days=1)).timestamp())
CALLERS: list[Caller] = [
    UserCaller(1, "tutor", 11, None, 33, LATER),
    UserCaller(2, None, None, None, None, LATER),
    Operator(7, frozenset({"manage-system-settings", "x"}), LATER),
]


@pytest.mark.parametrize("caller", CALLERS)
def test_a_ticket_gives_back_its_caller_with_the_end_of_their_token(caller: Caller) -> None:
    now = datetime.now(UTC)
    ticket, expires_at = issue_ticket(KEY, caller, PATH, now)
    read = read_ticket(ticket, KEY, PATH)
    assert (read, read.expires_at, type(read)) == (caller, LATER, type(caller))
    assert expires_at == now + TICKET_LIFETIME


def test_a_ticket_never_opens_after_the_token_expires() -> None:
    now = datetime.now(UTC)
    soon = int((now + timedelta(seconds=5)).timestamp())
    _ticket, expires_at = issue_ticket(KEY, UserCaller(1, expires_at=soon), PATH, now)
    assert expires_at.timestamp() == soon


@pytest.mark.parametrize(
    ("key", "path", "age"),
    [
        (KEY[:-1] + "x", PATH, timedelta(0)),
        (KEY, PATH + "/", timedelta(0)),
        (KEY, "/v1/jobs/2/events", timedelta(0)),
        (KEY, PATH, timedelta(minutes=2)),
    ],
    ids=["another key", "a longer path", "another stream", "expired"],
)
def test_a_ticket_opens_one_stream_for_a_minute(key: str, path: str, age: timedelta) -> None:
    ticket, _ = issue_ticket(KEY, CALLERS[0], PATH, datetime.now(UTC) - age)
    with pytest.raises(Unauthorized):
        read_ticket(ticket, key, path)


def test_a_ticket_is_no_token_and_a_token_no_ticket() -> None:
    ticket, _ = issue_ticket(KEY, CALLERS[0], PATH, datetime.now(UTC))
    with pytest.raises(Unauthorized):
        read_token(ticket, KEY, frozenset())
    with pytest.raises(Unauthorized):
        read_ticket(issue_token(KEY, sub=1), KEY, PATH)


@given(st.text(max_size=200))
def test_whatever_else_is_refused(raw: str) -> None:
    with pytest.raises(Unauthorized):
        read_ticket(raw, KEY, PATH)
