"""The parts of a message that come from its lesson's row: read when it is sent, so that they are current."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from worker.reminders.planning.lessons import Lesson, read_lessons

_ROWS = text(
    """
    SELECT id, starts_at, location, meeting_link, created_at, updated_at FROM lessons
     WHERE id = ANY(:ids) AND starts_at IS NOT NULL
    """
)


class LessonFacts:
    """The lessons of a batch as read; `facts_for` converts them to the data of `worker.reminders.texts`."""

    def __init__(self, lessons: dict[int, Lesson], rows: dict[int, dict[str, Any]], board_url: str | None) -> None:
        self._lessons = lessons
        self._rows = rows
        self._board_url = board_url

    def invites(self, schedule_id: int | None, user_id: int) -> bool:
        """Whether the lesson is one of this person's."""
        lesson = self._lessons.get(schedule_id) if schedule_id is not None else None
        return lesson is not None and user_id in lesson.people

    def facts_for(self, schedule_id: int | None, user_id: int) -> dict[str, Any]:
        """The lesson as this person sees it; empty without one."""
        lesson = self._lessons.get(schedule_id) if schedule_id is not None else None
        if lesson is None:
            return {}
        facts = self._rows[lesson.schedule_id] | {
            "schedule_id": lesson.schedule_id,
            "starts_at": lesson.starts_at.isoformat(),
            "ends_at": lesson.ends_at.isoformat(),
            "timezone": lesson.timezone,
            "subject": lesson.subject,
            "sequence": lesson.sequence,
            "tutor": lesson.tutor,
            "board_link": self._board_url and self._board_url.replace("{schedule_id}", str(lesson.schedule_id)),
        }
        place = lesson.people.get(user_id)
        return facts if place is None else facts | {"view": place.view, "students": list(place.students)}


def read_lesson_facts(session: Session, schedule_ids: Iterable[int], *, board_url: str | None) -> LessonFacts:
    """Read these lessons; `board_url` is the setting WHITEBOARD_URL."""
    ids = sorted(set(schedule_ids))
    if not ids:
        return LessonFacts({}, {}, board_url)
    rows = {
        row.id: {
            "location": row.location,
            "meeting_link": row.meeting_link,
            "created_at": row.created_at.isoformat(),
            "updated_at": row.updated_at.isoformat(),
        }
        for row in session.execute(_ROWS, {"ids": ids})
    }
    lessons = read_lessons(session, ids)
    return LessonFacts(
        {schedule_id: lesson for schedule_id, lesson in lessons.items() if schedule_id in rows}, rows, board_url
    )
