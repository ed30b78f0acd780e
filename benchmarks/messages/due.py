"""Reminders of lessons that are about to begin, the worker that sends them, and the mail server that accepts them."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from benchmarks.material.bare_stack import BareStack
from benchmarks.material.people import write_people
from devstack.process import ChildProcess, wait_until
from worker.cli.local_stack.command import astegni
from worker.cli.local_stack.environment import environment_for

_ROOT = Path(__file__).parents[2]
_CHILDREN = 2
# Reminders of each lesson: to its tutor and its student, each by mail and in the app.
OF_A_LESSON = 4
_LESSONS = (
    """
    INSERT INTO tutor_schedules (id, tutor_id, student_id, schedule_date, start_time, end_time, starts_at, ends_at,
                                 timezone, subject, meeting_link)
    SELECT n, n, n, begin::date, begin::time, begin::time, begin, begin + interval '1 h', 'UTC', 'Mathematics',
           'https://meet.example.org/abc-defg-hij'
      FROM generate_series(1, {lessons}) n, (SELECT date_trunc('minute', now()) + interval '1 h' AS begin) begins
    """,
    """
    INSERT INTO schedule_participants (schedule_id, student_id, starts_at, ends_at, status)
    SELECT id, student_id, starts_at, ends_at, status FROM tutor_schedules
    """,
    "VACUUM ANALYZE",
)
# Reminder n belongs to lesson 1 + n / 4; mail and app alternate.
_PLAN = """
    INSERT INTO deliveries (kind, user_id, channel, schedule_id, minutes_before, starts_at, key, due_at, expires_at)
    SELECT 'lesson-reminder', CASE n / 2 % 2 WHEN 0 THEN lesson.tutor_id ELSE student.user_id END,
           CASE n % 2 WHEN 0 THEN 'email' ELSE 'in_app' END, lesson.id, 60, lesson.starts_at,
           'lesson:' || lesson.id || ':' || {name}, now() + make_interval(secs => {begin} + (n - {first}) * {gap}),
           lesson.starts_at
      FROM generate_series({first}, {first} + {count} - 1) n
      JOIN tutor_schedules lesson ON lesson.id = 1 + n / 4
      JOIN student_profiles student ON student.id = lesson.student_id
"""
_FORGET = ("TRUNCATE deliveries, notifications RESTART IDENTITY", "VACUUM ANALYZE deliveries", "CHECKPOINT")


@dataclass
class MailSink:
    """The benchmark's view of the mail server; `count` is the number of mails checked so far."""

    port: int
    output: Path
    count: int = 0

    def take(self, expected: int) -> None:
        """Assert that `expected` mails were received since the last call, without duplicates."""
        mails = self.output.read_text().split()[1 + self.count :]
        assert len(mails) == len(set(mails)) == expected, f"{len(mails)} mails, not {expected}"
        self.count += len(mails)


def make_lessons(connection: psycopg.Connection[Any], reminders: int) -> None:
    """Insert the lessons that so many reminders need; they begin in an hour."""
    lessons = -(-reminders // OF_A_LESSON)
    write_people(connection, lessons)
    for statement in _LESSONS:
        connection.execute(statement.format(lessons=lessons).encode())


def plan(
    connection: psycopg.Connection[Any], name: str, count: int, *, first: int = 0, begin: float = 0.0, gap: float = 0.0
) -> None:
    """Insert reminders with `name` in their keys, the first due in `begin` seconds, the next ones `gap` apart."""
    words = {"first": f"{first}", "count": f"{count}", "begin": f"{begin}", "gap": f"{gap}", "name": f"'{name}'"}
    connection.execute(_PLAN.format(**words).encode())


def forget(connection: psycopg.Connection[Any]) -> None:
    """Delete all deliveries and notifications."""
    for statement in _FORGET:
        connection.execute(statement.encode())


@contextmanager
def mail_sink(folder: Path) -> Iterator[MailSink]:
    """A mail server in its own process."""
    output = folder / "mail.said"
    with output.open("wb") as stdout:
        command = [sys.executable, "-m", "benchmarks.material.mail_sink"]
        server = ChildProcess("mail sink", command, folder / "mail.log", cwd=_ROOT, stdout=stdout)
    try:
        wait_until(lambda: output.read_text().endswith("\n"), server, 30)
        yield MailSink(int(output.read_text()), output)
    finally:
        server.kill()


@contextmanager
def reminders_worker(bare_stack: BareStack, sink: MailSink) -> Iterator[None]:
    """One worker that sends to this mail server; stopped at the end of the block."""
    sign = bare_stack.folder / "reminders_worker.ready"
    changes = {"smtp_host": "127.0.0.1", "smtp_port": sink.port, "worker_concurrency": _CHILDREN}
    settings = bare_stack.settings.model_copy(update=changes)
    process = ChildProcess(
        "reminders_worker",
        astegni("worker", "--queues", "reminders"),
        bare_stack.folder / "reminders_worker.log",
        env={**environment_for(settings), "READY_FILE": str(sign), "REMAP_SIGTERM": "SIGQUIT"},
    )
    try:
        wait_until(sign.exists, process, 60)
        yield
    finally:
        process.stop(30)
