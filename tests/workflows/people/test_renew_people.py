"""People who hold a stream open are read again from the platform before what is known of them is a minute old."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest

from tests.conftest import Platform, Sql
from tests.platform_statements import noted_connection
from worker import clock
from worker.access.callers import UserCaller
from worker.access.people import still_valid
from worker.access.people_store import store_people
from worker.database import Database
from worker.platform.connection import PlatformConnection
from worker.platform.people import PlatformPeople
from worker.workflows.people.renew_people import RENEWAL, renew_people
from worker.workflows.people.verify_caller import FRESH

IDS = (11, 13, 14)


@pytest.fixture
def read_at(database: Database, platform_people: PlatformPeople) -> datetime:
    """When three people of the sample came in."""
    now = clock.now()
    with database.transaction() as session:
        store_people(session, list(platform_people.read(IDS).values()), read_at=now)
    return now


def test_one_query_for_all_who_would_be_too_old_at_the_next_call(
    database: Database, platform: Platform, read_at: datetime, sql: Sql
) -> None:
    with noted_connection(platform.url) as connection:
        people = PlatformPeople(connection)
        people.read(IDS)  # reads the catalogue

        def renew(age: timedelta) -> int:
            connection.statements.clear()
            assert renew_people(database, people, IDS, now=read_at + age) == frozenset()
            return len(connection.statements)

        assert renew(FRESH - RENEWAL) == 0
        assert renew(FRESH - RENEWAL + timedelta(seconds=1)) == 1
        times = {row[0] for row in sql("SELECT platform_read_at FROM users WHERE id IN (11, 13, 14)")}
        assert times == {read_at + FRESH - RENEWAL + timedelta(seconds=1)}
        assert renew(FRESH) == 0


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE users SET is_suspended = true WHERE id = 14",
        "UPDATE student_profiles SET is_active = false WHERE user_id = 14",
        "DELETE FROM users WHERE id = 14",
    ],
)
# Before its record: the clock was set back.
@pytest.mark.parametrize("age", [FRESH, -timedelta(hours=1)])
def test_who_is_shut_out_there_is_no_longer_valid_here(
    platform: Platform,
    database: Database,
    platform_people: PlatformPeople,
    read_at: datetime,
    change: str,
    age: timedelta,
) -> None:
    platform.owner.execute("SET session_replication_role = replica")  # other rows of the sample name the person
    platform.owner.execute(change.encode())
    callers = {UserCaller(14, "student", student_id=12), UserCaller(11, "tutor", tutor_id=14)}

    with database.transaction() as session:
        assert still_valid(session, callers) == callers
    assert renew_people(database, platform_people, IDS, now=read_at + age) == frozenset()
    with database.transaction() as session:
        assert still_valid(session, callers) == {UserCaller(11, "tutor", tutor_id=14)}


@contextmanager
def _away() -> Iterator[PlatformPeople]:
    connection = PlatformConnection("postgresql://reader@127.0.0.1:1/platform")
    yield PlatformPeople(connection)
    connection.close()


def test_while_the_platform_is_away_access_ends_after_a_day(database: Database, read_at: datetime) -> None:
    with _away() as away:
        assert renew_people(database, away, IDS, now=read_at + timedelta(hours=23)) == frozenset()
        assert renew_people(database, away, IDS, now=read_at + timedelta(hours=25)) == frozenset(IDS)


def test_people_of_our_own_are_never_looked_up(database: Database, platform: Platform, sql: Sql) -> None:
    sql("INSERT INTO users (id, first_name) VALUES (900, 'Own')")

    with noted_connection(platform.url) as connection:
        people = PlatformPeople(connection)
        assert renew_people(database, people, [900], now=clock.now() + timedelta(days=2)) == frozenset()
        assert connection.statements == []
    assert renew_people(database, None, [900], now=clock.now()) == frozenset()
