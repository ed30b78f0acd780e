"""Which messages will be sent, and why: for operators."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from worker.access.names import name_sql

_DUE = text(
    f"""
    SELECT d.id, d.kind, d.state, d.due_at, d.channel, d.attempts, d.reason, d.minutes_before, d.schedule_id,
           d.user_id, lesson.subject, lesson.starts_at, stored.label,
           coalesce({name_sql("person")}, '') AS name,
           CASE
               WHEN d.entry_id IS NOT NULL THEN 'entry'
               WHEN EXISTS (SELECT FROM lesson_alarms alarm
                             WHERE alarm.user_id = d.user_id AND alarm.schedule_id = d.schedule_id) THEN 'lesson'
               WHEN EXISTS (SELECT FROM lesson_alarms alarm
                             WHERE alarm.user_id = d.user_id AND alarm.series_id = lesson.series_id) THEN 'series'
               WHEN preference.user_id IS NOT NULL THEN 'preferences'
               ELSE 'default'
           END AS source,
           (SELECT min(other.channel) FROM deliveries other
             WHERE other.key = d.key AND other.user_id = d.user_id AND other.channel <> d.channel
               AND other.state = 'failed') AS failed_channel
      FROM deliveries d
      JOIN users person ON person.id = d.user_id
      LEFT JOIN lessons lesson ON lesson.id = d.schedule_id
      LEFT JOIN notification_preferences preference ON preference.user_id = d.user_id
      LEFT JOIN notification_channels stored ON stored.user_id = d.user_id
            AND stored.id = CASE WHEN d.channel ~ '^[0-9]{{1,9}}$' THEN d.channel::integer END
     WHERE d.id IN (SELECT id FROM deliveries WHERE state = 'pending' AND due_at <= :until
                     UNION ALL
                    SELECT id FROM deliveries WHERE state = 'sending' AND due_at <= :until)
     ORDER BY d.due_at, d.id LIMIT :most
    """  # noqa: S608 - a part of our own
)
_WORDS = {
    "entry": "alarm of the timetable entry",
    "lesson": "own alarm of the lesson",
    "series": "own alarm of the series",
    "preferences": "preferences",
    "default": "default",
}


@dataclass(frozen=True)
class DueDelivery:
    """A delivery that waits to be sent. `why`: what requested it; `reason`: why the last attempt failed."""

    id: int
    due_at: datetime
    kind: str
    schedule_id: int | None
    subject: str | None
    starts_at: datetime | None
    user_id: int
    person: str
    channel: str
    why: str
    state: str
    attempts: int
    reason: str | None


def list_due(session: Session, *, until: datetime, most: int) -> list[DueDelivery]:
    """At most `most` deliveries due by `until`, including overdue ones; the earliest first."""
    rows: Sequence[Row[tuple[object, ...]]] = session.execute(_DUE, {"until": until, "most": most}).all()
    return [
        DueDelivery(
            id=row.id,
            due_at=row.due_at,
            kind=row.kind,
            schedule_id=row.schedule_id,
            subject=row.subject,
            starts_at=row.starts_at,
            user_id=row.user_id,
            person=row.name,
            # Never the address itself.
            channel=f"{row.channel} ({row.label})" if row.label else row.channel,
            why=_why(row),
            state=row.state,
            attempts=row.attempts,
            reason=row.reason,
        )
        for row in rows
    ]


def _why(row: Row[tuple[object, ...]]) -> str:
    origin = row.kind if row.minutes_before is None else f"{row.minutes_before} min before: {_WORDS[row.source]}"
    return f"{origin}; {row.failed_channel} failed" if row.failed_channel else origin
