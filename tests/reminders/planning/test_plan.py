"""Reminders as rows: planned with the lesson, moved and cancelled with it."""

import threading
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from tests.conftest import School, Sql
from tests.statements import waits_for_a_lock
from tests.waiting import TIMEOUT, wait_for
from worker.database import Database
from worker.reminders.planning.changes import PlanChanges
from worker.reminders.planning.plan import plan_ahead, plan_for_person, plan_reminders
from worker.reminders.planning.preferences import read_preferences

NOW = datetime(2026, 5, 1, 9, tzinfo=UTC)
DAY = timedelta(days=1)
# Users of the school: the tutor 11, the student 22 and their parent.
TUTOR, STUDENT, PARENT = 1, 2, 3
MOVE = "UPDATE tutor_schedules SET starts_at = starts_at + interval '1 d', ends_at = ends_at + interval '1 d'"


class Book:
    """Lessons of tutor 11 as rows, and what waits because of them."""

    def __init__(self, database: Database, sql: Sql) -> None:
        self.database = database
        self.sql = sql

    def lesson(self, starts_at: datetime = NOW + 3 * DAY, students: Sequence[int] = (22,), **columns: Any) -> int:
        values = {"student": students[0] if students else None, "begin": starts_at, "end": starts_at + DAY / 24}
        names = "".join(f", {name}" for name in columns)
        places = "".join(f", :{name}" for name in columns)
        lesson_id: int = self.sql(
            f"""
            INSERT INTO tutor_schedules (tutor_id, student_id, schedule_date, start_time, end_time, starts_at, ends_at
                                         {names})
            VALUES (11, :student, CAST(:begin AS timestamptz)::date, '10:00', '11:00', :begin, :end {places})
            RETURNING id
            """,  # noqa: S608 - columns of this file
            **values,
            **columns,
        )[0].id
        for student in students:
            self.sql(
                "INSERT INTO schedule_participants (schedule_id, student_id, starts_at, ends_at, status)"
                " VALUES (:id, :student, :begin, :end, coalesce(:status, 'scheduled'))",
                **values | {"id": lesson_id, "student": student, "status": columns.get("status")},
            )
        return lesson_id

    def series(self) -> int:
        series_id: int = self.sql(
            "INSERT INTO schedule_series (tutor_id, has_students, schedule_date, start_time, end_time, timezone, rrule,"
            " recurrence_pattern) VALUES (11, true, '2026-05-04', '10:00', '11:00', 'Africa/Addis_Ababa',"
            " 'FREQ=DAILY', 'daily') RETURNING id"
        )[0].id
        return series_id

    def alarm(self, user_id: int, minutes: int | None, channels: list[str] | None = None, **of: int) -> None:
        ((name, number),) = of.items()
        self.sql(
            f"INSERT INTO lesson_alarms (user_id, {name}, minutes_before, channels) VALUES (:user, :id, :min, :kinds)",  # noqa: S608
            user=user_id,
            id=number,
            min=minutes,
            kinds=channels,
        )

    def prefer(self, user_id: int, alarms: list[int], channels: list[str]) -> None:
        self.sql(
            "INSERT INTO notification_preferences (user_id, alarms, channels) VALUES (:id, :alarms, :channels)"
            " ON CONFLICT (user_id) DO UPDATE SET alarms = :alarms, channels = :channels",
            id=user_id,
            alarms=alarms,
            channels=channels,
        )

    def plan(self, *ids: int, now: datetime = NOW) -> PlanChanges:
        with self.database.transaction() as session:
            return plan_reminders(session, ids, now=now)

    def waiting(self, user_id: int | None = None, state: str = "pending") -> set[tuple[Any, ...]]:
        """(user, minutes before, channel) of the deliveries in that state."""
        rows = self.sql("SELECT * FROM deliveries WHERE state = :state", state=state)
        reminders = [(row.user_id, row.minutes_before, row.channel) for row in rows]
        assert len(set(reminders)) == len(reminders) or len({row.schedule_id for row in rows}) > 1
        return {reminder for reminder in reminders if user_id in (None, reminder[0])}


