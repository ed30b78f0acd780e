"""Alarms that are set while their lesson changes."""

import threading
from datetime import UTC, date, datetime, time

from tests.conftest import School, Sql
from tests.statements import waits_for_a_lock
from tests.waiting import TIMEOUT, wait_for
from worker.database import Database
from worker.recurrence.request import TimeRequest
from worker.reminders.planning.alarms import Alarm
from worker.schedules.changes import ALL, FOLLOWING, LessonChange
from worker.schedules.planning import Planning
from worker.schedules.requests import LessonRequest
from worker.workflows.lessons.change_lessons import change_lessons, make_lessons
from worker.workflows.lessons.set_alarms import set_alarms

PLANNING = Planning(datetime(2026, 3, 2, 9, tzinfo=UTC), 28)


def test_alarms_of_a_series_that_is_being_split_are_those_of_the_lessons_new_series(
    database: Database, school: School, sql: Sql
) -> None:
    times = TimeRequest(date(2026, 3, 9), time(10), time(11), "UTC", "FREQ=DAILY;COUNT=3")
    with database.transaction() as session:
        result = make_lessons(session, LessonRequest(11, school.booking_id, times, {}), PLANNING)
    first, second, third = (lesson.id for lesson in result.first)

    def set_them() -> None:
        with database.transaction() as session:
            set_alarms(session, school.student, third, [Alarm(45)], scope=ALL, now=PLANNING.now)

    student = threading.Thread(target=set_them)
    with database.transaction() as session:
        change_lessons(session, school.tutor, LessonChange(second, {"subject": "Physics"}, FOLLOWING, PLANNING))
        student.start()
        wait_for(lambda: waits_for_a_lock(database))
    student.join(TIMEOUT)
    waiting = sql("SELECT DISTINCT schedule_id, minutes_before FROM deliveries WHERE user_id = 2 AND state = 'pending'")
    assert {lesson_id: minutes for lesson_id, minutes in waiting if lesson_id != first} == {second: 45, third: 45}
