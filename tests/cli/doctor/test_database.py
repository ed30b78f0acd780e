"""What doctor reports about PostgreSQL, our processes and the platform."""

import pytest
from psycopg.sql import SQL, Identifier
from pydantic import SecretStr
from sqlalchemy import make_url

from tests.conftest import Platform, PostgresServer, Sql
from worker.cli.doctor.check_warning import CheckWarning
from worker.cli.doctor.database import (
    check_database,
    check_platform_people,
    check_processes,
    version_findings,
)
from worker.database import Database
from worker.errors import Misconfigured, Unavailable
from worker.jobs.heartbeats import HeartbeatWriter
from worker.jobs.operations.silent_parts import expected_parts
from worker.queue_names import queue_names
from worker.settings import Settings


def test_a_database_that_refuses_is_told_from_one_that_is_away(postgres: PostgresServer, database_url: str) -> None:
    missing = postgres.url("no_such_database_here")
    with pytest.raises(Misconfigured, match="there is no such database"):
        check_database(Settings(database_url=missing))
    wrong = make_url(database_url).set(password="hush").render_as_string(hide_password=False)
    with pytest.raises(Misconfigured, match="the user or the password is wrong") as refused:
        check_database(Settings(database_url=wrong))
    assert "hush" not in refused.value.detail
    with pytest.raises(Unavailable, match="does not answer"):
        check_database(Settings(database_url="postgresql://x:hush@127.0.0.1:1/d"))
    assert check_database(Settings(database_url=database_url)).startswith("at revision")


def test_one_that_accepts_no_changes(database_url: str, sql: Sql) -> None:
    """A standby, or a server whose disk is full."""
    name = make_url(database_url).database
    sql(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    try:
        with pytest.raises(Unavailable, match="accepts no changes now"):
            check_database(Settings(database_url=database_url))
        with pytest.raises(CheckWarning, match="cannot be read"):
            check_processes(Settings(database_url=database_url))
    finally:
        sql(f"ALTER DATABASE {name} RESET default_transaction_read_only")


def test_silent_processes(database: Database, database_url: str, sql: Sql) -> None:
    settings = Settings(database_url=database_url)
    assert check_processes(Settings()).startswith("DATABASE_URL is not set")
    with pytest.raises(CheckWarning, match="has run within a day"):
        check_processes(settings)
    for part in expected_parts(settings):
        HeartbeatWriter(database, "a", part, interval=10).beat()
    HeartbeatWriter(database, "a", "consumer", interval=10, queues=queue_names(settings)).beat()
    assert check_processes(settings).startswith("workers and beat run")
    sql("UPDATE heartbeats SET seen_at = now() - interval '61 s' WHERE part = 'beat' OR queue = 'media'")
    silent = r"^beat has not run for \d+ s; no worker consumes the queue media\. Start"
    with pytest.raises(Misconfigured, match=silent):
        check_processes(settings)
    with pytest.raises(CheckWarning, match="cannot be read"):
        check_processes(Settings(database_url="postgresql://x:hush@127.0.0.1:1/d"))


def test_the_platform(platform: Platform) -> None:
    assert check_platform_people(Settings()).startswith("PLATFORM_DATABASE_URL is not set")
    settings = Settings(platform_database_url=SecretStr(platform.url))
    with pytest.raises(CheckWarning, match="1 of student_profiles belong to no account"):
        check_platform_people(settings)
    platform.owner.execute("DELETE FROM student_profiles WHERE user_id IS NULL")
    assert check_platform_people(settings).startswith("PostgreSQL")
    platform.owner.execute("TRUNCATE whiteboard_call_history")
    with pytest.raises(CheckWarning, match="not proven: no call"):
        check_platform_people(settings)
    platform.owner.execute("ALTER TABLE sessions RENAME COLUMN session_date TO day")
    with pytest.raises(CheckWarning, match=r"sessions\.session_date is missing there"):
        check_platform_people(settings)
    platform.owner.execute("ALTER TABLE users RENAME COLUMN id TO number")
    with pytest.raises(Misconfigured, match=r"users\.id is missing"):
        check_platform_people(settings)
    with pytest.raises(Unavailable, match="does not answer"):
        check_platform_people(Settings(platform_database_url=SecretStr("postgresql://x:hush@127.0.0.1:1/d")))


def test_a_right_that_was_revoked_on_the_platform_is_named(platform: Platform) -> None:
    settings = Settings(platform_database_url=SecretStr(platform.url))
    role = Identifier(make_url(platform.url).username or "")
    platform.owner.execute(SQL("REVOKE SELECT (status) ON enrolled_students FROM {}").format(role))
    with pytest.raises(CheckWarning, match=r"enrolled_students\.status may not be read"):
        check_platform_people(settings)
    platform.owner.execute(SQL("REVOKE USAGE ON SCHEMA public FROM PUBLIC, {}").format(role))
    with pytest.raises(Unavailable, match='relation "users" does not exist'):
        check_platform_people(settings)


@pytest.mark.parametrize(
    ("refusal", "meaning"),
    [
        ('FATAL:  password authentication failed for user "x"', "the user or the password is wrong"),
        ('FATAL:  role "x" does not exist', "there is no such user"),
        ('FATAL:  role "x" is not permitted to log in', "may not log in"),
        ('FATAL:  too many connections for role "x"', "too many connections"),
        ('FATAL:  too many connections for database "x"', "too many connections"),
        ('FATAL:  permission denied for database "x"', "may not connect"),
        ('FATAL:  database "x" is not currently accepting connections', "accepts no connections"),
        ('FATAL:  no pg_hba.conf entry for host "10.0.0.1", user "x"', "pg_hba.conf"),
        ("FATAL:  sorry, too many clients already", "too many connections"),
        (
            "FATAL:  remaining connection slots are reserved for roles with the SUPERUSER attribute",
            "too many connections",
        ),
        ("connection refused", None),
    ],
)
def test_how_postgresql_refuses(refusal: str, meaning: str | None) -> None:
    from worker.refused_login import refused_login

    message = refused_login(Exception(refusal))
    assert (meaning is None and message is None) or (meaning is not None and meaning in (message or ""))


def test_another_revision(database: Database, database_url: str, sql: Sql) -> None:
    sql("UPDATE alembic_version SET version_num = '0001'")
    with pytest.raises(Misconfigured, match=r"at revision 0001 and not .* `astegni migrate`"):
        check_database(Settings(database_url=database_url))
    sql("DROP TABLE alembic_version")
    with pytest.raises(Misconfigured, match="`astegni migrate`"):
        check_database(Settings(database_url=database_url))


@pytest.mark.parametrize(
    ("number", "faults", "doubts"), [(140_009, 1, 0), (150_000, 0, 0), (180_006, 0, 0), (190_000, 0, 1)]
)
def test_which_versions_of_postgresql_will_do(number: int, faults: int, doubts: int) -> None:
    assert tuple(map(len, version_findings(number))) == (faults, doubts)