@pytest.fixture
def book(database: Database, school: School, sql: Sql) -> Book:
    return Book(database, sql)


def usual(*users: int) -> set[tuple[Any, ...]]:
    return {(user, minutes, way) for user in users for minutes in (1440, 15) for way in ("email", "in_app")}


class TestWhoAndWhen:
    def test_tutor_student_and_parent_by_the_defaults(self, book: Book) -> None:
        lesson = book.lesson()
        assert book.plan(lesson) == PlanChanges(12, 0)
        assert book.waiting() == usual(TUTOR, STUDENT, PARENT)
        (row,) = book.sql("SELECT * FROM deliveries WHERE user_id = 2 AND minutes_before = 15 AND channel = 'email'")
        starts_at = NOW + 3 * DAY
        assert (row.kind, row.schedule_id, row.starts_at) == ("lesson-reminder", lesson, starts_at)
        assert (row.due_at, row.expires_at) == (starts_at - timedelta(minutes=15), starts_at)
        assert row.key == f"lesson:{lesson}:15:{int(starts_at.timestamp())}"

    def test_again_and_once_more_changes_nothing(self, book: Book) -> None:
        lesson = book.lesson()
        book.plan(lesson)
        before = book.sql("SELECT * FROM deliveries ORDER BY id")
        assert book.plan(lesson) == book.plan(lesson, lesson) == PlanChanges(0, 0)
        assert book.sql("SELECT * FROM deliveries ORDER BY id") == before

    def test_a_group_of_two_families(self, book: Book) -> None:
        book.plan(book.lesson(students=(22, 25)))
        assert book.waiting() == usual(TUTOR, STUDENT, PARENT, 5, 6)

    def test_a_parent_of_two_in_one_lesson_is_reminded_once(self, book: Book) -> None:
        book.sql("UPDATE student_profiles SET parent_id = '{33}'")
        book.plan(book.lesson(students=(22, 25)))
        assert book.waiting() == usual(TUTOR, STUDENT, PARENT, 5)

    @pytest.mark.parametrize(
        ("statement", "excluded_user"),
        [
            ("UPDATE users SET is_active = false WHERE id = 3", PARENT),
            ("UPDATE student_profiles SET is_active = false WHERE id = 22", STUDENT),
            ("UPDATE tutor_profiles SET is_active = false WHERE id = 11", TUTOR),
            ("UPDATE parent_profiles SET is_active = false WHERE id = 33", PARENT),
            ("UPDATE student_profiles SET parent_id = '{}' WHERE id = 22", PARENT),
        ],
    )
    def test_who_is_not_active_or_not_concerned_is_not_reminded(
        self, book: Book, statement: str, excluded_user: int
    ) -> None:
        lesson = book.lesson()
        book.plan(lesson)
        book.sql(statement)
        assert book.plan(lesson) == PlanChanges(0, 4)
        assert book.waiting() == usual(*({TUTOR, STUDENT, PARENT} - {excluded_user}))

    def test_free_slots_cancelled_past_and_undated_lessons_remind_nobody(self, book: Book) -> None:
        undated = book.lesson()
        book.sql("DELETE FROM schedule_participants")
        book.sql("UPDATE tutor_schedules SET starts_at = NULL, ends_at = NULL")
        book.plan(
            book.lesson(students=()), book.lesson(NOW - DAY), book.lesson(NOW + 5 * DAY, status="cancelled"), undated
        )
        assert book.waiting() == set()

    def test_an_alarm_that_is_over_is_not_made_up_for(self, book: Book) -> None:
        book.plan(book.lesson(NOW + timedelta(hours=2)))
        assert {minutes for _, minutes, _ in book.waiting()} == {15}

    def test_one_that_is_just_over_is(self, book: Book) -> None:
        book.plan(book.lesson(NOW + DAY - timedelta(seconds=50)))
        assert {minutes for _, minutes, _ in book.waiting()} == {1440, 15}

    def test_at_the_start_there_is_a_little_time_to_send(self, book: Book) -> None:
        book.prefer(TUTOR, [0], ["in_app"])
        book.plan(book.lesson())
        (row,) = book.sql("SELECT * FROM deliveries WHERE user_id = 1")
        assert row.due_at == row.starts_at
        assert row.expires_at == row.starts_at + timedelta(minutes=5)


