"""Whatever happens to a series, reconciling it again changes nothing, and two at once have the effect of one."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from threading import Barrier
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from models.series import Series
from tests.schedules.conftest import ScheduleFixture
from worker.schedules.series.fill import FillResult, fill
from worker.schedules.series.occurrences import recurrence_of
from worker.schedules.series.reconcile import reconcile


def at_once(number: int, do: Callable[[int], Any]) -> list[Any]:
    """`do(0)`, `do(1)`, … in threads that begin together; what each answers or raises."""
    barrier = Barrier(number)

    def run(turn: int) -> Any:
        barrier.wait()
        try:
            return do(turn)
        except Exception as error:  # noqa: BLE001 - the test looks at it
            return error

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(run, range(number)))


def everything(schedules: ScheduleFixture) -> list[Any]:
    """Every row of every table that a reconcile writes, with the transaction that wrote it."""
    return [
        schedules.execute(f"SELECT xmin, * FROM {table} ORDER BY 2, 3, 4")  # noqa: S608 - our own tables
        for table in ("schedule_series", "tutor_schedules", "schedule_participants", "schedule_skips")
    ]


def test_a_second_run_changes_nothing(schedules: ScheduleFixture) -> None:
    schedules.lesson("2026-05-18", person=schedules.second)
    series = schedules.series(people=[schedules.first, schedules.second], skip_conflicts=True)
    before = everything(schedules)
    assert schedules.fill() == []
    assert schedules.reconcile(series.series_id) == []
    assert everything(schedules) == before


def test_the_horizon_moves_on_with_the_day(schedules: ScheduleFixture) -> None:
    series = schedules.series("FREQ=DAILY")
    for _ in range(3):
        schedules.now += timedelta(days=7)
        schedules.fill()
    assert schedules.days()[-1] == "06-19"
    assert len(schedules.rows()) == (date(2026, 6, 19) - date(2026, 5, 4)).days + 1
    assert schedules.rows(series.series_id)[-1].recurrence_pattern.startswith("Every day")


def test_fill_works_in_batches_and_ends(schedules: ScheduleFixture) -> None:
    for hour in range(10, 15):
        schedules.series(start=f"{hour:02}:00", end=f"{hour:02}:50")
    schedules.execute("DELETE FROM tutor_schedules")
    schedules.execute("UPDATE schedule_series SET expanded_until = NULL")
    assert schedules.fill(batch=2) == [FillResult(2, 10, 0), FillResult(2, 10, 0), FillResult(1, 5, 0)]


def test_the_day_of_the_zone_counts(schedules: ScheduleFixture) -> None:
    """At 11:00 UTC it is the next day in Kiritimati and still the same in Honolulu."""
    schedules.now = schedules.now.replace(hour=11)
    for zone in ("Pacific/Kiritimati", "Pacific/Honolulu"):
        schedules.series("FREQ=DAILY", day="2026-05-01", zone=zone, people=[])
    last = schedules.execute("SELECT series_id, max(occurrence_date) AS day FROM tutor_schedules GROUP BY 1 ORDER BY 1")
    assert [str(row.day) for row in last] == ["2026-05-30", "2026-05-29"]
    assert schedules.fill() == []


def test_two_expanders_at_once_store_each_occurrence_once(schedules: ScheduleFixture) -> None:
    for hour in range(8, 16):
        schedules.series("FREQ=DAILY", start=f"{hour:02}:00", end=f"{hour:02}:50")
    schedules.execute("DELETE FROM tutor_schedules")
    schedules.execute("UPDATE schedule_series SET expanded_until = NULL")

    def expand(_turn: int) -> int:
        return sum(filled.lessons for filled in schedules.fill(batch=3))

    assert sum(at_once(3, expand)) == 8 * 29
    twice = schedules.execute("SELECT 1 FROM tutor_schedules GROUP BY series_id, occurrence_date HAVING count(*) > 1")
    assert twice == []
    assert len(schedules.rows()) == len(schedules.participants()) == 8 * 29


def test_two_reconciles_of_one_series_at_once(schedules: ScheduleFixture) -> None:
    series = schedules.series()
    schedules.execute("DELETE FROM tutor_schedules")
    schedules.execute("UPDATE schedule_series SET expanded_until = NULL")
    assert at_once(3, lambda _turn: schedules.reconcile(series.series_id)) == [[], [], []]
    assert schedules.days() == ["05-04", "05-11", "05-18", "05-25", "06-01"]


def test_two_series_of_one_student_filled_at_once_collide_only_on_paper(schedules: ScheduleFixture) -> None:
    """Neither sees the other's rows before it writes; the database stops one, which then records why."""
    other = schedules.school.other_tutor.tutor_id
    assert other is not None
    for tutor_id in (11, other):
        schedules.series("FREQ=DAILY", tutor_id=tutor_id, people=[], day="2026-05-04")
    schedules.execute("DELETE FROM tutor_schedules")
    schedules.execute("UPDATE schedule_series SET expanded_until = NULL, has_students = true")
    schedules.execute(
        "INSERT INTO series_participants (series_id, student_id, booking_id) SELECT id, 22, :b FROM schedule_series",
        b=schedules.booking_id,
    )

    def expand(turn: int) -> FillResult:
        with schedules.database.transaction() as session:
            if turn == 0:
                session.get(Series, 1, with_for_update=True)
            return fill(session, schedules.planning(), batch=1)

    results = at_once(2, expand)
    assert sorted(lesson.lessons for lesson in results) == [0, 29]
    assert sorted(lesson.skipped for lesson in results) == [0, 29]
    assert {skip[2] for skip in schedules.skips()} == {"student-busy"}


