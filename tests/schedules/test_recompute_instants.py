"""Rows written by hand get their instants, and all future rows follow the zones' rules."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import insert

from models.schedules import Schedule
from tests.conftest import School, Sql
from tests.waiting import TIMEOUT
from worker.calendars.zones import tzdata_version
from worker.database import Database
from worker.schedules.recompute_instants import RedateResult, date_lessons, redate_lessons

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ADDIS = "Africa/Addis_Ababa"


class Book:
    """Lessons that were inserted by hand."""

    def __init__(self, database: Database, sql: Sql) -> None:
        self.database = database
        self.sql = sql

    def write(self, day: str, start: str, end: str, zone: str | None = None, **columns: Any) -> int:
        local = {"schedule_date": day, "start_time": start, "end_time": end, "timezone": zone}
        values = {"tutor_id": 11, "student_id": 22, **local, **columns}
        with self.database.transaction() as session:
            return session.scalars(insert(Schedule).values(values).returning(Schedule.id)).one()

    def date(self, **arguments: Any) -> RedateResult:
        with self.database.transaction() as session:
            return date_lessons(session, **{"default_zone": ADDIS, "after": 0, "most": 100, **arguments})

    def redate(self, **arguments: Any) -> RedateResult:
        with self.database.transaction() as session:
            return redate_lessons(session, **{"now": NOW, "default_zone": ADDIS, "after": 0, "most": 100, **arguments})

    def instants(self, schedule_id: int) -> tuple[str, str]:
        """Like ("2026-02-02 11:00", "2026-02-02 12:00"), in UTC."""
        statement = """SELECT to_char(starts_at, 'YYYY-MM-DD HH24:MI'), to_char(ends_at, 'YYYY-MM-DD HH24:MI')
                         FROM tutor_schedules WHERE id = :id"""
        times: tuple[str, str] = self.sql(statement, id=schedule_id)[0]
        return times

    def row(self, schedule_id: int) -> Any:
        (row,) = self.sql("SELECT * FROM tutor_schedules WHERE id = :id", id=schedule_id)
        return row


@pytest.fixture
def book(database: Database, school: School, sql: Sql) -> Book:
    return Book(database, sql)


@pytest.mark.parametrize(
    ("day", "start", "end", "zone", "expected"),
    [
        ("2026-02-02", "14:00", "15:30", None, ("2026-02-02 11:00", "2026-02-02 12:30")),
        ("2026-02-02", "14:00", "15:30", "", ("2026-02-02 11:00", "2026-02-02 12:30")),
        # Winter and summer.
        ("2026-01-15", "14:00", "15:00", "America/New_York", ("2026-01-15 19:00", "2026-01-15 20:00")),
        ("2026-07-15", "14:00", "15:00", "America/New_York", ("2026-07-15 18:00", "2026-07-15 19:00")),
        # A time that the clocks skip moves forward; one that comes twice is the first.
        ("2026-03-08", "02:30", "03:30", "America/New_York", ("2026-03-08 07:30", "2026-03-08 08:30")),
        ("2026-11-01", "01:30", "02:30", "America/New_York", ("2026-11-01 05:30", "2026-11-01 06:30")),
        # Half an hour of summer time.
        ("2026-10-04", "02:15", "03:15", "Australia/Lord_Howe", ("2026-10-03 15:45", "2026-10-03 16:45")),
        ("2011-12-30", "10:00", "11:00", "Pacific/Apia", ("2011-12-30 20:00", "2011-12-30 21:00")),
        # Over midnight, until midnight in both spellings, and a whole day.
        ("2026-02-02", "23:00", "01:00", None, ("2026-02-02 20:00", "2026-02-02 22:00")),
        ("2026-02-02", "22:00", "00:00", None, ("2026-02-02 19:00", "2026-02-02 21:00")),
        ("2026-02-02", "22:00", "24:00", None, ("2026-02-02 19:00", "2026-02-02 21:00")),
        ("2026-02-02", "14:00", "14:00", None, ("2026-02-02 11:00", "2026-02-03 11:00")),
    ],
)
def test_a_row_written_by_hand_gets_instants(
    book: Book, day: str, start: str, end: str, zone: str | None, expected: tuple[str, str]
) -> None:
    schedule_id = book.write(day, start, end, zone)
    assert book.date() == RedateResult(done=1, moved=1, stuck=(), last=None)
    assert book.instants(schedule_id) == expected
    assert book.row(schedule_id).tzdata_version == tzdata_version()
    assert book.row(schedule_id).timezone == zone
    assert book.date() == RedateResult(0, 0, (), None)


def test_its_student_takes_part_and_a_slot_has_none(book: Book, school: School) -> None:
    lesson = book.write("2026-02-02", "14:00", "15:00", booking_id=school.booking_id)
    done = book.write("2026-02-02", "14:00", "15:00", status="completed")
    book.write("2026-02-02", "14:00", "15:00", student_id=None)
    assert book.date().moved == 3
    rows = book.sql("SELECT schedule_id, student_id, booking_id, status FROM schedule_participants ORDER BY 1")
    assert rows == [(lesson, 22, school.booking_id, "scheduled"), (done, 22, None, "completed")]


@pytest.mark.parametrize(
    "wrong",
    [
        {"zone": "Africa/Adis_Abeba"},
        {"zone": "../../etc/passwd"},
        {"zone": "UTC+3"},
        {"start": "24:00"},
        {"day": "20026-02-02"},
        {"day": "infinity"},
        {"day": "-infinity"},
        {"day": "0044-03-15 BC"},
        {"day": "0001-01-01", "start": "00:00", "end": "01:00"},
        {"day": "9999-12-31", "start": "23:00", "end": "22:00", "zone": "America/New_York"},
    ],
)
def test_a_row_that_means_nothing_is_named_and_blocks_nobody(book: Book, wrong: dict[str, str]) -> None:
    before = book.write("2026-02-02", "14:00", "15:00")
    nothing = book.write(**{"day": "2026-02-02", "start": "16:00", "end": "17:00", **wrong})
    after = book.write("2026-02-02", "18:00", "19:00")
    for moved in (2, 0):
        assert book.date() == RedateResult(moved, moved, (nothing,), None)
    assert book.sql("SELECT id FROM tutor_schedules WHERE starts_at IS NOT NULL ORDER BY id") == [(before,), (after,)]


def test_of_two_that_collide_the_first_is_taken(book: Book) -> None:
    first = book.write("2026-02-02", "14:00", "15:00")
    same_tutor = book.write("2026-02-02", "14:30", "15:30", student_id=25)
    next_door = book.write("2026-02-02", "15:00", "16:00")
    same_student = book.write("2026-02-02", "15:59", "16:30", tutor_id=14)
    assert book.date() == RedateResult(2, 2, (same_tutor, same_student), None)
    assert [book.row(lesson).starts_at is None for lesson in (first, same_tutor, next_door, same_student)] == [
        *(False, True, False, True)
    ]
    # The way is free: the next round takes it.
    book.sql("UPDATE tutor_schedules SET status = 'cancelled' WHERE id IN (:a, :b)", a=first, b=next_door)
    assert book.date() == RedateResult(2, 2, (), None)


def test_it_collides_with_the_second_student_of_a_group(book: Book) -> None:
    group = book.write("2026-02-02", "14:00", "15:00")
    book.date()
    book.sql("INSERT INTO schedule_participants SELECT id, 25, NULL, starts_at, ends_at, status FROM tutor_schedules")
    other = book.write("2026-02-02", "14:30", "15:30", tutor_id=14, student_id=25)
    assert book.date().stuck == (other,)
    assert (book.row(group).starts_at, book.row(other).starts_at) != (None, None)


def test_many_rows_and_few_collisions(book: Book) -> None:
    """In batches; every fifth row doubles the one before it."""
    book.sql(
        "INSERT INTO tutor_schedules (tutor_id, student_id, schedule_date, start_time, end_time)"
        " SELECT 11, 22, DATE '2026-02-01' + n - (n % 5 = 4)::int, '14:00', '15:00' FROM generate_series(0, 99) n"
    )
    after: int | None = 0
    moves: list[Any] = []
    unchanged: list[Any] = []
    while after is not None:
        result = book.date(after=after, most=30)
        moves.append(result.moved)
        unchanged += result.stuck
        after = result.last
    assert moves == [24, 24, 24, 8]
    assert len(unchanged) == 20
    assert book.sql("SELECT count(*) FROM schedule_participants") == [(80,)]


def test_two_at_once_do_it_once(book: Book, database: Database) -> None:
    for day in range(1, 21):
        book.write(f"2026-02-{day:02}", "14:00", "15:00")
    both_hold_theirs = threading.Barrier(2, timeout=TIMEOUT)

    def date(_worker: int) -> RedateResult:
        with database.transaction() as session:
            done = date_lessons(session, default_zone=ADDIS, after=0, most=10)
            both_hold_theirs.wait()
        return done

    with ThreadPoolExecutor(2) as pool:
        assert sum(result.moved for result in pool.map(date, range(2))) == 20
    assert book.sql("SELECT count(*) FROM schedule_participants") == [(20,)]


class TestNewRules:
    """The instants of an older release, as if the zone had been an hour east of where it is now."""

    def outdated(self, book: Book, *rows: tuple[str, str], shift: str = "-1 h") -> list[int]:
        ids = [book.write("2026-02-02", start, end) for start, end in rows]
        assert book.date().moved == len(rows)
        # Backwards or forwards in one statement they would meet one another.
        book.sql("UPDATE tutor_schedules SET status = 'cancelled'")
        book.sql(
            "UPDATE tutor_schedules SET starts_at = starts_at + CAST(:shift AS interval), tzdata_version = '2020a',"
            " ends_at = ends_at + CAST(:shift AS interval), status = 'scheduled', updated_at = '2020-01-01'",
            shift=shift,
        )
        return ids

    @pytest.mark.parametrize("shift", ["1 h", "-1 h"])
    def test_neighbours_move_together(self, book: Book, shift: str) -> None:
        hours = [(f"{hour}:00", f"{hour + 1}:00") for hour in range(10, 18)]
        ids = self.outdated(book, *hours, shift=shift)
        assert book.redate() == RedateResult(8, 8, (), None)
        assert [book.instants(lesson)[0][-5:] for lesson in ids] == [f"{hour:02}:00" for hour in range(7, 15)]
        assert {(row.sequence, row.tzdata_version, row.status) for row in map(book.row, ids)} == {
            (1, tzdata_version(), "scheduled")
        }
        assert {row.updated_at.year for row in map(book.row, ids)} != {2020}
        same = "SELECT count(*) FROM schedule_participants JOIN tutor_schedules s USING (starts_at, ends_at, status)"
        assert book.sql(f"{same} WHERE schedule_id = s.id") == [(8,)]
        assert book.redate() == RedateResult(0, 0, (), None)

    def test_what_does_not_move_says_nothing_to_calendars(self, book: Book) -> None:
        (lesson,) = self.outdated(book, ("14:00", "15:00"), shift="0")
        assert book.redate() == RedateResult(1, 0, (), None)
        row = book.row(lesson)
        assert (row.sequence, row.tzdata_version, row.updated_at.year) == (0, tzdata_version(), 2020)

    def test_a_row_of_unknown_release_is_outdated_and_slots_are_too(self, book: Book) -> None:
        lesson, slot = self.outdated(book, ("14:00", "15:00"), ("16:00", "17:00"))
        book.sql("UPDATE tutor_schedules SET tzdata_version = NULL")
        book.sql("DELETE FROM schedule_participants WHERE schedule_id = :slot", slot=slot)
        book.sql("UPDATE tutor_schedules SET student_id = NULL WHERE id = :slot", slot=slot)
        assert book.redate() == RedateResult(2, 2, (), None)
        assert [book.instants(schedule_id)[0][-5:] for schedule_id in (lesson, slot)] == ["11:00", "13:00"]

    def test_past_begun_and_cancelled_lessons_stay(self, book: Book) -> None:
        ids = self.outdated(book, ("10:00", "11:00"), ("12:00", "13:00"), ("14:00", "15:00"))
        book.sql("UPDATE tutor_schedules SET status = 'in_progress' WHERE id = :id", id=ids[0])
        book.sql("UPDATE tutor_schedules SET status = 'cancelled' WHERE id = :id", id=ids[1])
        before = [book.instants(lesson) for lesson in ids]
        assert book.redate(now=datetime(2026, 2, 2, 10, 0, tzinfo=UTC)) == RedateResult(0, 0, (), None)
        assert [book.instants(lesson) for lesson in ids] == before

    def test_who_has_no_place_stays_and_is_named(self, book: Book) -> None:
        """Another lesson of the tutor, in a zone whose rules did not change, is where it wants to go."""
        moving, free = self.outdated(book, ("14:00", "15:00"), ("20:00", "21:00"))
        utc = book.write("2026-02-02", "11:30", "12:30", "UTC", student_id=25)
        assert book.date().stuck == ()
        before = book.instants(moving)
        for moved in (1, 0):
            assert book.redate() == RedateResult(moved, moved, (moving,), None)
        assert book.instants(moving) == before
        assert (book.row(moving).status, book.row(moving).tzdata_version) == ("scheduled", "2020a")
        assert book.row(free).sequence == 1
        book.sql("UPDATE tutor_schedules SET status = 'cancelled' WHERE id = :id", id=utc)
        assert book.redate() == RedateResult(1, 1, (), None)

    def test_an_unknown_zone_is_named(self, book: Book) -> None:
        lesson, _other = self.outdated(book, ("14:00", "15:00"), ("16:00", "17:00"))
        book.sql("UPDATE tutor_schedules SET timezone = 'Gone/Away' WHERE id = :id", id=lesson)
        assert book.redate() == RedateResult(1, 1, (lesson,), None)
