"""Alarms that were switched on on the platform, where one switch applies to everybody in the lesson."""

from collections.abc import Mapping
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from worker.reminders.planning.preferences import LONGEST_BEFORE

_USUAL_MINUTES: Final = 15

# People who have set alarms for this lesson here, or asked for none, keep them.
_SET = text(
    """
    WITH wanted AS (
        SELECT * FROM unnest(CAST(:ids AS integer[]), CAST(:minutes AS integer[])) AS alarm (id, minutes)),
    person AS (
        SELECT tutor.user_id, wanted.id AS schedule_id, wanted.minutes
          FROM wanted JOIN lessons lesson ON lesson.id = wanted.id
          JOIN tutor_profiles tutor ON tutor.id = lesson.tutor_id
         UNION
        SELECT student.user_id, wanted.id, wanted.minutes
          FROM wanted JOIN lesson_seats seat ON seat.schedule_id = wanted.id
          JOIN student_profiles student ON student.id = seat.student_id)
    INSERT INTO lesson_alarms (user_id, schedule_id, minutes_before)
    SELECT user_id, schedule_id, minutes FROM person
     WHERE NOT EXISTS (SELECT FROM lesson_alarms own
                        WHERE own.schedule_id = person.schedule_id AND own.user_id = person.user_id)
     ORDER BY schedule_id, user_id
        ON CONFLICT DO NOTHING
    """
)
_CLEAR = text(
    """
    DELETE FROM lesson_alarms alarm
     USING unnest(CAST(:ids AS integer[]), CAST(:minutes AS integer[])) AS gone (id, minutes)
     WHERE alarm.schedule_id = gone.id AND alarm.minutes_before = gone.minutes AND alarm.channels IS NULL
    """
)


def alarm_minutes(written: int | None) -> int:
    """The alarm's minutes before a lesson; 15 if none are given or our alarms cannot have that many."""
    return written if written is not None and 0 <= written <= LONGEST_BEFORE else _USUAL_MINUTES


def set_platform_alarms(session: Session, minutes: Mapping[int, int]) -> None:
    """Give the tutor and the students of these lessons an alarm; `minutes` before, by lesson id. Idempotent."""
    if minutes:
        session.execute(_SET, {"ids": [*minutes], "minutes": [*minutes.values()]})


def clear_platform_alarms(session: Session, minutes: Mapping[int, int]) -> None:
    """Remove the alarms that `set_platform_alarms` created. Idempotent."""
    if minutes:
        session.execute(_CLEAR, {"ids": [*minutes], "minutes": [*minutes.values()]})
