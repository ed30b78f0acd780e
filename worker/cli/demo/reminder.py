"""The last step of the demo: the next lesson starts soon, and its student is reminded of it by mail."""

import time
from datetime import timedelta
from typing import Any

import httpx2 as httpx
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from worker import clock
from worker.calendars.zones import zone
from worker.cli.demo.client import DemoFailed, post, put

_ZONE = "Africa/Addis_Ababa"
# The alarm of a lesson that starts so soon is due a moment after it was set.
_MINUTES_BEFORE = 10
_A_MOMENT = timedelta(seconds=3)
_TIMEOUT = 60.0
_LINES_SHOWN = 8


def make_lesson_soon(tutor: httpx.Client, booking_id: int) -> int:
    """Create a lesson of the booking that starts in ten minutes; returns its id."""
    return make_lesson(tutor, booking_id, starts_in=timedelta(minutes=_MINUTES_BEFORE) + _A_MOMENT)


def make_lesson(tutor: httpx.Client, booking_id: int, *, starts_in: timedelta) -> int:
    """Create a lesson of one hour; returns its id. Raises DemoFailed."""
    starts = clock.now().astimezone(zone(_ZONE)) + starts_in
    body = {
        "booking_id": booking_id,
        "subject": "Mathematics",
        "schedule_date": f"{starts:%Y-%m-%d}",
        "start_time": f"{starts:%H:%M:%S}",
        "end_time": f"{starts + timedelta(hours=1):%H:%M:%S}",
        "timezone": _ZONE,
    }
    return int(post(tutor, "/v1/schedules", body)["schedule_id"])


def show_reminder(console: Console, student: httpx.Client, schedule_id: int, *, to: str, mailbox: str) -> None:
    """Set the student's alarm and show the mail that it causes. Raises DemoFailed when none arrives."""
    alarm = {"minutes_before": _MINUTES_BEFORE, "channels": ["email"]}
    put(student, f"/v1/schedules/{schedule_id}/alarms", {"alarms": [alarm]})
    console.print(f"The next lesson starts in {_MINUTES_BEFORE} minutes, and its student has set an alarm for now …")
    mail = _wait_for_reminder(mailbox, to)
    table = Table(Column("what", no_wrap=True), Column("found", overflow="fold"), title="The reminder", show_lines=True)
    # Up to the signature.
    lines = [line for line in mail["text"].partition("\n--\n")[0].splitlines() if line.strip()]
    facts = {
        "from": mail["from"],
        "to": ", ".join(mail["to"]),
        "subject": mail["subject"],
        "text": "\n".join(lines[:_LINES_SHOWN]),
        "attached": ", ".join(attachment["name"] for attachment in mail["attachments"]),
        "mailbox": f"{mailbox}/messages/{mail['id']}/html",
    }
    for what, value in facts.items():
        table.add_row(what, Text(value))
    console.print(table)


def _wait_for_reminder(mailbox: str, to: str) -> dict[str, Any]:
    """Wait for the mail with the lesson attached as a calendar file: no other mail of the demo has an attachment."""
    end = time.monotonic() + _TIMEOUT
    while time.monotonic() < end:
        mails: list[dict[str, Any]] = httpx.get(f"{mailbox}/messages").json()
        for mail in mails:
            if to in mail["to"] and mail["attachments"]:
                return mail
        time.sleep(0.25)
    raise DemoFailed("No reminder arrived in the mailbox within a minute.")
