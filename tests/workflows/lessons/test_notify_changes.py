"""However lessons are changed, reminders are replanned and the others notified in the same transaction."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from tests.conftest import School
from tests.workflows.conftest import BookingFixture, RecordingFixture
from worker.database import Database
from worker.errors import AstegniError
from worker.jobs.enqueue import enqueue
from worker.jobs.orders.order import Order
from worker.jobs.orders.recording_orders import IngestRecording
from worker.jobs.orders.routine_orders import AdvanceLessons, FillSeries
from worker.jobs.runs.cancel import retry_job
from worker.jobs.runs.perform import Performer
from worker.jobs.runs.run_lease import LeaseTiming
from worker.recurrence.request import TimeRequest
from worker.reminders.planning.alarms import Alarm
from worker.reminders.planning.lessons import Scope
from worker.schedules.cancelling import LessonCancellation
from worker.schedules.changes import LessonChange
from worker.schedules.planning import Planning
from worker.schedules.requests import LessonRequest
from worker.schedules.reserve_slot import SlotReservation
from worker.schedules.skips import DaySkip
from worker.workflows.context import WorkerContext
from worker.workflows.lessons import lesson_upkeep
from worker.workflows.lessons.change_lessons import change_lessons, make_lessons
from worker.workflows.lessons.notify_changes import notices_of_changes
from worker.workflows.lessons.session_requests import reject_request
from worker.workflows.lessons.set_alarms import read_alarms, set_alarms
from worker.workflows.recordings.failure_hooks import FAILURE_HOOKS

# A Monday, 11:00 in Addis Ababa.
NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
MONDAY = date(2026, 3, 9)
PLANNING = Planning(NOW, horizon_days=27)


class LessonCommands:
    """Lesson changes; tutor 11, student 22 and their parent (users 1, 2, 3) each have an in-app alarm a day before."""

    def __init__(self, database: Database, school: School) -> None:
        self.database = database
        self.school = school
        self.sql(
            "INSERT INTO notification_preferences (user_id, alarms, channels)"
            " SELECT id, '{1440}', '{in_app}' FROM users"
        )

    def sql(self, statement: str, **values: Any) -> Sequence[Any]:
        with self.database.transaction() as session:
            result = session.execute(text(statement), values)
            return result.all() if result.returns_rows else []  # type: ignore[attr-defined]

    def make(self, pattern: str | None = "every Monday", booked: bool = True, day: date = MONDAY) -> Any:
        times = TimeRequest(day, time(10), time(11), "Africa/Addis_Ababa", pattern)
        request = LessonRequest(11, self.school.booking_id if booked else None, times, {"subject": "Maths"})
        with self.database.transaction() as session:
            return make_lessons(session, request, PLANNING)

    def change(self, lesson_id: int, scope: str = "one", **changes: Any) -> None:
        with self.database.transaction() as session:
            change_lessons(session, self.school.tutor, LessonChange(lesson_id, changes, scope, PLANNING))

    def cancel(self, lesson_id: int, scope: str = "one", who: Any = None) -> None:
        with self.database.transaction() as session:
            change_lessons(session, who or self.school.tutor, LessonCancellation(lesson_id, scope, NOW))

    def lessons(self) -> list[int]:
        return [row.id for row in self.sql("SELECT id FROM tutor_schedules ORDER BY starts_at, id")]

    def reminders(self) -> list[tuple[int, str]]:
        """(user, local start) of the pending reminders."""
        rows = self.sql("SELECT * FROM deliveries WHERE kind = 'lesson-reminder' AND state = 'pending'")
        return sorted((row.user_id, f"{row.starts_at + timedelta(hours=3):%m-%d %H:%M}") for row in rows)

    def messages(self, *names: str) -> list[tuple[Any, ...]]:
        """(kind, user, these fields of the data) of each message, in order."""
        rows = self.sql("SELECT * FROM deliveries WHERE kind <> 'lesson-reminder' ORDER BY kind, user_id, id")
        return [(row.kind, row.user_id, *(row.data.get(name) for name in names)) for row in rows]


@pytest.fixture
def commands(database: Database, school: School) -> LessonCommands:
    return LessonCommands(database, school)


def everybody(*starts: str, users: Sequence[int] = (1, 2, 3)) -> list[tuple[int, str]]:
    return sorted((user, start) for user in users for start in starts)


MONDAYS = ("03-09 10:00", "03-16 10:00", "03-23 10:00", "03-30 10:00")


class TestLessons:
    def test_made(self, commands: LessonCommands) -> None:
        commands.make()
        assert commands.reminders() == everybody(*MONDAYS)
        assert commands.messages() == []

    def test_single_one(self, commands: LessonCommands) -> None:
        commands.make(None)
        assert commands.reminders() == everybody(MONDAYS[0])

    def test_moved(self, commands: LessonCommands) -> None:
        commands.make()
        commands.change(commands.lessons()[1], start_time=time(14), end_time=time(15))
        assert commands.reminders() == everybody(MONDAYS[0], "03-16 14:00", *MONDAYS[2:])
        before = "2026-03-16T07:00:00+00:00"
        assert commands.messages("before_starts_at", "count", "by") == [
            ("lesson-moved", 2, before, 1, "tutor 1"),
            ("lesson-moved", 3, before, 1, "tutor 1"),
        ]

    def test_moved_with_all_that_follow_is_one_message(self, commands: LessonCommands) -> None:
        commands.make()
        lessons = commands.lessons()
        commands.change(lessons[1], "following", start_time=time(14), end_time=time(15))
        assert commands.reminders() == everybody(MONDAYS[0], "03-16 14:00", "03-23 14:00", "03-30 14:00", "04-06 14:00")
        assert commands.messages("schedule_id", "count") == [
            ("lesson-moved", 2, lessons[1], 3),
            ("lesson-moved", 3, lessons[1], 3),
        ]

    def test_what_does_not_move_is_not_told(self, commands: LessonCommands) -> None:
        commands.make()
        before = commands.sql("SELECT * FROM deliveries ORDER BY id")
        commands.change(commands.lessons()[0], "all", subject="Physics")
        assert commands.sql("SELECT * FROM deliveries ORDER BY id") == before

    def test_to_other_days(self, commands: LessonCommands) -> None:
        commands.make()
        commands.change(
            commands.lessons()[0], "all", recurrence_pattern="every Tuesday", schedule_date=date(2026, 3, 10)
        )
        starts = ("03-10 10:00", "03-17 10:00", "03-24 10:00", "03-31 10:00")
        assert commands.reminders() == everybody(*starts)
        assert commands.messages("count") == [("lesson-cancelled", 2, 4), ("lesson-cancelled", 3, 4)]

    def test_cancelled(self, commands: LessonCommands) -> None:
        commands.make()
        first = commands.lessons()[0]
        commands.cancel(first)
        commands.cancel(first)
        assert commands.reminders() == everybody(*MONDAYS[1:])
        assert commands.messages("view", "students", "starts_at", "count") == [
            ("lesson-cancelled", 2, "student", ["student 2"], "2026-03-09T07:00:00+00:00", 1),
            ("lesson-cancelled", 3, "parent", ["student 2"], "2026-03-09T07:00:00+00:00", 1),
        ]

    def test_the_whole_series_cancelled(self, commands: LessonCommands) -> None:
        commands.make()
        commands.cancel(commands.lessons()[0], "all")
        assert commands.reminders() == []
        assert commands.messages("count") == [("lesson-cancelled", 2, 4), ("lesson-cancelled", 3, 4)]

    def test_days_skipped(self, commands: LessonCommands) -> None:
        series = commands.make()
        with commands.database.transaction() as session:
            days = [date(2026, 3, 16), date(2026, 3, 30)]
            change_lessons(session, commands.school.tutor, DaySkip(series.series_id, frozenset(days), NOW))
        assert commands.reminders() == everybody(MONDAYS[0], MONDAYS[2])
        assert commands.messages("count") == [("lesson-cancelled", 2, 2), ("lesson-cancelled", 3, 2)]

    def test_a_slot_booked_and_given_back(self, commands: LessonCommands) -> None:
        commands.make(None, booked=False)
        assert commands.reminders() == []
        slot = commands.lessons()[0]
        with commands.database.transaction() as session:
            change_lessons(session, commands.school.student, SlotReservation(slot, None, None, NOW))
        assert commands.reminders() == everybody(MONDAYS[0])
        commands.cancel(slot, who=commands.school.student)
        assert commands.reminders() == []
        assert commands.messages("by", "students") == [
            ("lesson-booked", 1, "student 2", ["student 2"]),
            ("lesson-booked", 3, "student 2", ["student 2"]),
            ("lesson-cancelled", 1, "student 2", ["student 2"]),
            ("lesson-cancelled", 3, "student 2", ["student 2"]),
        ]

    def test_a_refusal_leaves_nothing(self, commands: LessonCommands) -> None:
        commands.make()
        before = commands.sql("SELECT * FROM deliveries ORDER BY id")
        with suppress(AstegniError):
            commands.change(commands.lessons()[0], schedule_date=date(2026, 3, 16))
        with pytest.raises(ZeroDivisionError), commands.database.transaction() as session:
            with notices_of_changes(session, Scope(commands.lessons()), by=None, now=NOW):
                session.execute(text("UPDATE tutor_schedules SET status = 'cancelled'"))
            raise ZeroDivisionError
        assert commands.sql("SELECT * FROM deliveries ORDER BY id") == before


class TestBookings:
    def test_paused_and_resumed(self, bookings: BookingFixture, commands: LessonCommands) -> None:
        commands.make()
        booking = commands.school.booking_id
        bookings.change(booking, now=NOW, status="paused")
        assert commands.reminders() == []
        first = commands.lessons()[0]
        assert commands.messages("count", "schedule_id") == [
            ("lesson-cancelled", 2, 4, first),
            ("lesson-cancelled", 3, 4, first),
        ]
        bookings.change(booking, now=NOW, status="active")
        assert commands.reminders()[: len(MONDAYS)] == everybody(*MONDAYS, users=[1])
        assert commands.messages("count", "schedule_id")[2:] == [
            ("lesson-restored", 2, 4, first),
            ("lesson-restored", 3, 4, first),
        ]

    def test_who_comes_back_into_a_group(self, bookings: BookingFixture, commands: LessonCommands) -> None:
        bookings.accept(bookings.ask())
        bookings.accept(bookings.ask(commands.school.other_parent, student_id=25))
        ((booking,),) = commands.sql("SELECT booking_id FROM series_participants WHERE student_id = 25")
        for status in ("paused", "active"):
            bookings.change(booking, status=status)
        assert {user for user, _ in commands.reminders()} == {1, 2, 3, 5, 6}
        assert {row[1] for row in commands.messages() if row[0] == "lesson-restored"} == {5, 6}

    def test_all_series_and_single_lessons_of_a_booking_are_one_message(
        self, bookings: BookingFixture, commands: LessonCommands
    ) -> None:
        commands.make()
        commands.make(None, day=MONDAY + timedelta(days=1))
        commands.make("every Wednesday", day=MONDAY + timedelta(days=2))
        for status in ("paused", "active"):
            bookings.change(commands.school.booking_id, status=status)
        messages = commands.messages("count")
        assert [row[:2] for row in messages] == [
            (f"lesson-{what}", user) for what in ("cancelled", "restored") for user in (2, 3)
        ]
        assert {row[2] for row in messages if row[0] == "lesson-cancelled"} == {9}

    def test_who_is_let_into_further_lessons_of_a_group(
        self, bookings: BookingFixture, commands: LessonCommands
    ) -> None:
        """They are new to them: nothing is on again. Nor are they forgotten: reminders come."""
        bookings.accept(bookings.ask())
        bookings.accept(
            bookings.ask(commands.school.other_parent, student_id=25), values={"end_date": date(2026, 3, 16)}
        )
        ((booking,),) = commands.sql("SELECT booking_id FROM series_participants WHERE student_id = 25")
        few = sum(user == 5 for user, _ in commands.reminders())
        commands.sql("DELETE FROM deliveries WHERE kind <> 'lesson-reminder'")
        bookings.change(booking, end_date=date(2026, 4, 6))
        assert sum(user == 5 for user, _ in commands.reminders()) == few + 3
        assert commands.messages() == []
        # What was taken away and is given back is on again.
        bookings.change(booking, end_date=date(2026, 3, 30))
        bookings.change(booking, end_date=date(2026, 4, 6))
        assert commands.messages("count") == [
            (kind, user, 1) for kind in ("lesson-cancelled", "lesson-restored") for user in (5, 6)
        ]

    def test_who_leaves_a_group(self, bookings: BookingFixture, commands: LessonCommands) -> None:
        bookings.accept(bookings.ask())
        bookings.accept(bookings.ask(commands.school.other_parent, student_id=25))
        assert {user for user, _ in commands.reminders()} == {1, 2, 3, 5, 6}
        ((booking,),) = commands.sql("SELECT booking_id FROM series_participants WHERE student_id = 25")
        bookings.change(booking, status="cancelled")
        assert {user for user, _ in commands.reminders()} == {1, 2, 3}
        assert {row[1] for row in commands.messages() if row[0] == "lesson-cancelled"} == {5, 6}


class TestRequests:
    def test_asked_and_accepted(self, bookings: BookingFixture, commands: LessonCommands) -> None:
        request = bookings.ask(commands.school.parent, student_id=22)
        fields = ("request_id", "requester", "student", "package_name")
        assert commands.messages(*fields) == [("request-received", 1, request, "parent 3", "student 2", "Algebra")]
        bookings.accept(request)
        bookings.accept(request)
        assert commands.messages("tutor", "student")[0] == ("request-accepted", 3, "tutor 1", "student 2")
        assert len(commands.messages()) == 2
        assert {user for user, _ in commands.reminders()} == {1, 2, 3}

    def test_rejected(self, bookings: BookingFixture, commands: LessonCommands) -> None:
        request = bookings.ask()
        for _ in range(2):
            with commands.database.transaction() as session:
                reject_request(session, commands.school.tutor, request, now=NOW)
        # A student who asked for themselves is not named to themselves.
        assert commands.messages("tutor", "student")[1:] == [("request-rejected", 2, "tutor 1", None)]
        assert len(commands.messages()) == 2


class TestAlarms:
    def test_a_split_series_keeps_everybodys_alarms(self, commands: LessonCommands) -> None:
        commands.make()
        lessons = commands.lessons()
        with commands.database.transaction() as session:
            set_alarms(session, commands.school.parent, lessons[0], [Alarm(30)], scope="all", now=NOW)
        commands.change(lessons[2], "following", start_time=time(14), end_time=time(15))
        with commands.database.transaction() as session:
            assert read_alarms(session, commands.school.parent, lessons[3], scope="one") == ("series", [Alarm(30)])
        rows = commands.sql(
            "SELECT DISTINCT minutes_before FROM deliveries WHERE user_id = 3 AND state = 'pending'"
            " AND kind = 'lesson-reminder'"
        )
        assert rows == [(30,)]


Perform = Callable[[Order, Any], None]


@pytest.fixture
def perform_job(context: WorkerContext) -> Perform:
    """`perform_job(order, work)`: performs it as a worker does, at the time of these tests."""

    def perform(order: Order, work: Any) -> None:
        with context.database.transaction() as session:
            job_id = enqueue(session, order)
        performer = Performer(context.database, "test", LeaseTiming(30, 10, 0.05), 0.01, FAILURE_HOOKS)
        performer.perform(job_id, lambda run, _order: work(run, context, NOW))

    return perform


class TestByItself:
    def test_filled(self, commands: LessonCommands, perform_job: Perform) -> None:
        commands.make()
        commands.sql("DELETE FROM deliveries")
        commands.sql("DELETE FROM tutor_schedules WHERE starts_at > '2026-03-10'")
        commands.sql("UPDATE schedule_series SET expanded_until = '2026-03-09'")
        perform_job(FillSeries(), lesson_upkeep.fill_series)
        rows = commands.sql("SELECT count(*) FROM tutor_schedules WHERE status = 'scheduled'")
        assert len(commands.reminders()) == 3 * rows[0][0] > 30
        assert commands.messages() == []

    def test_a_parent_who_came_is_found_within_the_hour(self, commands: LessonCommands, perform_job: Perform) -> None:
        commands.sql("UPDATE student_profiles SET parent_id = '{}' WHERE id = 22")
        commands.make(None)
        commands.sql("UPDATE student_profiles SET parent_id = '{33}' WHERE id = 22")
        perform_job(FillSeries(), lesson_upkeep.fill_series)
        assert commands.reminders() == everybody(MONDAYS[0])

    def test_written_by_hand(self, commands: LessonCommands, perform_job: Perform) -> None:
        commands.sql(
            "INSERT INTO tutor_schedules (tutor_id, student_id, schedule_date, start_time, end_time)"
            " VALUES (11, 22, '2026-03-09', '10:00', '11:00')"
        )
        perform_job(AdvanceLessons(), lesson_upkeep.advance_lessons)
        assert commands.reminders() == everybody(MONDAYS[0])

    def test_the_rules_of_a_zone_change(self, commands: LessonCommands, perform_job: Perform) -> None:
        commands.make(None)
        commands.sql(
            "UPDATE tutor_schedules SET tzdata_version = 'old', starts_at = starts_at - interval '1 h',"
            " ends_at = ends_at - interval '1 h'"
        )
        perform_job(FillSeries(), lesson_upkeep.fill_series)
        assert commands.reminders() == everybody(MONDAYS[0])
        assert commands.messages() == []


def test_a_recording_is_ready_on_its_page(
    commands: LessonCommands, recordings: RecordingFixture, sample: bytes
) -> None:
    recordings.context.settings = recordings.context.settings.model_copy(
        update={"recording_url": "https://a.example/watch/{recording_id}"}
    )
    recording = recordings.arrive(sample)
    recordings.perform(IngestRecording, recording)
    assert {row[2] for row in commands.messages("link")} == {f"https://a.example/watch/{recording}"}


def test_a_recording_is_ready(commands: LessonCommands, recordings: RecordingFixture, sample: bytes) -> None:
    recording = recordings.arrive(sample)
    recordings.perform(IngestRecording, recording)
    expected = [("recording-ready", user, recording, "Lesson") for user in (1, 2, 3)]
    assert commands.messages("recording_id", "title") == expected
    assert commands.messages("session_id")[0][2] == recordings.session_id


def test_a_recording_that_failed_is_told_to_its_tutor_once(
    commands: LessonCommands, recordings: RecordingFixture, sample: bytes
) -> None:
    """Cut in its header: damaged, but not nothing, so the bytes are kept for another try."""
    recording = recordings.arrive(sample[:100])
    job = recordings.perform(IngestRecording, recording)
    assert (job.state, job.error["reason"]) == ("failed", "damaged")

    expected = [("recording-failed", 1, recording, "damaged", True)]
    assert commands.messages("recording_id", "reason_code", "kept") == expected
    assert commands.messages("reason")[0][2] == job.error["detail"]
    assert recordings.spooled() == [recordings.row(recording).spool_name]
    with recordings.database.transaction() as session:
        retry_job(session, job.id)
    assert recordings.perform(IngestRecording, recording).state == "failed"
    assert commands.messages("recording_id", "reason_code", "kept") == expected


def test_a_recording_that_is_cut_off_is_ready_and_says_so(
    commands: LessonCommands, recordings: RecordingFixture, sample: bytes
) -> None:
    recording = recordings.arrive(sample[:60_000])
    recordings.perform(IngestRecording, recording)
    assert {tuple(row[2]) for row in commands.messages("missing")} == {("cut-off",)}


def test_no_media_is_told_without_a_promise_to_keep_it(commands: LessonCommands, recordings: RecordingFixture) -> None:
    recording = recordings.arrive(b"<!DOCTYPE html><html></html>")
    recordings.perform(IngestRecording, recording)
    assert commands.messages("reason_code", "kept") == [("recording-failed", 1, "not-a-recording", False)]