class TestWhosePreferences:
    def test_lesson_before_series_before_preferences(self, book: Book) -> None:
        series = book.series()
        mine = book.lesson(series_id=series, occurrence_date=date(2026, 5, 4))
        other = book.lesson(NOW + 4 * DAY, series_id=series, occurrence_date=date(2026, 5, 5))
        for user in (TUTOR, STUDENT, PARENT):
            book.prefer(user, [30], ["in_app"])
        book.alarm(TUTOR, 60, series_id=series)
        book.alarm(STUDENT, 60, ["email"], series_id=series)
        book.alarm(TUTOR, 5, ["email"], schedule_id=mine)
        book.alarm(TUTOR, 90, schedule_id=mine)
        book.plan(mine, other)
        rows = {
            (row.schedule_id, row.user_id, row.minutes_before, row.channel)
            for row in book.sql("SELECT * FROM deliveries")
        }
        assert rows == {
            (mine, TUTOR, 5, "email"),
            (mine, TUTOR, 90, "in_app"),
            (other, TUTOR, 60, "in_app"),
            (mine, STUDENT, 60, "email"),
            (other, STUDENT, 60, "email"),
            (mine, PARENT, 30, "in_app"),
            (other, PARENT, 30, "in_app"),
        }

    def test_no_alarm_is_a_setting_too(self, book: Book) -> None:
        series = book.series()
        lesson = book.lesson(series_id=series, occurrence_date=date(2026, 5, 4))
        book.alarm(TUTOR, None, schedule_id=lesson)
        book.alarm(STUDENT, None, series_id=series)
        book.prefer(PARENT, [], ["email"])
        assert book.plan(lesson) == PlanChanges(0, 0)

    def test_new_alarms_replace_the_old_ones(self, book: Book) -> None:
        lesson = book.lesson()
        book.plan(lesson)
        book.alarm(STUDENT, 15, ["email"], schedule_id=lesson)
        assert book.plan(lesson) == PlanChanges(0, 3)
        assert book.waiting(STUDENT) == {(STUDENT, 15, "email")}
        book.sql("DELETE FROM lesson_alarms")
        assert book.plan(lesson) == PlanChanges(3, 0)
        assert book.waiting() == usual(TUTOR, STUDENT, PARENT)

    def test_an_alarm_said_twice_by_hand_rings_once(self, book: Book) -> None:
        book.prefer(TUTOR, [15, 15], ["email", "email"])
        book.plan(book.lesson())
        assert book.waiting(TUTOR) == {(TUTOR, 15, "email")}

    def test_all_lessons_of_one_person(self, book: Book) -> None:
        lessons = [book.lesson(NOW + number * DAY) for number in (2, 3, 4)]
        book.plan(*lessons)
        for user in (TUTOR, STUDENT, PARENT):
            book.prefer(user, [10], ["in_app"])
        with book.database.transaction() as session:
            assert plan_for_person(session, PARENT, now=NOW) == PlanChanges(3, 12)
        with book.database.transaction() as session:
            assert plan_for_person(session, STUDENT, now=NOW) == PlanChanges(3, 12)
        assert book.waiting() == usual(TUTOR) | {(PARENT, 10, "in_app"), (STUDENT, 10, "in_app")}


