"""A tutor's schedules: series and lessons as tests make them, and what is stored of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

import pytest
from sqlalchemy import Row, text

from tests.conftest import School, Sql
from worker.database import Database
from worker.recurrence.request import TimeRequest, read_recurrence
from worker.schedules.create_lesson import create_lesson
from worker.schedules.planning import Planning
from worker.schedules.series.create_series import CreationResult, NewLessons, create_series
from worker.schedules.series.fill import FillResult, fill
from worker.schedules.series.membership import SeriesMember, follow_booking, join_series
from worker.schedules.series.reconcile import reconcile

# A Friday; the first Monday after it is the 4th.
NOW = datetime(2026, 5, 1, 9, tzinfo=UTC)
HORIZON = 28


@dataclass(frozen=True)
class NewSeries(CreationResult):
    """What creating a series returns: it has an id."""

    series_id: int


class ScheduleFixture:
    """What happens at one moment (`now`), in Addis Ababa unless said otherwise. The tutor is number 11."""

    def __init__(self, database: Database, school: School, sql: Sql) -> None:
        self.database = database
        self.execute = sql
        self.school = school
        self.now = NOW
        # Student 25 learns with tutor 11 too.
        self.booking_id: int = school.booking_id
        self.second_booking_id: int = self.execute(
            "INSERT INTO tutor_student_bookings (tutor_id, student_id) VALUES (11, 25) RETURNING id"
        )[0].id
        self.first = SeriesMember(22, self.booking_id)
        self.second = SeriesMember(25, self.second_booking_id)

    def series(
        self,
        pattern: str | None = "FREQ=WEEKLY;BYDAY=MO",
        *,
        day: str = "2026-05-04",
        start: str = "10:00",
        end: str = "11:00",
        zone: str = "Africa/Addis_Ababa",
        people: Sequence[SeriesMember] | None = None,
        tutor_id: int = 11,
        skip_conflicts: bool = False,
        package_name: str | None = None,
        horizon_days: int = HORIZON,
        **times: Any,
    ) -> NewSeries:
        """Make a series, of student 22 by default."""
        recurrence = read_recurrence(
            TimeRequest(
                date.fromisoformat(day), time.fromisoformat(start), time.fromisoformat(end), zone, pattern, **times
            )
        )
        with self.database.transaction() as session:
            participants = [self.first] if people is None else people
            lessons = NewLessons(tutor_id, recurrence, {"subject": "Mathematics"}, participants, package_name)
            created = create_series(session, lessons, Planning(self.now, horizon_days, skip_conflicts))
        return NewSeries(**vars(created))

    def lesson(
        self,
        day: str,
        start: str = "10:00",
        end: str = "11:00",
        *,
        tutor_id: int = 11,
        person: SeriesMember | None = None,
        free: bool = False,
    ) -> int:
        """Make a single lesson of student 22, or a free slot; its id."""
        times = TimeRequest(
            date.fromisoformat(day), time.fromisoformat(start), time.fromisoformat(end), "Africa/Addis_Ababa"
        )
        with self.database.transaction() as session:
            lessons = NewLessons(tutor_id, read_recurrence(times), {}, [] if free else [person or self.first])
            creation = create_lesson(session, lessons, self.planning())
        assert creation.schedule_id is not None
        return creation.schedule_id

    def planning(self, horizon_days: int = HORIZON) -> Planning:
        return Planning(self.now, horizon_days)

    def reconcile(self, *series_ids: int, horizon_days: int = HORIZON) -> list[Any]:
        with self.database.transaction() as session:
            return reconcile(session, series_ids, self.planning(horizon_days))

    def fill(self, *, horizon_days: int = HORIZON, batch: int = 100) -> list[FillResult]:
        """Call until nothing is due."""
        done: list[FillResult] = []
        while True:
            with self.database.transaction() as session:
                filled = fill(session, self.planning(horizon_days), batch=batch)
            if filled.series == 0:
                return done
            done.append(filled)

    def join(self, series_id: int, person: SeriesMember) -> list[Any]:
        with self.database.transaction() as session:
            return join_series(session, series_id, person, self.planning())

    def book_status(self, booking_id: int, status: str, **columns: Any) -> None:
        """Change a booking, and let its lessons follow."""
        with self.database.transaction() as session:
            sets = ", ".join(["status = :status", *(f"{name} = :{name}" for name in columns)])
            session.execute(
                text(f"UPDATE tutor_student_bookings SET {sets} WHERE id = :id"),  # noqa: S608 - names of our own
                {"id": booking_id, "status": status, **columns},
            )
            follow_booking(session, booking_id, self.planning())

    def rows(self, series_id: int | None = None) -> Sequence[Row[Any]]:
        """Lessons in order of time."""
        return self.execute(
            "SELECT * FROM tutor_schedules WHERE series_id = :id OR :id IS NULL ORDER BY starts_at, id", id=series_id
        )

    def days(self, series_id: int | None = None, status: str = "scheduled") -> list[str]:
        """The days of lessons with a status, like `05-04`."""
        return [f"{row.schedule_date:%m-%d}" for row in self.rows(series_id) if row.status == status]

    def participants(self) -> list[tuple[int, int, str]]:
        """schedule_id, student_id, status, in order."""
        rows = self.execute("SELECT schedule_id, student_id, status FROM schedule_participants ORDER BY 1, 2")
        return [tuple(row) for row in rows]

    def skips(self) -> list[tuple[str, int | None, str, int | None]]:
        """Day, student, reason and other lesson, in order."""
        rows = self.execute(
            "SELECT occurrence_date, student_id, reason, schedule_id FROM schedule_skips ORDER BY 1, 2 NULLS FIRST"
        )
        return [(f"{day:%m-%d}", *rest) for day, *rest in rows]


@pytest.fixture
def schedules(database: Database, school: School, sql: Sql) -> ScheduleFixture:
    return ScheduleFixture(database, school, sql)
