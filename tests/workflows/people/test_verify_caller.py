"""Tokens of the platform's pages against a database of ours that has no people yet."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from psycopg import sql
from sqlalchemy import event

from tests.conftest import Platform, School
from worker import clock
from worker.access.callers import UserCaller
from worker.access.issue_token import issue_token
from worker.access.people import verify
from worker.access.tokens import read_token
from worker.database import Database
from worker.errors import AstegniError, Unauthorized, Unavailable
from worker.platform.connection import PlatformConnection
from worker.platform.people import PlatformPeople
from worker.workflows.people.verify_caller import verify_caller

_DATA = Path(__file__).parents[2] / "data" / "platform"
_TOKENS = json.loads((_DATA / "payloads.json").read_text())["tokens"]
_USERS = [token for token in _TOKENS if "sub" in token["claims"]]
SQL = Callable[..., list[Any]]


def _caller(claims: dict[str, Any]) -> UserCaller:
    ids = {role: int(value) for role, value in claims.get("role_ids", {}).items() if value and role != "advertiser"}
    caller = read_token(issue_token("k" * 32, sub=int(claims["sub"]), role_ids=ids), "k" * 32, frozenset())
    assert isinstance(caller, UserCaller)
    return caller


@pytest.fixture
def come_in(database: Database, platform_people: PlatformPeople) -> Callable[..., UserCaller]:
    def verified(caller: UserCaller, later: timedelta = timedelta(0)) -> UserCaller:
        return verify_caller(database, platform_people, caller, now=clock.now() + later)

    return verified


@pytest.mark.parametrize("token", _USERS, ids=lambda token: f"{token['claims']['sub']}-{token['expect'][:30]}")
def test_the_first_request_works(come_in: Callable[..., UserCaller], token: dict[str, Any]) -> None:
    caller = _caller(token["claims"])

    for _ in range(2):  # the first reads the platform, the second what was stored
        if token["expect"].startswith("401"):
            with pytest.raises(Unauthorized):
                come_in(caller)
        else:
            assert come_in(caller).user_id == caller.user_id


def test_an_account_whose_time_cannot_be_read(platform: Platform, come_in: Callable[..., UserCaller]) -> None:
    platform.owner.execute("UPDATE users SET created_at = 'infinity' WHERE id = 11")

    assert come_in(UserCaller(11, "tutor", 14)) == UserCaller(11, "tutor", 14)


def test_a_profile_that_was_given_up_is_not_there(come_in: Callable[..., UserCaller]) -> None:
    caller = UserCaller(13, "tutor", tutor_id=19, student_id=17, parent_id=11)

    assert come_in(caller) == UserCaller(13, "tutor", None, 17, 11)
    assert come_in(caller) == UserCaller(13, "tutor", None, 17, 11)


def test_known_people_cost_one_query_here_and_none_there(
    database: Database,
    come_in: Callable[..., UserCaller],
    platform_connection: PlatformConnection,
) -> None:
    caller = UserCaller(11, "tutor", 14, 21, 13)
    come_in(caller)
    # In autocommit mode a connection is taken for one statement.
    taken: list[object] = []
    event.listen(database.engine, "checkout", lambda connection, *_: taken.append(connection))
    platform_connection.close()

    assert come_in(caller) == caller
    assert len(taken) == 1


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE users SET is_suspended = true WHERE id = 11",
        "UPDATE users SET is_active = false WHERE id = 11",
        "UPDATE users SET account_status = 'deactivated' WHERE id = 11",
    ],
)
def test_who_is_shut_out_there_is_out_here_within_a_minute(
    platform: Platform,
    come_in: Callable[..., UserCaller],
    change: str,
) -> None:
    caller = UserCaller(11, "tutor", 14)
    come_in(caller)
    platform.owner.execute(change)

    with pytest.raises(Unauthorized):
        come_in(caller, timedelta(seconds=61))
    platform.owner.execute("UPDATE users SET is_suspended = false, is_active = true, account_status = 'active'")
    assert come_in(caller, timedelta(seconds=122)) == caller


def test_who_is_deleted_there_is_deactivated_here_and_kept(
    platform: Platform,
    database: Database,
    come_in: Callable[..., UserCaller],
    sql: SQL,
) -> None:
    caller = UserCaller(21, "student", student_id=13)
    come_in(caller)
    platform.owner.execute("UPDATE student_profiles SET user_id = NULL WHERE user_id = 21")
    platform.owner.execute("DELETE FROM requested_sessions WHERE requester_id = 21")
    platform.owner.execute("DELETE FROM users WHERE id = 21")

    with pytest.raises(Unauthorized):
        come_in(caller, timedelta(seconds=61))
    assert sql("SELECT first_name, is_active FROM users WHERE id = 21") == [("Nardos", False)]


def test_a_later_profile_replaces_one_that_was_given_up(
    platform: Platform,
    come_in: Callable[..., UserCaller],
    sql: SQL,
) -> None:
    come_in(UserCaller(21, "student", student_id=13))
    platform.owner.execute("UPDATE student_profiles SET user_id = NULL WHERE id = 13")
    platform.owner.execute("INSERT INTO student_profiles (id, user_id) VALUES (40, 21)")

    assert come_in(UserCaller(21, "student", student_id=40)).student_id == 40
    assert sql("SELECT id, is_active FROM student_profiles WHERE user_id = 21 ORDER BY id") == [(13, False), (40, True)]


class _Away(PlatformPeople):
    """The platform cannot be reached: a port where nothing listens."""

    def __init__(self) -> None:
        super().__init__(PlatformConnection("postgresql://reader@127.0.0.1:1/platform"))


@pytest.fixture
def away() -> PlatformPeople:
    return _Away()


@pytest.mark.parametrize(
    ("user_id", "later", "error"),
    [
        pytest.param(11, timedelta(hours=23), None, id="known"),
        pytest.param(11, timedelta(hours=25), Unavailable, id="known for too long"),
        pytest.param(12, timedelta(0), Unavailable, id="unknown"),
    ],
)
def test_a_platform_that_is_away_costs_known_people_nothing_for_a_day(
    database: Database,
    come_in: Callable[..., UserCaller],
    away: PlatformPeople,
    user_id: int,
    later: timedelta,
    error: type[AstegniError] | None,
) -> None:
    come_in(UserCaller(11))
    now: datetime = clock.now() + later

    if error is None:
        assert verify_caller(database, away, UserCaller(user_id), now=now) == UserCaller(user_id)
    else:
        with pytest.raises(error):
            verify_caller(database, away, UserCaller(user_id), now=now)


def test_without_a_platform_nothing_changes(database: Database, school: School) -> None:
    assert verify_caller(database, None, school.tutor, now=clock.now()) == school.tutor
    with database.transaction() as session:
        assert verify(session, school.tutor) == school.tutor


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("REVOKE USAGE ON SCHEMA public FROM PUBLIC, {}", 'relation "users" does not exist'),
        ("ALTER TABLE users RENAME TO accounts", "users.id is missing"),
        ("REVOKE SELECT (account_status) ON users FROM {}", "users.account_status may not be read"),
    ],
)
def test_a_platform_that_rejects_the_statement_lets_known_people_in(
    platform: Platform, come_in: Callable[..., UserCaller], change: str, reason: str
) -> None:
    known = come_in(UserCaller(11, "tutor", 14))
    role = sql.Identifier(urlsplit(platform.url).username or "")
    platform.owner.execute(sql.SQL(change).format(role))

    assert come_in(known, timedelta(minutes=2)) == known
    with pytest.raises(Unavailable, match=reason):
        come_in(UserCaller(12, "tutor", 15))


def test_a_record_of_the_future_is_not_fresh(platform: Platform, come_in: Callable[..., UserCaller]) -> None:
    """The clock was set back after it was read; the account was suspended since."""
    caller = UserCaller(11, "tutor", 14)
    come_in(caller)
    platform.owner.execute("UPDATE users SET is_suspended = true WHERE id = 11")

    with pytest.raises(Unauthorized):
        come_in(caller, timedelta(hours=-1))
