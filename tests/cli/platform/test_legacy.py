"""`astegni legacy import-enrollments`."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.conftest import School
from tests.forking.forked_process import ForkServer
from worker.cli.local_stack.environment import environment_without_settings
from worker.database import Database

RunCommand = Callable[..., str]


@pytest.fixture
def run(database_url: str, tmp_path: Path, fork_server: ForkServer) -> RunCommand:
    """`run(…)`: what the command says, without a terminal."""
    environment = environment_without_settings() | {"DATABASE_URL": database_url, "XDG_STATE_HOME": str(tmp_path)}

    def ask(*words: str) -> str:
        done = fork_server.astegni(["legacy", "import-enrollments", *words], environment)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    return ask


def test_the_table_says_what_became_of_each_row(run: RunCommand, school: School, database: Database) -> None:
    rows = ['["Math", "[red]Physics[/red]\\u001b[31m", 5]', '"Math"', None, '["ሒሳብ"]']
    with database.transaction() as session:
        for subjects in rows:
            session.execute(
                text(
                    "INSERT INTO tutor_student_enrollments (tutor_id, student_id, subjects) VALUES (11, 22, :subjects)"
                ),
                {"subjects": subjects},
            )
    output = run("--dry-run")
    assert "4 would be imported, 0 already there, 2 refused." in output
    assert "[red]Physics[/red]\\x1b[31m" in output
    assert "a subject is a text" in output
    with database.transaction() as session:
        assert session.scalar(text("SELECT count(*) FROM tutor_student_bookings")) == 2
    assert "4 imported, 0 already there, 2 refused." in run()
    again = run()
    assert "0 imported, 4 already there, 2 refused." in again
    lines = [line.split() for line in again.splitlines()]
    assert ["1", "Math", "already", "there", "3"] in lines
    assert ["4", "ሒሳብ", "already", "there", "6"] in lines


def test_an_empty_table(run: RunCommand, database: Database) -> None:
    assert "0 imported, 0 already there, 0 refused." in run()
