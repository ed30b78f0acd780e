"""`astegni platform check` and `grants`, on the platform's sample."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from psycopg.sql import SQL, Identifier

from tests.conftest import Platform, Sql
from tests.forking.forked_process import ForkServer
from worker.cli.local_stack.command import astegni

Check = Callable[..., tuple[int, str]]


@pytest.fixture
def check(fork_server: ForkServer, tmp_path: Path) -> Check:
    """`check(url, **settings)`: the exit status and the text of `astegni platform check`."""

    def run(url: str, **settings: str) -> tuple[int, str]:
        environment = os.environ | {"PLATFORM_DATABASE_URL": url, "XDG_STATE_HOME": str(tmp_path)} | settings
        done = fork_server.astegni(["platform", "check"], environment)
        assert "hush" not in done.stdout + done.stderr
        return done.returncode, done.stdout + done.stderr

    return run


@pytest.fixture
def reader(platform: Platform) -> Identifier:
    """The role that reads the platform."""
    return Identifier(urlsplit(platform.url).username or "")


def test_a_platform_that_is_right(check: Check, platform: Platform) -> None:
    code, text = check(platform.url)

    # A profile of the sample belongs to no account.
    assert code == 1
    assert "June 2026" in text
    assert "reads, and nothing else" in text
    assert "11 accounts: 8 come in, 3 are suspended, deactivated or leaving" in text
    assert "1 without a first name, 1 without an e-mail" in text
    assert "1 of student_profiles belong to no account" in text
    assert "5 enrolled_students" in text
    assert "16 sessions" in text


def test_without_warnings(check: Check, platform: Platform) -> None:
    platform.owner.execute("DELETE FROM student_profiles WHERE user_id IS NULL")

    assert check(platform.url)[0] == 0


def test_what_an_import_would_take_is_counted(check: Check, platform: Platform, database_url: str, sql: Sql) -> None:
    code, text = check(platform.url, DATABASE_URL=database_url)

    assert code == 1
    assert "lesson: 12 new or changed would be taken, 4 refused; " in text
    assert "1 student-busy" in text
    assert "1 tutor-busy" in text
    assert sql("SELECT 1 FROM platform_links") == []


def test_a_database_of_ours_without_tables(check: Check, platform: Platform, empty_database_url: str) -> None:
    platform.owner.execute("DELETE FROM student_profiles WHERE user_id IS NULL")

    code, text = check(platform.url, DATABASE_URL=empty_database_url)

    assert code == 1
    assert "our own database cannot be used, nothing was counted: " in text


def test_a_zone_that_is_not_proven(check: Check, platform: Platform) -> None:
    platform.owner.execute("DELETE FROM student_profiles WHERE user_id IS NULL")
    platform.owner.execute("TRUNCATE whiteboard_call_history")

    code, text = check(platform.url)

    assert code == 2
    assert "not proven: no call in whiteboard_call_history has both clocks" in text
    code, text = check(platform.url, PLATFORM_TIMEZONE="Europe/Berlin")
    assert code == 0
    assert "Europe/Berlin, set by PLATFORM_TIMEZONE, which overrides the proof" in text


def test_a_zone_that_is_set_to_hours_instead_of_a_name(check: Check, platform: Platform) -> None:
    code, text = check(platform.url, PLATFORM_TIMEZONE="+02:00")

    assert code == 2
    assert "the setting PLATFORM_TIMEZONE is not valid: must be a time zone" in text


def test_a_column_that_may_not_be_read(check: Check, platform: Platform, reader: Identifier) -> None:
    platform.owner.execute(SQL("REVOKE SELECT (account_status) ON users FROM {}").format(reader))

    code, text = check(platform.url)

    assert code == 2
    assert "users.account_status may not be read; run the statements of `astegni platform grants`" in text


def test_a_table_that_may_not_be_read(check: Check, platform: Platform, reader: Identifier) -> None:
    platform.owner.execute(SQL("REVOKE SELECT ON sessions FROM {}").format(reader))

    code, text = check(platform.url)

    assert code == 1
    assert "sessions: id, enrolled_courses_id" in text
    assert "may not be read; run the statements of `astegni platform grants`" in text


def test_a_table_that_may_not_be_read_is_no_reason_to_stop_for_a_database_of_ours(
    check: Check, platform: Platform, reader: Identifier, database_url: str
) -> None:
    platform.owner.execute(SQL("REVOKE SELECT ON sessions FROM {}").format(reader))

    code, text = check(platform.url, DATABASE_URL=database_url)

    assert code == 1
    assert "nothing was counted: The platform's column sessions.id may not be read" in text


def test_a_role_that_may_do_more(check: Check, platform: Platform, reader: Identifier) -> None:
    platform.owner.execute(SQL("GRANT UPDATE (first_name) ON users TO {}").format(reader))
    platform.owner.execute(SQL("GRANT SELECT (password_hash) ON users TO {}").format(reader))

    code, text = check(platform.url)

    assert code == 1
    assert "this role may write users and may read users.password_hash: take that away" in text


def test_another_database(check: Check, empty_database_url: str) -> None:
    code, text = check(empty_database_url)

    assert code == 2
    assert "does not look like the platform's database" in text


def test_a_server_that_is_away(check: Check) -> None:
    code, text = check("postgresql://reader:hush@127.0.0.1:1/platform")

    assert code == 2
    assert "does not answer" in text


def test_a_server_that_refuses(check: Check, platform: Platform) -> None:
    code, text = check(platform.url.replace("://astegni_reader", "://nobody_here"))

    assert code == 2
    assert "answers and refuses: " in text


def test_no_address() -> None:
    done = subprocess.run(astegni("platform", "check"), capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert "PLATFORM_DATABASE_URL is not set" in done.stderr
