"""Alarms that people switch on in the platform's pages."""

import httpx2

from tests.conftest import Sql
from tests.script_tag.conftest import TUTOR, Lesson
from tests.waiting import TIMEOUT

ENTRY = """{
  id: 301, title: 'Morning group', description: '', priority_level: 'high', year: 2029, schedule_type: 'recurring',
  months: ['January'], days: ['Monday', ' Wednesday'], specific_dates: null, start_time: '09:00', end_time: '10:30',
  notes: '', status: 'active', is_featured: false, alarm_enabled: true, alarm_before_minutes: 15,
  notification_browser: true, notification_sound: true, scheduler_id: 11, created_at: '2026-11-01T08:00:00',
}"""


def test_the_alarm_of_a_lesson_is_set_for_the_person(lesson: Lesson, sql: Sql) -> None:
    (booking,) = sql("SELECT id FROM tutor_student_bookings")
    body = {"booking_id": booking.id, "schedule_date": "2029-01-04", "start_time": "17:00", "end_time": "18:00"}
    headers = {"Authorization": f"Bearer {lesson.platform.token(TUTOR)}"}
    response = httpx2.post(f"{lesson.api}/v1/schedules", json=body, headers=headers, timeout=TIMEOUT, trust_env=False)
    assert response.status_code == 201, response.text
    sql("INSERT INTO platform_links (kind, platform_id, id, digest) SELECT 'lesson', 96, id, '' FROM tutor_schedules")
    student = lesson.student()
    student.run("toggleSessionAlarm(96, true)")
    student.send()
    alarms = "SELECT user_id, minutes_before FROM lesson_alarms"
    assert sql(alarms) == [(12, 15)]
    student.run("toggleSessionAlarm(96, false)")
    student.send()
    assert sql(alarms) == [(12, None)]
    assert student.errors == []


def test_an_entry_with_an_alarm_is_in_the_timetable_once(lesson: Lesson, sql: Sql) -> None:
    tutor = lesson.tutor()
    tutor.run(f"scheduleNotifications({ENTRY})")
    tutor.send()
    # Pages announce all entries of the day whenever they are opened.
    tutor.load()
    tutor.run(f"scheduleNotifications({ENTRY})")
    tutor.send()
    entries = sql("SELECT user_id, title, days, alarm_before_minutes FROM timetable_entries")
    assert [(row.user_id, row.title, row.alarm_before_minutes) for row in entries] == [(11, "Morning group", 15)]
    assert tutor.run("JSON.parse(localStorage.scheduledNotifications).length") == 2
    assert tutor.errors == []


def test_copies_of_entries_go_once_the_worker_has_reminded(lesson: Lesson, sql: Sql) -> None:
    tutor = lesson.tutor()
    for entry in (ENTRY, ENTRY, ENTRY.replace("Morning", "Evening"), ENTRY.replace("09:00", "08:00")):
        tutor.run(f"scheduleNotifications({entry})")
    tutor.send()
    # 09:00 in Addis Ababa; the other is a week old.
    for title, age in (("Morning group", "1 hour"), ("Evening group", "7 days")):
        sql(
            "INSERT INTO notifications (user_id, kind, title, message, data, created_at) VALUES (11, 'entry-reminder',"
            " CAST(:title AS text), 'x', jsonb_build_object('title', CAST(:title AS text), 'starts_at',"
            " '2029-01-01T06:00:00+00:00', 'timezone', 'Africa/Addis_Ababa'), now() - CAST(:age AS interval))",
            title=title,
            age=age,
        )
    tutor.load()

    left = "JSON.parse(localStorage.scheduledNotifications).map(({title, start_time}) => [title, start_time])"
    tutor.wait(f"{left}.length < 4", left)
    assert tutor.run(left) == [["Evening group", "09:00"], ["Morning group", "08:00"]]
    assert tutor.errors == []
