"""`astegni platform import` and `report`, on the platform's sample."""

import os
from collections.abc import Callable

import pytest

from tests.conftest import Platform, Sql
from tests.forking.forked_process import ForkServer

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(fork_server: ForkServer) -> Run:
    """`run(database_url, platform_url, *words)`: the exit status and the text of `astegni platform *words`."""

    def command(database_url: str, platform_url: str, *words: str) -> tuple[int, str]:
        environment = os.environ | {"DATABASE_URL": database_url, "PLATFORM_DATABASE_URL": platform_url}
        done = fork_server.astegni(["platform", *words], environment)
        return done.returncode, done.stdout + done.stderr

    return command


def test_a_rehearsal_the_import_and_its_report(run: Run, database_url: str, platform: Platform, sql: Sql) -> None:
    _, text = run(database_url, platform.url, "import", "--dry-run")
    assert "person              11 read, 11 stored, 0 refused, 0 removed" in text
    assert "Nothing was changed." in text
    assert sql("SELECT count(*) FROM users") == [(0,)]

    code, text = run(database_url, platform.url, "import")
    assert code == 0, text
    assert sql("SELECT count(*) FROM users") == [(11,)]
    assert "person              1 read, 0 stored, 0 refused, 0 removed" in run(database_url, platform.url, "import")[1]

    code, text = run(database_url, platform.url, "report")
    assert code == 0
    assert "student_profile  22   refused  no user" in text


def test_the_tables_of_2025_are_not_in_a_later_state(run: Run, database_url: str, platform: Platform) -> None:
    code, text = run(database_url, platform.url, "import", "--document")
    assert code == 1
    assert "document_booking    waits for table tutor_student_bookings, which this state of the platform lacks" in text


def test_a_platform_that_is_away(run: Run, database_url: str) -> None:
    code, text = run(database_url, "postgresql://reader@127.0.0.1:1/platform", "import")

    assert code == 2
    assert "does not answer" in text
