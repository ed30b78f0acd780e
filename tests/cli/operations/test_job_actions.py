"""`astegni jobs retry|cancel|purge`, with an id and with a filter."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest

from tests.cli.conftest import CallCommand, CommandResult
from tests.conftest import Sql
from worker.cli.local_stack.environment import environment_without_settings
from worker.database import Database
from worker.jobs.enqueue import enqueue
from worker.jobs.orders.recording_orders import IngestRecording
from worker.jobs.orders.registered import order_kinds
from worker.jobs.runs.cancel import cancel_job

Command = Callable[..., CommandResult]


@pytest.fixture
def command(database_url: str, tmp_path: Path, call_command: CallCommand) -> Command:
    """`command("retry", …)`: how `astegni jobs retry …` ends."""
    environment = environment_without_settings() | {
        "DATABASE_URL": database_url,
        "XDG_STATE_HOME": str(tmp_path / "state"),
        "LOGNAME": "abeba",
    }
    return lambda *words: call_command(["jobs", *words], environment, tmp_path)


@pytest.fixture
def cancelled(database: Database) -> list[UUID]:
    ids = []
    for recording_id in (1, 2):
        with database.transaction() as session:
            ids.append(enqueue(session, IngestRecording(recording_id, 1, "shared", 1)))
            cancel_job(session, {}, ids[-1])
    return ids


def test_many_are_retried_after_a_look_at_which(command: Command, cancelled: list[UUID]) -> None:
    would = command("retry", "--state", "cancelled", "--dry-run")
    done = command("retry", "--state", "cancelled", "--as", "maria")
    again = command("retry", "--state", "cancelled")

    assert [line.split(":")[0] for line in would.stdout.splitlines()] == ["Would be retried"] * 2
    assert [line.split()[1] for line in done.stdout.splitlines()] == [str(job_id) for job_id in cancelled]
    assert done.stderr == "retried: 2; refused: 0.\n"
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "retried: 0; refused: 0.\n")
    shown = json.loads(command("show", str(cancelled[0])).stdout)
    assert [each["actor"] for each in shown["actions"]] == ["system", "cli:maria"]


def test_a_purged_job_still_says_who_did_it(command: Command, cancelled: list[UUID]) -> None:
    purged = command("purge", "--kind", "recordings.ingest", "--limit", "1", "--json")

    assert [json.loads(line)["done"] for line in purged.stdout.splitlines()] == [True]
    shown = json.loads(command("show", str(cancelled[0])).stdout)
    assert (shown["state"], shown["actions"][-1]["actor"]) == ("purged", "cli:abeba")
    assert json.loads(command("show", str(cancelled[1])).stdout)["state"] == "cancelled"


def test_one_that_refuses_is_told_and_the_exit_status_says_so(
    command: Command, cancelled: list[UUID], database: Database
) -> None:
    with database.transaction() as session:
        enqueue(session, IngestRecording(1, 1, "shared", 1))
    done = command("retry", "--state", "cancelled")

    assert (done.returncode, done.stdout.count("Retried")) == (1, 1)
    assert f"Another job does the same as {cancelled[0]}" in done.stderr


def test_what_is_wrong_is_refused_before_anything_happens(command: Command, cancelled: list[UUID]) -> None:
    wrong = [
        ["purge"],
        ["purge", str(cancelled[0]), "--state", "cancelled"],
        ["purge", "--older-than", "soon"],
        ["purge", "--state", "cancelled", "--as", "a b"],
        ["purge", "--state", "nonsense"],
        ["purge", "--kind", "nonsense"],
    ]
    results = [command(*words) for words in wrong]

    assert {(result.returncode, result.stdout) for result in results} == {(1, "")}
    assert len(json.loads(command("list", "--json").stdout)) == 2


def test_an_unknown_kind_is_refused_with_those_that_are_known(
    command: Command, cancelled: list[UUID], sql: Sql
) -> None:
    sql("UPDATE jobs SET kind = 'tests.gone' WHERE id = :id", id=cancelled[0])
    for action in ("list", "retry", "cancel", "purge"):
        output = command(action, "--kind", "nonsense")
        assert (output.returncode, output.stdout) == (1, "")
        assert output.stderr.startswith("astegni: There are no jobs of kind nonsense. The kinds are canvases.")
        assert {"tests.gone", *order_kinds()} <= set(re.findall(r"[a-z_]+\.[a-z_]+", output.stderr))
    assert command("purge", "--kind", "tests.gone").stderr == "purged: 1; refused: 0.\n"
    assert command("cancel", "--kind", "reminders.send_overdue").returncode == 0


def test_an_argument_that_is_no_text_is_a_sentence(command: Command) -> None:
    for words in (["list", "--kind", "\udcff"], ["purge", "--subject", "recording:\udcff"]):
        output = command(*words)
        assert (output.returncode, output.stderr) == (2, "astegni: an argument is not valid UTF-8.\n")
