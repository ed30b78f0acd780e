"""`astegni reminders`: what will be sent and why, and a test message sent through the same path as all others."""

import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from sqlalchemy import text

from devstack.mailbox.embedded import EmbeddedMailbox
from tests.cli.conftest import CallCommand
from tests.conftest import MakeSettings, School
from tests.forking.forked_process import ForkServer
from tests.waiting import TIMEOUT
from worker.cli.local_stack.environment import environment_without_settings
from worker.database import Database
from worker.reminders.delivery.dispatcher import Dispatcher
from worker.workflows.context import WorkerContext

Command = Callable[..., Any]


@pytest.fixture
def environment(database_url: str, tmp_path: Path) -> dict[str, str]:
    """The test's own database, and no running stack."""
    return environment_without_settings() | {
        "DATABASE_URL": database_url,
        "XDG_STATE_HOME": str(tmp_path / "state"),
        "COLUMNS": "200",
    }


@pytest.fixture
def command(environment: dict[str, str], tmp_path: Path, call_command: CallCommand) -> Command:
    """`command("due", …)`: how `astegni reminders due …` ends, in this process."""
    return lambda *words: call_command(["reminders", *words], environment, tmp_path)


@pytest.fixture
def command_apart(environment: dict[str, str], fork_server: ForkServer) -> Command:
    """The same as a process of its own, which hears nothing of the threads that send."""
    return lambda *words: fork_server.astegni(["reminders", *words], environment)


@pytest.fixture
def mailbox(tmp_path: Path) -> Iterator[EmbeddedMailbox]:
    with EmbeddedMailbox(tmp_path / "mail") as mailbox:
        yield mailbox


@pytest.fixture
def sender(database: Database, settings: MakeSettings) -> Iterator[Callable[..., None]]:
    """`sender(smtp_host=…)`: a dispatcher and its sender at work, without the broker between them."""
    stop = threading.Event()
    threads: list[threading.Thread] = []

    def start(**changes: Any) -> None:
        sender = WorkerContext(settings(**changes), database).batch_sender
        dispatcher = Dispatcher(
            database, lambda _lane, ids, token: sender.deliver(ids, token), children=1, interval=0.1, lease=30
        )

        def work() -> None:
            while not stop.is_set():
                stop.wait(dispatcher.dispatch())

        threads.append(threading.Thread(target=work))
        threads[-1].start()

    yield start
    stop.set()
    for thread in threads:
        thread.join(TIMEOUT)
        assert not thread.is_alive()


@pytest.fixture
def plan(database: Database, school: School) -> Callable[..., int]:
    """`plan(user, due_in=…)`: a reminder of a lesson of the school, planned by hand; its id."""
    start = datetime(2036, 1, 7, 11, 0, tzinfo=UTC)
    with database.transaction() as session:
        session.execute(
            text(
                "INSERT INTO tutor_schedules (id, tutor_id, student_id, subject, schedule_date, start_time, end_time,"
                " timezone, starts_at, ends_at) VALUES (7, 11, 22, 'Mathematics', '2036-01-07', '14:00', '15:00',"
                " 'Africa/Addis_Ababa', :starts_at, :ends_at)"
            ),
            {"starts_at": start, "ends_at": start + timedelta(hours=1)},
        )

    def insert(user_id: int, *, due_in: timedelta, channel: str = "email", state: str = "pending", **more: Any) -> int:
        values = {
            "minutes_before": 15,
            "schedule_id": 7,
            "kind": "lesson-reminder",
            "key": f"{due_in}",
            "reason": None,
            **more,
        }
        with database.transaction() as session:
            result = session.execute(
                text(
                    "INSERT INTO deliveries (kind, user_id, channel, schedule_id, minutes_before, starts_at, key,"
                    " due_at, state, reason) VALUES (:kind, :user_id, :channel, :schedule_id, :minutes_before,"
                    " :starts_at, :key, :due_at, :state, :reason) RETURNING id"
                ),
                {
                    **values,
                    "user_id": user_id,
                    "channel": channel,
                    "state": state,
                    "starts_at": start,
                    "due_at": datetime.now(UTC) + due_in,
                },
            )
            return int(result.scalar_one())

    return insert