def test_nothing_that_a_person_did_is_overwritten(schedules: ScheduleFixture) -> None:
    series = schedules.series("FREQ=DAILY")
    schedules.execute("UPDATE tutor_schedules SET is_override = true, subject = 'Algebra' WHERE id = 1")
    schedules.execute("UPDATE tutor_schedules SET status = 'completed', attendance = 'held', notes = 'x' WHERE id = 2")
    schedules.execute("UPDATE tutor_schedules SET status = 'cancelled', cancelled_by = 'person' WHERE id = 3")
    schedules.execute("UPDATE tutor_schedules SET status = 'in_progress' WHERE id = 4")
    before = [row for row in schedules.rows() if row.id <= 4]
    schedules.execute("UPDATE schedule_series SET subject = 'Physics', start_time = '14:00', end_time = '15:00'")
    assert schedules.reconcile(series.series_id) == []
    rows = schedules.rows()
    assert sorted((row for row in rows if row.id <= 4), key=lambda row: row.id) == before
    assert {(row.subject, str(row.start_time), row.sequence) for row in rows if row.id > 4} == {
        ("Physics", "14:00:00", 1)
    }
    assert len(rows) == 29


def test_a_booked_slot_is_the_students(schedules: ScheduleFixture) -> None:
    series = schedules.series("FREQ=DAILY", people=[])
    schedules.execute("UPDATE tutor_schedules SET student_id = 22, booked_at = now() WHERE id = 5;")
    schedules.execute("UPDATE schedule_series SET start_time = '14:00', end_time = '15:00'")
    schedules.reconcile(series.series_id)
    [booked] = [row for row in schedules.rows() if row.id == 5]
    assert (str(booked.start_time), booked.student_id, booked.sequence) == ("10:00:00", 22, 0)
    assert {str(row.start_time) for row in schedules.rows() if row.id != 5} == {"14:00:00"}


def test_days_that_the_rule_no_longer_says_are_cancelled_and_come_back(schedules: ScheduleFixture) -> None:
    series = schedules.series("FREQ=WEEKLY;BYDAY=MO,WE")
    schedules.execute("UPDATE schedule_series SET rrule = 'FREQ=WEEKLY;BYDAY=MO,FR'")
    schedules.reconcile(series.series_id)
    assert {row.schedule_date.weekday() for row in schedules.rows() if row.status == "scheduled"} == {0, 4}
    cancelled = [row for row in schedules.rows() if row.status == "cancelled"]
    assert {(row.schedule_date.weekday(), row.cancelled_by, row.sequence) for row in cancelled} == {(2, "series", 1)}
    schedules.execute("UPDATE schedule_series SET rrule = 'FREQ=WEEKLY;BYDAY=MO,WE'")
    schedules.reconcile(series.series_id)
    assert {row.id for row in cancelled} <= {row.id for row in schedules.rows() if row.status == "scheduled"}


def test_lessons_that_move_into_one_anothers_places(schedules: ScheduleFixture) -> None:
    """Whole days, all an hour later: each meets its neighbour where that was."""
    series = schedules.series("FREQ=DAILY", start="08:00", end="08:00")
    schedules.execute("UPDATE schedule_series SET start_time = '09:00', end_time = '09:00'")
    assert schedules.reconcile(series.series_id) == []
    rows = schedules.rows()
    assert len(rows) == 29
    assert {(row.status, f"{row.starts_at:%H:%M}", row.sequence) for row in rows} == {("scheduled", "06:00", 1)}
    assert len(schedules.participants()) == 29


def test_a_lesson_that_cannot_move_is_skipped(schedules: ScheduleFixture) -> None:
    other = schedules.lesson("2026-05-11", "14:00", "15:00", person=schedules.second)
    series = schedules.series()
    schedules.execute("UPDATE schedule_series SET start_time = '14:00', end_time = '15:00'")
    [conflict] = schedules.reconcile(series.series_id)
    assert conflict.schedule_id == other
    assert schedules.days(series.series_id) == ["05-04", "05-18", "05-25", "06-01"]
    assert schedules.skips() == [("05-11", None, "tutor-busy", other)]


