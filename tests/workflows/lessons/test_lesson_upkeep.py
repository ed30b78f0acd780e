"""The jobs of beat that keep lessons up to date."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import insert

from models.schedules import Schedule
from models.series import Series, SeriesParticipant
from models.whiteboards import WhiteboardSession
from tests.conftest import MakeSettings, Processes, School, Sql
from tests.waiting import wait_for
from worker.database import Database
from worker.jobs.enqueue import enqueue
from worker.jobs.orders.order import Order
from worker.jobs.orders.routine_orders import AdvanceLessons, FillSeries
from worker.jobs.runs.perform import Performer
from worker.jobs.runs.run_lease import LeaseTiming
from worker.workflows.context import WorkerContext
from worker.workflows.lessons.lesson_upkeep import advance_lessons, fill_series
from worker.workflows.recordings.failure_hooks import FAILURE_HOOKS

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)
HORIZON = 90


class UpkeepFixture:
    """Series and lessons of the school's tutor, and the jobs that maintain them."""

    def __init__(self, context: WorkerContext, school: School, sql: Sql) -> None:
        self.context = context
        self.school = school
        self.sql = sql

    def add(self, model: Any, **values: Any) -> int:
        with self.context.database.transaction() as session:
            return int(session.scalars(insert(model).values(values).returning(model.id)).one())

    def series(self, rrule: str | None, first: date = NOW.date(), *, hour: int = 14, **columns: Any) -> int:
        values = {
            "tutor_id": 11,
            "has_students": True,
            "schedule_date": first,
            "start_time": f"{hour}:00",
            "end_time": f"{hour + 1}:00",
            "timezone": "Africa/Addis_Ababa",
            "rrule": rrule,
            "recurrence_pattern": "words",
            **columns,
        }
        series_id = self.add(Series, **values)
        if values["has_students"]:
            with self.context.database.transaction() as session:
                member = {"series_id": series_id, "student_id": 22, "booking_id": self.school.booking_id}
                session.execute(insert(SeriesParticipant).values(member))
        return series_id

    def lesson(self, day: date, start: str, end: str, **columns: Any) -> int:
        """A row that was inserted by hand."""
        local = {"schedule_date": day, "start_time": start, "end_time": end}
        return self.add(Schedule, **{"tutor_id": 11, "student_id": 22, **local, **columns})

    def perform(self, order: Order, work: Any, now: datetime = NOW, **changes: Any) -> Any:
        """Perform it as a worker does; returns the job's result."""
        with self.context.database.transaction() as session:
            job_id = enqueue(session, order)
        context = WorkerContext(self.context.settings.model_copy(update=changes), self.context.database)
        performer = Performer(self.context.database, "test", LeaseTiming(30, 10, 0.05), 0.01, FAILURE_HOOKS)
        performer.perform(job_id, lambda run, _order: work(run, context, now))
        ((state, result),) = self.sql("SELECT state, result FROM jobs WHERE id = :id", id=job_id)
        assert state == "succeeded"
        return result

    def status(self, series_id: int) -> str:
        return str(self.sql("SELECT status FROM schedule_series WHERE id = :id", id=series_id)[0][0])


@pytest.fixture
def upkeep(settings: MakeSettings, database: Database, school: School, sql: Sql) -> UpkeepFixture:
    return UpkeepFixture(WorkerContext(settings(), database), school, sql)


Perform = Callable[..., Any]


@pytest.fixture
def advance(upkeep: UpkeepFixture) -> Perform:
    return partial(upkeep.perform, AdvanceLessons(), advance_lessons)


@pytest.fixture
def fill(upkeep: UpkeepFixture) -> Perform:
    return partial(upkeep.perform, FillSeries(), fill_series)


