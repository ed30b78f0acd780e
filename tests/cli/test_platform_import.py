"""`astegni platform import` and `report`, on the platform's sample."""

import os
import subprocess

from tests.conftest import Platform, Sql
from worker.cli.local_stack.command import astegni


def _run(database_url: str, platform_url: str, *words: str) -> tuple[int, str]:
    environment = os.environ | {"DATABASE_URL": database_url, "PLATFORM_DATABASE_URL": platform_url}
    done = subprocess.run(astegni("platform", *words), env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_a_rehearsal_the_import_and_its_report(database_url: str, platform: Platform, sql: Sql) -> None:
    _, text = _run(database_url, platform.url, "import", "--dry-run")
    assert "person              11 read, 11 stored, 0 refused, 0 removed" in text
    assert "Nothing was changed." in text
    assert sql("SELECT count(*) FROM users") == [(0,)]

    code, text = _run(database_url, platform.url, "import")
    assert code == 0, text
    assert sql("SELECT count(*) FROM users") == [(11,)]
    assert "person              1 read, 0 stored, 0 refused, 0 removed" in _run(database_url, platform.url, "import")[1]

    code, text = _run(database_url, platform.url, "report")
    assert code == 0
    assert "student_profile  22   refused  no user" in text


def test_the_tables_of_2025_are_not_in_a_later_state(database_url: str, platform: Platform) -> None:
    code, text = _run(database_url, platform.url, "import", "--document")
    assert code == 1
    assert "document_booking    waits for table tutor_student_bookings, which this state of the platform lacks" in text


def test_a_platform_that_is_away(database_url: str) -> None:
    code, text = _run(database_url, "postgresql://reader@127.0.0.1:1/platform", "import")

    assert code == 2
    assert "does not answer" in text