def test_a_zone_with_summer_time_keeps_the_local_hour(schedules: ScheduleFixture) -> None:
    schedules.series(zone="America/New_York", day="2026-10-19", start="18:00", end="19:00")
    hours = {(str(row.start_time), f"{row.starts_at:%H}") for row in schedules.rows() if row.schedule_date.month == 10}
    assert hours == {("18:00:00", "22")}
    hours = {(str(row.start_time), f"{row.starts_at:%H}") for row in schedules.rows() if row.schedule_date.month == 11}
    assert hours == {("18:00:00", "23")}


def test_a_day_that_a_zone_leaves_out_collides_with_the_next(schedules: ScheduleFixture) -> None:
    """30 December 2011 did not happen in Apia: its lesson would be at the very time of the one of the 31st."""
    schedules.now = schedules.now.replace(year=2011, month=12, day=1)
    series = schedules.series("FREQ=DAILY;COUNT=4", day="2011-12-29", zone="Pacific/Apia", skip_conflicts=True)
    assert schedules.days() == ["12-29", "12-30", "01-01"]
    assert schedules.skips() == [("12-31", None, "tutor-busy", series.first[1].id)]


def test_a_series_that_cannot_be_read_keeps_nobody_waiting_and_lacks_nothing_once_it_can(
    schedules: ScheduleFixture,
) -> None:
    schedules.series()
    schedules.series(start="14:00", end="15:00")
    (readable,) = schedules.execute("SELECT rrule FROM schedule_series WHERE id = 1")
    schedules.execute("UPDATE schedule_series SET rrule = 'FREQ=SECONDLY' WHERE id = 1")
    schedules.now += timedelta(days=10)
    assert [(lesson.series, lesson.lessons) for lesson in schedules.fill()] == [(1, 1)]
    schedules.execute("UPDATE schedule_series SET rrule = :rrule WHERE id = 1", rrule=readable.rrule)
    assert [(lesson.series, lesson.lessons) for lesson in schedules.fill()] == [(1, 1)]


def test_an_unknown_zone_neither(schedules: ScheduleFixture) -> None:
    schedules.series()
    schedules.execute("UPDATE schedule_series SET timezone = 'Mars/Olympus', expanded_until = NULL")
    assert schedules.fill() == []


def test_a_zone_is_known_in_any_spelling(schedules: ScheduleFixture) -> None:
    schedules.series()
    schedules.execute("UPDATE schedule_series SET timezone = 'africa/addis_ababa ', expanded_until = NULL")
    schedules.execute("DELETE FROM tutor_schedules")
    assert [filled.series for filled in schedules.fill()] == [1]


def test_a_failed_transaction_leaves_nothing_half_done(schedules: ScheduleFixture) -> None:
    series = schedules.series()
    before = everything(schedules)
    with pytest.raises(RuntimeError), schedules.database.transaction() as session:
        session.get_one(Series, series.series_id).subject = "Physics"
        reconcile(session, [series.series_id], schedules.planning(90))
        raise RuntimeError
    assert everything(schedules) == before


PATTERNS = st.sampled_from(
    [
        "FREQ=DAILY",
        "FREQ=DAILY;INTERVAL=3",
        "FREQ=WEEKLY;BYDAY=MO,WE,FR",
        "FREQ=MONTHLY;BYMONTHDAY=-1",
        "FREQ=DAILY;COUNT=5",
    ]
)
SERIES = st.tuples(PATTERNS, st.integers(8, 12), st.integers(1, 4), st.sampled_from([11, 14]), st.booleans())


@given(st.lists(SERIES, min_size=1, max_size=5), st.integers(0, 3))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_occurrence_is_a_lesson_or_has_its_reason(
    schedules: ScheduleFixture, requests: list[Any], pauses: int
) -> None:
    schedules.execute("TRUNCATE schedule_series, tutor_schedules CASCADE")
    for pattern, hour, length, tutor_id, group in requests:
        people = [schedules.first, schedules.second] if group else [schedules.first]
        schedules.series(
            pattern,
            start=f"{hour:02}:00",
            end=f"{hour + length:02}:00",
            tutor_id=tutor_id,
            people=people,
            skip_conflicts=True,
        )
    for _ in range(pauses):
        schedules.book_status(schedules.booking_id, "paused")
        schedules.book_status(schedules.booking_id, "active")
    with schedules.database.transaction() as session:
        ids = set(session.scalars(select(Series.id)))
        occurrences = {
            (series.id, day)
            for series in session.query(Series)
            for day in recurrence_of(series).days(None, series.expanded_until or date.max)
        }
    live = {(row.series_id, row.occurrence_date) for row in schedules.rows() if row.status == "scheduled"}
    skipped = {(row.series_id, row.occurrence_date) for row in schedules.execute("SELECT * FROM schedule_skips")}
    assert occurrences == live | skipped
    before = everything(schedules)
    assert schedules.reconcile(*sorted(ids)) == []
    assert everything(schedules) == before