class TestAdvance:
    """`schedules.advance`."""

    def test_all_of_it(self, upkeep: UpkeepFixture, advance: Perform) -> None:
        nothing = {"begun": 0, "completed": 0, "closed": 0, "dated": 0, "entries": 0, "stuck": 0, "stuck_ids": []}
        assert advance() == nothing
        past = upkeep.lesson(NOW.date() - DAY, "14:00", "15:00")
        present = upkeep.lesson(NOW.date(), "11:30", "12:30")
        upkeep.lesson(NOW.date(), "13:00", "14:00")
        wrong = upkeep.lesson(NOW.date(), "15:00", "16:00", timezone="Nowhere")
        double = upkeep.lesson(NOW.date(), "13:30", "14:30")
        upkeep.add(WhiteboardSession, status="in_progress", actual_start=NOW - DAY)
        stuck = {"stuck": 2, "stuck_ids": [wrong, double]}
        assert advance() == {**nothing, "closed": 1, "dated": 3, **stuck}
        assert advance() == {**nothing, "begun": 1, "completed": 1, **stuck}
        assert advance() == {**nothing, **stuck}
        statuses = dict(upkeep.sql("SELECT id, status FROM tutor_schedules WHERE status <> 'scheduled'"))
        assert statuses == {past: "completed", present: "in_progress"}

    def test_settings_decide(self, upkeep: UpkeepFixture, advance: Perform) -> None:
        upkeep.add(WhiteboardSession, status="in_progress", actual_start=NOW - timedelta(minutes=10))
        lesson = upkeep.lesson(NOW.date(), "14:00", "15:00")
        assert advance(whiteboard_left_seconds=601)["closed"] == 0
        assert advance(whiteboard_left_seconds=599, timezone="America/New_York")["closed"] == 1
        # The first run had dated it by Addis Ababa's clocks.
        assert upkeep.sql("SELECT id, starts_at FROM tutor_schedules") == [(lesson, NOW + timedelta(hours=2))]

    def test_more_than_a_batch(self, upkeep: UpkeepFixture, advance: Perform) -> None:
        upkeep.sql(
            "INSERT INTO tutor_schedules (tutor_id, student_id, schedule_date, start_time, end_time)"
            " SELECT 11, 22, DATE '2020-01-01' + n, '14:00', '15:00' FROM generate_series(1, 1100) n"
        )
        assert advance()["dated"] == 1100
        assert advance()["completed"] == 1100


class TestFill:
    """`schedules.fill`."""

    def test_series_are_filled_to_their_horizon(self, upkeep: UpkeepFixture, fill: Perform) -> None:
        daily = upkeep.series("FREQ=DAILY", hour=8)
        weekly = upkeep.series("FREQ=WEEKLY;BYDAY=MO", hour=10, has_students=False)
        paused = upkeep.series("FREQ=DAILY", hour=12, status="paused")
        result = fill()
        assert (result["series"], result["lessons"], result["skipped"]) == (2, 91 + 13, 0)
        assert fill()["series"] == 0
        assert upkeep.sql("SELECT series_id, count(*) FROM tutor_schedules GROUP BY 1 ORDER BY 1") == [
            *((daily, 91), (weekly, 13))
        ]
        # Three days without beat, the first of June, a Monday, among those to be added.
        assert fill(NOW + 3 * DAY)["lessons"] == 3 + 1
        assert upkeep.status(paused) == "paused"

    def test_what_collides_is_skipped_and_counted(self, upkeep: UpkeepFixture, fill: Perform, advance: Perform) -> None:
        upkeep.lesson(NOW.date() + 2 * DAY, "14:30", "15:30")
        advance()
        upkeep.series("FREQ=DAILY")
        result = fill()
        assert (result["series"], result["lessons"], result["skipped"]) == (1, 90, 1)
        assert upkeep.sql("SELECT occurrence_date, reason FROM schedule_skips") == [
            (NOW.date() + 2 * DAY, "tutor-busy"),
        ]

    def test_more_series_than_a_batch(self, upkeep: UpkeepFixture, fill: Perform) -> None:
        upkeep.sql(
            "INSERT INTO schedule_series (tutor_id, has_students, schedule_date, start_time, end_time, timezone, rrule,"
            " recurrence_pattern) SELECT 11, false, '2026-03-02', '14:00', '15:00', 'Africa/Addis_Ababa',"
            " 'FREQ=MONTHLY', 'words' FROM generate_series(1, 250)"
        )
        assert fill()["series"] == 250

    def test_neighbours_of_another_batch_are_waited_for(
        self, upkeep: UpkeepFixture, fill: Perform, advance: Perform
    ) -> None:
        """A day's lessons end to end, on both sides of a batch's end, all of them an hour too early."""
        upkeep.sql(
            "INSERT INTO tutor_schedules (tutor_id, student_id, schedule_date, start_time, end_time)"
            " SELECT 11, 22, DATE '2026-04-01' + n, '14:00', '15:00' FROM generate_series(1, 495) n"
        )
        for hour in range(6, 20):
            upkeep.lesson(NOW.date() + DAY, f"{hour:02}:00", f"{hour + 1:02}:00")
        advance()
        before = upkeep.sql("SELECT id, starts_at, status FROM tutor_schedules ORDER BY id")
        upkeep.sql("UPDATE tutor_schedules SET status = 'cancelled'")
        upkeep.sql(
            "UPDATE tutor_schedules SET starts_at = starts_at - interval '1 h', ends_at = ends_at - interval '1 h',"
            " status = 'scheduled', tzdata_version = '2020a'"
        )
        result = fill()
        assert (result["moved"], result["stuck"]) == (495 + 14, 0)
        assert upkeep.sql("SELECT id, starts_at, status FROM tutor_schedules ORDER BY id") == before

    @pytest.mark.parametrize(
        ("rrule", "first", "finished"),
        [
            ("FREQ=DAILY", "2025-12-01", False),
            ("FREQ=DAILY;UNTIL=20260302", "2025-12-01", False),
            ("FREQ=DAILY;UNTIL=20260301", "2025-12-01", True),
            ("FREQ=WEEKLY;BYDAY=SU;UNTIL=20260307", "2026-02-01", True),
            ("FREQ=DAILY;COUNT=10", "2026-02-20", True),
            ("FREQ=DAILY;COUNT=11", "2026-02-20", False),
            ("FREQ=YEARLY;COUNT=2", "2026-02-20", False),
            ("RSCALE=ETHIOPIC;FREQ=MONTHLY;COUNT=1", "2026-03-01", True),
        ],
    )
    def test_a_series_past_its_last_day_is_completed(
        self, upkeep: UpkeepFixture, fill: Perform, rrule: str, first: str, finished: bool
    ) -> None:
        series_id = upkeep.series(rrule, date.fromisoformat(first))
        result = fill()
        assert (result["finished"], upkeep.status(series_id)) == (finished, "completed" if finished else "active")

    def test_so_are_dates_and_no_others(self, upkeep: UpkeepFixture, fill: Perform) -> None:
        past = upkeep.series(None, dates=[date(2026, 2, 1), date(2026, 2, 3)], hour=8)
        today = upkeep.series(None, dates=[date(2026, 2, 1), date(2026, 3, 2)], hour=10)
        paused = upkeep.series(None, dates=[date(2026, 2, 1)], hour=12, status="paused")
        assert fill()["finished"] == 1
        assert [upkeep.status(series_id) for series_id in (past, today, paused)] == ["completed", "active", "paused"]
        assert fill(NOW + DAY)["finished"] == 1

    def test_the_day_is_that_of_the_zone(self, upkeep: UpkeepFixture, fill: Perform) -> None:
        """11:30 UTC on the 2nd is the 3rd already in Kiritimati, and only just the 2nd in Niue."""
        half_past = datetime(2026, 3, 2, 11, 30, tzinfo=UTC)
        east = upkeep.series("FREQ=DAILY;UNTIL=20260302", date(2026, 3, 1), timezone="Pacific/Kiritimati", hour=1)
        west = upkeep.series("FREQ=DAILY;UNTIL=20260302", date(2026, 3, 1), timezone="Pacific/Niue", hour=1)
        assert fill(half_past)["finished"] == 1
        assert [upkeep.status(series_id) for series_id in (east, west)] == ["completed", "active"]

    def test_a_lesson_moved_beyond_the_end_keeps_its_series(self, upkeep: UpkeepFixture, fill: Perform) -> None:
        series_id = upkeep.series("FREQ=DAILY;COUNT=2", date(2026, 2, 20))
        fill(datetime(2026, 2, 20, tzinfo=UTC))
        upkeep.sql(
            "UPDATE tutor_schedules SET starts_at = starts_at + interval '30 d', ends_at = ends_at + interval '30 d',"
            " is_override = true WHERE occurrence_date = '2026-02-21'"
        )
        assert fill()["finished"] == 0
        assert fill(NOW + 30 * DAY)["finished"] == 1
        assert upkeep.status(series_id) == "completed"