class TestDue:
    """`astegni reminders due`."""

    def test_the_earliest_first_and_the_reason_of_each(
        self, command: Command, database: Database, plan: Callable[..., int]
    ) -> None:
        soon = timedelta(minutes=5)
        with database.transaction() as session:
            session.execute(text("INSERT INTO lesson_alarms (user_id, schedule_id, minutes_before) VALUES (2, 7, 15)"))
            session.execute(text("INSERT INTO notification_preferences (user_id) VALUES (3)"))
        own, preferred, usual = (plan(user_id, due_in=soon * n) for n, user_id in enumerate((2, 3, 1), 1))
        failed = plan(1, due_in=soon, channel="42", state="failed", key="same")
        instead = plan(1, due_in=soon * 4, channel="in_app", key="same")
        message = plan(2, due_in=-soon, kind="lesson-moved", minutes_before=None, state="sending", reason="refused")
        plan(2, due_in=timedelta(hours=2))
        plan(2, due_in=soon * 5, state="sent")

        document = json.loads(command("due", "--within", "1h", "--json").stdout)

        assert failed not in {reminder["id"] for reminder in document}
        assert [(reminder["id"], reminder["why"]) for reminder in document] == [
            (message, "lesson-moved"),
            (own, "15 min before: own alarm of the lesson"),
            (preferred, "15 min before: preferences"),
            (usual, "15 min before: default"),
            (instead, "15 min before: default; 42 failed"),
        ]
        assert {
            name: document[0][name] for name in ("state", "reason", "person", "schedule_id", "subject", "channel")
        } == {
            "state": "sending",
            "reason": "refused",
            "person": "student 2",
            "schedule_id": 7,
            "subject": "Mathematics",
            "channel": "email",
        }
        assert document[0]["starts_at"] == "2036-01-07T11:00:00+00:00"

    def test_the_table(self, command_apart: Command, plan: Callable[..., int], database: Database) -> None:
        with database.transaction() as session:
            session.execute(text("UPDATE users SET first_name = '[red]Abebe' WHERE id = 2"))
        plan(2, due_in=timedelta(minutes=5))

        output = command_apart("due").stdout

        title, header, row = (line.strip() for line in output.splitlines())
        assert title == "Times of Africa/Addis_Ababa"
        assert header.split() == ["when", "lesson", "person", "channel", "why", "state"]
        for words in ("7 Mathematics, 2036-01-07 14:00", "2 [red]Abebe", "email", "15 min before: default", "pending"):
            assert words in row

    def test_more_than_is_shown(self, command: Command, plan: Callable[..., int]) -> None:
        first, _second = (plan(2, due_in=timedelta(minutes=n)) for n in (5, 6))

        cut, whole = command("due", "--limit", "1", "--json"), command("due", "--limit", "2", "--json")

        assert [load["id"] for load in json.loads(cut.stdout)] == [first]
        assert cut.stderr == "These are the first 1; there is more within 1h (--limit).\n"
        assert (len(json.loads(whole.stdout)), whole.stderr) == (2, "")

    def test_nothing(self, command: Command) -> None:
        assert command("due", "--within", "30s").stdout == "Nothing is due within 30s.\n"
        assert command("due", "--json").stdout == "[]\n"
        for wrong in ("x", "1w", "-1h", "1000d", ""):
            refused = command("due", "--within", wrong)
            assert (refused.returncode, refused.stdout, refused.stderr.count("\n")) == (1, "", 1)


@pytest.mark.usefixtures("school")
class TestTest:
    """`astegni reminders test`."""

    def test_by_mail(self, command_apart: Command, sender: Callable[..., None], mailbox: EmbeddedMailbox) -> None:
        sender(smtp_host=mailbox.addresses.smtp_host, smtp_port=mailbox.addresses.smtp_port)

        done = command_apart("test", "--user", "2", "--channel", "email")

        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith("Sent to user 2 by email in ")
        (mail,) = httpx.get(f"{mailbox.addresses.url}/messages").json()
        assert (mail["to"], mail["from"]) == (["2@example.org"], "Astegni <no-reply@astegni.example>")

    def test_in_the_app(self, command_apart: Command, sender: Callable[..., None], database: Database) -> None:
        sender()

        done = command_apart("test", "--user", "2", "--channel", "in_app")

        assert (done.returncode, done.stderr) == (0, "")
        with database.transaction() as session:
            assert session.execute(text("SELECT user_id, kind FROM notifications")).all() == [(2, "test")]

    def test_when_nobody_sends(self, command: Command, database: Database) -> None:
        done = command("test", "--user", "2", "--wait", "1s")

        assert (done.returncode, done.stdout) == (69, "")
        assert done.stderr.startswith("astegni: Nobody sent delivery ")
        with database.transaction() as session:
            # Nor will anybody later, when it is not waited for any more.
            assert session.scalar(text("SELECT count(*) FROM deliveries WHERE expires_at < now()")) == 1

    def test_when_the_server_is_away(self, command_apart: Command, sender: Callable[..., None]) -> None:
        sender(smtp_host="127.0.0.1", smtp_port=1)

        done = command_apart("test", "--user", "2", "--wait", "3s")

        # The next try would be later than it is waited for.
        assert (done.returncode, done.stdout) == (1, "")
        assert " by email ended as dropped: " in done.stderr

    def test_when_it_fails_for_good(
        self, command_apart: Command, sender: Callable[..., None], database: Database
    ) -> None:
        with database.transaction() as session:
            session.execute(text("UPDATE users SET email = 'nonsense' WHERE id = 2"))
        sender(smtp_host="127.0.0.1", smtp_port=1)

        done = command_apart("test", "--user", "2")

        assert (done.returncode, done.stdout) == (1, "")
        assert " by email ended as failed: " in done.stderr

    def test_a_channel_that_cannot_be_used(self, command: Command, database: Database) -> None:
        with database.transaction() as session:
            session.execute(
                text(
                    "INSERT INTO notification_channels (id, user_id, kind, address, label, confirmed_at, disabled_at,"
                    " disabled_reason) VALUES (5, 2, 'email', 'x', 'a…@example.org', NULL, NULL, NULL),"
                    " (6, 2, 'webhook', 'x', 'https://example.org/…', now(), now(), 'It said 410.')"
                )
            )

        errors = {name: command("test", "--user", "2", "--channel", name).stderr for name in ("7", "5", "6")}

        assert errors == {
            "7": "astegni: User 2 has no channel '7'; there are email, in_app, 5 (a…@example.org),"
            " 6 (https://example.org/…).\n",
            "5": "astegni: Channel 5 (a…@example.org) of user 2 is not confirmed yet.\n",
            "6": "astegni: Channel 6 (https://example.org/…) of user 2 is off: It said 410.\n",
        }

    @pytest.mark.parametrize(
        "words", [["--user", "99"], ["--user", "2", "--channel", "7"], ["--user", "2", "--wait", "x"], ["--user", "0"]]
    )
    def test_what_cannot_be_tried(self, command: Command, database: Database, words: list[str]) -> None:
        done = command("test", *words)

        assert done.returncode in {1, 2}
        assert "Traceback" not in done.stderr
        with database.transaction() as session:
            assert session.scalar(text("SELECT count(*) FROM deliveries")) == 0
