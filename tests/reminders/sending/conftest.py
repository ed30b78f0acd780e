"""People, lessons and messages that are due, a mail server whose replies are set, and a sender."""

import asyncio
import itertools
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any
from uuid import uuid4

import pytest
from aiosmtpd.smtp import SMTP
from sqlalchemy import text

from models.deliveries import Delivery
from models.people import User as Person
from models.reminders import NotificationPreference
from models.schedules import Schedule, ScheduleParticipant
from tests.conftest import MakeSettings, School
from tests.waiting import TIMEOUT, wait_for
from worker.database import Database
from worker.reminders.delivery.claim import claim
from worker.reminders.delivery.partitions import BATCH, batches
from worker.reminders.delivery.sender import BatchSender, SendPolicy
from worker.reminders.delivery.transports import Transports
from worker.settings import Settings

TUTOR, STUDENT, PARENT = 1, 2, 3


class MailSink:
    """A mail server in a thread. By the recipient's name it refuses (`gone`), puts off (`busy`), is slow (`slow`)."""

    def __init__(self) -> None:
        # Message-ID and recipient, in their order.
        self.received: list[tuple[str, str]] = []
        # Messages as they came. No property: aiosmtpd reads every attribute of its handler.
        self.messages: list[EmailMessage] = []
        self.requests: Counter[str] = Counter()
        self.closed = False
        # What RCPT and the content are answered, when not by the recipient's name.
        self.recipient: str | None = None
        # Whether it closes the connection instead of confirming a message that it keeps.
        self.hangs_up = False
        self.content: str | None = None
        self.slowness = 0.3
        self._loop = asyncio.new_event_loop()
        self._server = self._loop.run_until_complete(
            self._loop.create_server(lambda: SMTP(self, hostname="sink.example"), "127.0.0.1", 0)
        )
        self.port: int = self._server.sockets[0].getsockname()[1]
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()

    async def handle_MAIL(self, _server: Any, _session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802 - aiosmtpd's name
        if self.closed:
            return "451 4.3.0 closed for now"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:  # noqa: N802 - aiosmtpd's name
        name = address.partition("@")[0]
        self.requests[name] += 1
        if self.recipient is not None:
            return self.recipient
        if name == "gone":
            return "550 5.1.1 no such user"
        if name == "busy":
            return "451 4.2.1 later"
        if name == "slow":
            await asyncio.sleep(self.slowness)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        if self.content is not None:
            return self.content
        head = message_from_bytes(envelope.content, policy=policy.default)
        self.messages.append(head)
        self.received.extend((head["Message-ID"], to) for to in envelope.rcpt_tos)
        if self.hangs_up:
            server.transport.close()
        return "250 OK"

    def close(self) -> None:
        async def end() -> None:
            self._server.close()
            others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(end(), self._loop).result(TIMEOUT)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(TIMEOUT)
        self._loop.close()


class DeliveryFixture:
    """What a test does most with deliveries."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self.database = database
        self.settings = settings
        self.sender = self.new_sender()
        self._numbers = itertools.count(1)

    def new_sender(self, transport: Any = None, timeout: float = 10.0) -> BatchSender:
        """Another process's, as it were: it has learned nothing yet."""
        settings = self.settings
        lease, zone, organizer = settings.delivery_lease, settings.timezone, settings.from_email
        policy = SendPolicy(lease, zone, None, organizer, timeout=timeout)
        return BatchSender(self.database, transport or Transports(self.settings), policy)

    def lesson(self, starts_in: timedelta = timedelta(minutes=10), **columns: Any) -> tuple[int, datetime]:
        """A lesson of tutor 11 and student 22; its id and start."""
        starts_at = datetime.now(UTC).replace(microsecond=0) + starts_in
        ends_at = starts_at + timedelta(hours=1)
        values = {
            "tutor_id": 11,
            "student_id": 22,
            "schedule_date": starts_at.date(),
            "start_time": starts_at.time(),
            "end_time": ends_at.time(),
            "timezone": "UTC",
            "subject": "Mathematics",
            "starts_at": starts_at,
            "ends_at": ends_at,
        }
        with self.database.transaction() as session:
            lesson = Schedule(**(values | columns))
            session.add(lesson)
            session.flush()
            times = {"starts_at": lesson.starts_at, "ends_at": lesson.ends_at, "status": lesson.status or "scheduled"}
            session.add(ScheduleParticipant(schedule_id=lesson.id, student_id=22, **times))
            return lesson.id, starts_at

    def reminder(
        self, lesson: tuple[int, datetime], minutes: int = 15, *, user_id: int = STUDENT, **columns: Any
    ) -> int:
        """A reminder of a lesson; due now, unless columns say otherwise."""
        schedule_id, starts_at = lesson
        values = {
            "schedule_id": schedule_id,
            "minutes_before": minutes,
            "starts_at": starts_at,
            "expires_at": starts_at,
            "key": f"lesson:{schedule_id}:{minutes}:{int(starts_at.timestamp())}",
        }
        return self.message("lesson-reminder", user_id=user_id, **(values | columns))

    def message(self, kind: str = "recording-ready", *, user_id: int = STUDENT, **columns: Any) -> int:
        """Any message, due now; about a recording, unless columns say otherwise."""
        values = {
            "channel": "in_app",
            "data": {"recording_id": 5, "session_id": 6} if kind == "recording-ready" else {},
            "key": f"{kind}:{next(self._numbers)}",
            "due_at": datetime.now(UTC) - timedelta(seconds=1),
        }
        with self.database.transaction() as session:
            delivery = Delivery(kind=kind, user_id=user_id, **(values | columns))
            session.add(delivery)
            session.flush()
            return delivery.id

    def channel(self, kind: str, sealed: bytes, *, user_id: int = STUDENT, confirmed: bool = True) -> str:
        """A registered channel; the word for it."""
        values = {"kind": kind, "address": sealed, "user_id": user_id, "at": datetime.now(UTC) if confirmed else None}
        return str(
            self.one(
                """INSERT INTO notification_channels (kind, user_id, address, label, confirmed_at)
                   VALUES (:kind, :user_id, :address, 'a label', :at) RETURNING id""",
                **values,
            ).id
        )

    def prefer(self, user_id: int = STUDENT, **columns: Any) -> None:
        """Preferences of a person."""
        with self.database.transaction() as session:
            session.add(NotificationPreference(user_id=user_id, **columns))

    def send_all(self, sender: BatchSender | None = None) -> None:
        """Claim what is due, lane by lane, and send it."""
        for lane in BATCH:
            token = uuid4()
            with self.database.statement() as statement:
                lease = self.settings.delivery_lease
                claimed = claim(statement, lane, lost=False, token=token, most=1000, lease=lease)
            for ids in batches(claimed, BATCH[lane]):
                (sender or self.sender).deliver(ids, token)

    def one(self, sql: str, **values: Any) -> Any:
        with self.database.transaction() as session:
            return session.execute(text(sql), values).one()

    def all(self, sql: str, **values: Any) -> list[Any]:
        with self.database.transaction() as session:
            return list(session.execute(text(sql), values))

    def do(self, sql: str, **values: Any) -> None:
        with self.database.transaction() as session:
            session.execute(text(sql), values)

    def delivery(self, delivery_id: int) -> Any:
        return self.one("SELECT * FROM deliveries WHERE id = :id", id=delivery_id)

    def outcome(self, delivery_id: int) -> tuple[str, str | None]:
        """State and reason."""
        row = self.delivery(delivery_id)
        return row.state, row.reason

    def make_due(self, delivery_id: int) -> None:
        self.do("UPDATE deliveries SET due_at = now() WHERE id = :id", id=delivery_id)

    def crowd(self, count: int) -> list[int]:
        """Ids of so many people more."""
        ids = list(range(1000, 1000 + count))
        with self.database.transaction() as session:
            session.add_all(
                Person(id=user_id, first_name=f"Person {user_id}", email=f"p{user_id}@example.org") for user_id in ids
            )
        return ids

    def wait_until_quiet(self, details: Callable[[], str]) -> None:
        """Until nothing is waiting or under way."""
        left = "SELECT state, count(*) FROM deliveries WHERE state IN ('pending', 'sending') GROUP BY state"
        wait_for(lambda: not self.all(left), pause=0.1, details=lambda: f"{self.all(left)} are left: {details()}")


@pytest.fixture
def mail() -> Iterator[MailSink]:
    """A mail server that takes what it gets."""
    sink = MailSink()
    yield sink
    sink.close()


@pytest.fixture
def deliveries(settings: MakeSettings, database: Database, school: School, mail: MailSink) -> DeliveryFixture:
    """A family and a tutor (users 1, 2, 3), and a sender that reaches `mail`."""
    return DeliveryFixture(database, settings(smtp_host="127.0.0.1", smtp_port=mail.port, delivery_lease=5.0))