def test_a_running_worker_does_both(
    upkeep: UpkeepFixture, settings: MakeSettings, database: Database, redis_url: str, processes: Processes
) -> None:
    """Ordered as beat orders: a row of `jobs`, done by the process that serves `default`."""
    # Where the lessons are: the day there begins three hours before UTC's.
    today = datetime.now(ZoneInfo("Africa/Addis_Ababa")).date()
    lesson = upkeep.lesson(today - 2 * DAY, "14:00", "15:00")
    upkeep.series("FREQ=DAILY", today)
    processes.worker(settings(), "--queues", "default")

    def all_done() -> bool:
        """Whether the lesson is completed and the series filled; orders both jobs, as beat does, when not."""
        completed = upkeep.sql("SELECT status FROM tutor_schedules WHERE id = :id", id=lesson) == [("completed",)]
        if completed and upkeep.sql("SELECT 1 FROM tutor_schedules WHERE series_id IS NOT NULL LIMIT 1"):
            return True
        with database.transaction() as session:
            for order in (AdvanceLessons(), FillSeries()):
                enqueue(session, order, principal="beat")
        return False

    wait_for(all_done, pause=0.3, details=processes.logs)
    kinds = "SELECT DISTINCT kind FROM jobs WHERE state = 'succeeded' ORDER BY 1"
    wait_for(lambda: upkeep.sql(kinds) == [("schedules.advance",), ("schedules.fill",)], details=processes.logs)
    assert upkeep.sql("SELECT DISTINCT principal FROM jobs") == [("beat",)]
    assert upkeep.sql("SELECT count(*) FROM tutor_schedules WHERE series_id IS NOT NULL") == [(HORIZON + 1,)]