class TestLessonsChange:
    def test_moved(self, book: Book) -> None:
        lesson = book.lesson()
        book.plan(lesson)
        book.sql(MOVE)
        assert book.plan(lesson) == PlanChanges(12, 12)
        assert {row.starts_at for row in book.sql("SELECT starts_at FROM deliveries WHERE state = 'pending'")} == {
            NOW + 4 * DAY
        }
        book.sql(MOVE.replace("+", "-"))
        assert book.plan(lesson) == PlanChanges(12, 12)
        assert book.sql("SELECT count(*) FROM deliveries")[0][0] == 24

    def test_cancelled_and_back(self, book: Book) -> None:
        lesson = book.lesson()
        book.plan(lesson)
        book.sql("UPDATE deliveries SET attempts = 2, due_at = due_at + interval '1 h' WHERE user_id = 1")
        book.sql("UPDATE tutor_schedules SET status = 'cancelled'")
        assert book.plan(lesson) == PlanChanges(0, 12)
        book.sql("UPDATE tutor_schedules SET status = 'scheduled'")
        assert book.plan(lesson) == PlanChanges(12, 0)
        rows = book.sql("SELECT *, starts_at - make_interval(mins => minutes_before) AS due FROM deliveries")
        assert {(row.state, row.attempts, row.reason, row.due_at - row.due) for row in rows} == {
            ("pending", 0, None, timedelta())
        }

    def test_a_student_leaves_and_another_joins(self, book: Book) -> None:
        lesson = book.lesson(students=(22, 25))
        book.plan(lesson)
        book.sql("DELETE FROM schedule_participants WHERE student_id = 22")
        assert book.plan(lesson) == PlanChanges(0, 8)
        assert book.waiting() == usual(TUTOR, 5, 6)

    @pytest.mark.parametrize("state", ["sent", "dropped", "failed", "sending"])
    def test_what_was_sent_or_is_in_hand_stays(self, book: Book, state: str) -> None:
        lesson = book.lesson()
        book.plan(lesson)
        book.sql("UPDATE deliveries SET state = :state", state=state)
        book.sql("UPDATE tutor_schedules SET status = 'cancelled'")
        assert book.plan(lesson) == PlanChanges(0, 0)
        book.sql("UPDATE tutor_schedules SET status = 'scheduled'")
        assert book.plan(lesson) == PlanChanges(0, 0)

    @pytest.mark.parametrize("state", ["failed", "dropped"])
    def test_what_goes_by_another_channel_stays_as_long_as_its_alarm(self, book: Book, state: str) -> None:
        book.prefer(STUDENT, [15], ["email"])
        lesson = book.lesson()
        book.plan(lesson)
        book.sql("UPDATE deliveries SET state = :state WHERE user_id = 2", state=state)
        book.sql(
            "INSERT INTO deliveries (kind, user_id, channel, schedule_id, minutes_before, starts_at, key, due_at)"
            " SELECT kind, user_id, 'in_app', schedule_id, minutes_before, starts_at, key, due_at FROM deliveries"
            " WHERE user_id = 2"
        )
        assert book.plan(lesson) == PlanChanges(0, 0)
        assert book.waiting(STUDENT) == {(STUDENT, 15, "in_app")}
        book.prefer(STUDENT, [], ["email"])
        assert book.plan(lesson) == PlanChanges(0, 1)
        assert book.waiting(STUDENT) == set()

    def test_what_waits_for_its_next_try_is_left_alone(self, book: Book) -> None:
        lesson = book.lesson()
        book.plan(lesson)
        later = NOW + 3 * DAY - timedelta(minutes=10)
        assert book.plan(lesson, now=later) == PlanChanges(0, 0)
        book.sql("UPDATE tutor_schedules SET status = 'in_progress'")
        assert book.plan(lesson, now=NOW + 3 * DAY) == PlanChanges(0, 0)

    def test_a_rollback_leaves_nothing(self, book: Book) -> None:
        lesson = book.lesson()

        class Stop(Exception):
            pass

        with pytest.raises(Stop), book.database.transaction() as session:
            assert plan_reminders(session, [lesson], now=NOW).planned == 12
            raise Stop
        assert book.waiting() == set()

    def test_messages_about_the_lesson_are_no_reminders(self, book: Book) -> None:
        lesson = book.lesson()
        book.sql(
            "INSERT INTO deliveries (kind, user_id, channel, schedule_id, key, due_at)"
            " VALUES ('lesson-moved', 1, 'email', :id, 'k', now())",
            id=lesson,
        )
        assert book.plan(lesson) == PlanChanges(12, 0)
        assert (TUTOR, None, "email") in book.waiting()


