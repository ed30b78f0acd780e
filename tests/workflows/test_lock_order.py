"""All transactions lock in one order (booking, series, lessons, deliveries), so that none deadlocks."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from itertools import cycle
from typing import Any

import pytest
from sqlalchemy import select, text

from models.reminders import NotificationChannel
from models.schedules import Schedule
from tests.conftest import School
from tests.statements import waits_for_a_lock
from tests.waiting import TIMEOUT, wait_for
from worker.bookings.statuses import accepted, ended
from worker.database import Database
from worker.errors import Conflict
from worker.recurrence.request import TimeRequest
from worker.reminders.channels import remove_channel
from worker.reminders.planning.alarms import Alarm
from worker.reminders.planning.plan import plan_for_person
from worker.reminders.planning.preferences import Preferences
from worker.schedules.cancelling import LessonCancellation
from worker.schedules.planning import Planning
from worker.schedules.requests import LessonRequest
from worker.schedules.reserve_slot import SlotReservation
from worker.schedules.series.reconcile import lock_series
from worker.workflows.lessons.change_booking import answer_booking, change_booking, offer_booking
from worker.workflows.lessons.change_lessons import change_lessons, make_lessons
from worker.workflows.lessons.plan_timetable import (
    add_entry,
    change_entry,
    plan_due_entries,
    plan_entries_of,
    remove_entry,
)
from worker.workflows.lessons.set_alarms import set_alarms, set_preferences

# A Monday, 11:00 in Addis Ababa.
NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
FIRST = date(2026, 3, 9)
PLANNING = Planning(NOW, horizon_days=40)
# How often each action is done at least, while the others are done beside it.
ROUNDS = 15


class ConcurrentActions:
    """Tutor 11, student 22 and their parent: single lessons that were made the latest first."""

    def __init__(self, database: Database, school: School) -> None:
        self.database = database
        self.school = school
        self._booking_id: int = school.booking_id
        self.singles = [self.make(None, time(10), FIRST + timedelta(days=days)) for days in range(24, 0, -1)]

    def make(self, pattern: str | None, start: time, day: date, *, booked: bool = True) -> Any:
        times = TimeRequest(day, start, time(start.hour + 1), "Africa/Addis_Ababa", pattern)
        request = LessonRequest(11, self._booking_id if booked else None, times, {"subject": "Maths"})
        with self.database.transaction() as session:
            return make_lessons(session, request, PLANNING)

    def cancel_every_third(self) -> None:
        for single in self.singles[::3]:
            with self.database.transaction() as session:
                change_lessons(session, self.school.tutor, LessonCancellation(single.schedule_id, "one", NOW))

    def preferences(self, who: Any) -> Iterator[None]:
        for minutes in cycle(((1440,), (30, 60), (5,))):
            with self.database.transaction() as session:
                set_preferences(session, who, Preferences(alarms=minutes, channels=("in_app",)), now=NOW)
            with self.database.transaction() as session:
                session.execute(
                    text(
                        "UPDATE deliveries SET reason = 'quiet-hours' WHERE id IN (SELECT id FROM deliveries"
                        " WHERE user_id = :user_id AND state = 'pending' LIMIT 5 FOR UPDATE SKIP LOCKED)"
                    ),
                    {"user_id": who.user_id},
                )
            yield

    def pausing(self) -> Iterator[None]:
        for status in cycle(("paused", "active")):
            with self.database.transaction() as session:
                changes = {"status": status}
                change_booking(session, self.school.tutor, self._booking_id, changes, PLANNING)
            yield

    def answering(self) -> Iterator[None]:
        """Offers a booking, accepts it, adds lessons, and ends it as the student; yields after each step."""
        tutor, student = self.school.tutor, self.school.student
        while True:
            with self.database.transaction() as session:
                booking_id = offer_booking(session, tutor, student_id=22, values={}, now=NOW).id
            yield
            for step in (accepted, ended):
                with self.database.transaction() as session:
                    answer_booking(session, student, booking_id, step, PLANNING)
                yield
                if step is accepted:
                    times = TimeRequest(FIRST, time(18), time(19), "Africa/Addis_Ababa", "every Monday")
                    with self.database.transaction() as session:
                        make_lessons(session, LessonRequest(11, booking_id, times, {}), PLANNING)
                    yield

    def alarms(self, who: Any) -> Iterator[None]:
        """Of a series, so that a transaction on its lessons waits for the series first.

        The series is made at once: later its booking may be paused.
        """
        return self._set_alarms(who, self.make("every Monday", time(8), FIRST).first[0].id)

    def _set_alarms(self, who: Any, lesson: int) -> Iterator[None]:
        for minutes in cycle((10, 20)):
            with self.database.transaction() as session:
                set_alarms(session, who, lesson, [Alarm(minutes)], scope="all", now=NOW)
            yield

    def entries(self, who: Any) -> Iterator[None]:
        """An entry of the timetable is added, changed and removed; another is planned with all that are due."""
        values = {
            "title": "Homework",
            "schedule_type": "recurring",
            "year": 2026,
            "days": ["Monday", "Tuesday"],
            "start_time": time(20),
            "end_time": time(21),
            "alarm_enabled": True,
            "alarm_before_minutes": 10,
        }
        while True:
            with self.database.transaction() as session:
                entry_id = add_entry(session, who, values, default_zone="UTC", now=NOW).id
            yield
            for minutes in (20, 30):
                with self.database.transaction() as session:
                    change_entry(session, who, entry_id, {"alarm_before_minutes": minutes}, now=NOW)
                with self.database.transaction() as session:
                    plan_entries_of(session, who.user_id, now=NOW)
                with self.database.transaction() as session:
                    plan_due_entries(session, now=NOW + timedelta(hours=2), most=10)
                yield
            with self.database.transaction() as session:
                remove_entry(session, who, entry_id)
            yield

    def channels(self, who: Any) -> Iterator[None]:
        """Adds a channel, plans reminders for it and removes it."""
        while True:
            with self.database.transaction() as session:
                channel = NotificationChannel(
                    user_id=who.user_id, kind="email", address=b"x", label="x", confirmed_at=NOW
                )
                session.add(channel)
                session.flush()
                channel_id = channel.id
            with self.database.transaction() as session:
                preferences = Preferences(alarms=(30, 60), channels=(str(channel_id),))
                set_preferences(session, who, preferences, now=NOW)
            yield
            with self.database.transaction() as session:
                remove_channel(session, who.user_id, channel_id)
                plan_for_person(session, who.user_id, now=NOW)
            yield

    def booking_slots(self, who: Any) -> Iterator[None]:
        """Books a slot and releases it; while the booking is paused both are refused."""
        slots = self.make("every Monday", time(16), FIRST, booked=False)
        for slot in cycle([lesson.id for lesson in slots.first]):
            with suppress(Conflict), self.database.transaction() as session:
                free = session.get_one(Schedule, slot).student_id is None
                if free:
                    change_lessons(session, who, SlotReservation(slot, None, None, NOW))
                else:
                    change_lessons(session, who, LessonCancellation(slot, "one", NOW))
            yield

    def run(self, *actions: Iterator[None]) -> None:
        """Runs all concurrently until each has made ROUNDS steps; raises the first error."""
        ended = threading.Event()
        done = [0] * len(actions)
        errors: list[Exception] = []

        def work(number: int) -> None:
            try:
                while not ended.is_set():
                    next(actions[number])
                    done[number] += 1
            except Exception as error:  # noqa: BLE001 - reported by the test
                errors.append(error)
                ended.set()

        threads = [threading.Thread(target=work, args=(number,)) for number in range(len(actions))]
        for thread in threads:
            thread.start()
        try:
            wait_for(lambda: errors or min(done) >= ROUNDS, details=lambda: done)
        finally:
            ended.set()
            for thread in threads:
                thread.join()
        if errors:
            raise errors[0]


@pytest.fixture
def actions(database: Database, school: School) -> ConcurrentActions:
    return ConcurrentActions(database, school)


CASES: dict[str, Callable[[ConcurrentActions], list[Iterator[None]]]] = {
    "preferences": lambda actions: [
        actions.preferences(actions.school.student),
        actions.preferences(actions.school.tutor),
        actions.pausing(),
    ],
    "alarms": lambda actions: [
        actions.alarms(actions.school.parent),
        actions.preferences(actions.school.tutor),
        actions.pausing(),
    ],
    "channels": lambda actions: [
        actions.channels(actions.school.parent),
        actions.preferences(actions.school.tutor),
        actions.pausing(),
    ],
    "answers": lambda actions: [actions.answering(), actions.preferences(actions.school.student), actions.pausing()],
    "entries": lambda actions: [
        actions.entries(actions.school.student),
        actions.entries(actions.school.student),
        actions.preferences(actions.school.student),
        actions.channels(actions.school.student),
    ],
    "slots": lambda actions: [
        actions.booking_slots(actions.school.student),
        actions.preferences(actions.school.parent),
        actions.pausing(),
    ],
}


@pytest.mark.parametrize("case", CASES)
def test_nobody_is_stopped(actions: ConcurrentActions, case: str) -> None:
    actions.cancel_every_third()

    actions.run(*CASES[case](actions))


def test_a_booked_slot_is_locked_after_its_series(actions: ConcurrentActions) -> None:
    """Whoever holds the series can have all its lessons, also those that a booking which is being paused has booked."""
    slots = actions.make("every Monday", time(16), FIRST, booked=False)
    booked = slots.first[0].id
    with actions.database.transaction() as session:
        change_lessons(session, actions.school.student, SlotReservation(booked, None, None, NOW))

    with ThreadPoolExecutor(1) as pool:
        with actions.database.transaction() as session:
            lock_series(session, [slots.series_id])
            paused = pool.submit(next, actions.pausing())
            wait_for(lambda: waits_for_a_lock(actions.database))
            assert not paused.done()
            query = select(Schedule.id).where(Schedule.id == booked).with_for_update(nowait=True)
            assert session.scalar(query) == booked
        paused.result(timeout=TIMEOUT)

    with actions.database.transaction() as session:
        assert session.get_one(Schedule, booked).status == "cancelled"