class TestTwoAtOnce:
    def test_two_planners(self, book: Book) -> None:
        lessons = [book.lesson(NOW + number * DAY) for number in range(2, 22)]
        done: list[PlanChanges] = []
        gate = threading.Barrier(2)

        def work(ids: Sequence[int]) -> None:
            gate.wait()
            done.append(book.plan(*ids))

        threads = [threading.Thread(target=work, args=(ids,)) for ids in (lessons, lessons[::-1])]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(result.planned for result in done) == [0, 240]

    def test_who_comes_second_knows_what_the_first_did(self, book: Book) -> None:
        """A lesson moves while its student changes preferences: neither plan may use the old state."""
        lesson = book.lesson()
        book.plan(lesson)
        book.prefer(STUDENT, [30], ["email"])
        moved = threading.Event()

        def change_preferences() -> None:
            with book.database.transaction() as session:
                session.execute(text("UPDATE notification_preferences SET alarms = '{45}' WHERE user_id = 2"))
                moved.wait(TIMEOUT)
                plan_for_person(session, STUDENT, now=NOW)

        thread = threading.Thread(target=change_preferences)
        thread.start()
        with book.database.transaction() as session:
            session.execute(text(MOVE))
            plan_reminders(session, [lesson], now=NOW)
            moved.set()
            wait_for(lambda: waits_for_a_lock(book.database))
        thread.join()
        rows = book.sql("SELECT * FROM deliveries WHERE state = 'pending' AND user_id = 2")
        assert [(row.minutes_before, row.starts_at) for row in rows] == [(45, NOW + 4 * DAY)]


def test_all_that_is_ahead_in_batches(book: Book) -> None:
    lessons = [book.lesson(NOW + number * DAY) for number in range(2, 7)]
    book.lesson(NOW - DAY)
    book.plan(lessons[0])
    total, after = 0, 0
    while after is not None:
        with book.database.transaction() as session:
            done, after = plan_ahead(session, now=NOW, after=after, most=2)  # type: ignore[assignment]
        total += done.planned
    assert total == 4 * 12
    book.sql("UPDATE student_profiles SET parent_id = '{}'")
    with book.database.transaction() as session:
        assert plan_ahead(session, now=NOW, after=0, most=100) == (PlanChanges(0, 20), None)


def test_people_of_the_platform_begin_without_alarms(book: Book) -> None:
    """Neither the change of a lesson nor the hourly planning plans anything until they set alarms."""
    lesson = book.lesson()
    book.sql(
        "UPDATE users SET platform_read_at = now() WHERE id IN (:student, :parent)", student=STUDENT, parent=PARENT
    )

    assert book.plan(lesson).planned == 4
    with book.database.transaction() as session:
        assert plan_ahead(session, now=NOW, after=0, most=100)[0] == PlanChanges(0, 0)
        assert read_preferences(session, TUTOR).alarms == (1440, 15)
        assert read_preferences(session, STUDENT).alarms == ()
    book.sql("INSERT INTO lesson_alarms (user_id, schedule_id, minutes_before) VALUES (2, :lesson, 30)", lesson=lesson)
    assert book.plan(lesson).planned == 2
    book.sql("INSERT INTO notification_preferences (user_id, alarms) VALUES (3, '{60}')")
    assert book.plan(lesson).planned == 2
