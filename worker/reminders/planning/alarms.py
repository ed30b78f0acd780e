"""A person's own alarms for a lesson or a series, which replace those of their preferences."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from sqlalchemy import ColumnElement, column, delete, insert, select, table, text
from sqlalchemy.orm import Session

from models.reminders import LessonAlarm
from worker.reminders.planning.preferences import check_alarms, check_channels, read_preferences

# The source of an alarm.
Source = Literal["lesson", "series", "preferences"]

_COPY = text(
    """
    INSERT INTO lesson_alarms (user_id, series_id, minutes_before, channels, fallback)
    SELECT user_id, :target, minutes_before, channels, fallback FROM lesson_alarms WHERE series_id = :source
        ON CONFLICT DO NOTHING
    """
)

_LESSONS = table("lessons", column("id"), column("series_id"), column("occurrence_date"), column("starts_at")).c


@dataclass(frozen=True)
class Alarm:
    """A request to be reminded some minutes before a lesson. None: the channels or fallback of the preferences."""

    minutes_before: int
    channels: Sequence[str] | None = None
    fallback: Sequence[str] | None = None


@dataclass(frozen=True)
class Subject:
    """What alarms are for: a lesson (and its series, if it has one), or, with `schedule_id` None, the series itself."""

    schedule_id: int | None
    series_id: int | None


def alarms_of(session: Session, user_id: int, subject: Subject) -> tuple[Source, list[Alarm]]:
    """The alarms that apply to a person there, the earliest first, and their source. No alarms: no reminders."""
    if subject.schedule_id is not None:
        own = _rows(session, user_id, LessonAlarm.schedule_id == subject.schedule_id)
        if own:
            return "lesson", _alarms(own)
    if subject.series_id is not None:
        of_series = _rows(session, user_id, LessonAlarm.series_id == subject.series_id)
        if of_series:
            return "series", _alarms(of_series)
    usual = sorted(read_preferences(session, user_id).alarms, reverse=True)
    return "preferences", [Alarm(minutes) for minutes in usual]


def check_requested_alarms(session: Session, user_id: int, alarms: Sequence[Alarm]) -> None:
    """Raise InvalidInput for alarms that are not allowed."""
    check_alarms([alarm.minutes_before for alarm in alarms])
    for alarm in alarms:
        check_channels(session, user_id, alarm.channels or (), field="channels")
        check_channels(session, user_id, alarm.fallback or (), field="fallback")


def set_lesson_alarms(
    session: Session, user_id: int, schedule_ids: Sequence[int], alarms: Sequence[Alarm] | None
) -> None:
    """Replace a person's alarms of lessons; None: those of the series or the preferences apply again."""
    session.execute(
        delete(LessonAlarm).where(LessonAlarm.user_id == user_id, LessonAlarm.schedule_id.in_(schedule_ids))
    )
    _insert(session, [{"user_id": user_id, "schedule_id": schedule_id} for schedule_id in schedule_ids], alarms)


def set_series_alarms(session: Session, user_id: int, series_id: int, alarms: Sequence[Alarm] | None) -> None:
    """Replace a person's alarms of a series; None: those of the preferences apply again."""
    session.execute(delete(LessonAlarm).where(LessonAlarm.user_id == user_id, LessonAlarm.series_id == series_id))
    _insert(session, [{"user_id": user_id, "series_id": series_id}], alarms)


def keep_alarms_before(session: Session, user_id: int, series_id: int, day: date, *, now: datetime) -> None:
    """Give the future lessons before `day` alarms of their own, equal to those that apply to them now."""
    _source, alarms = alarms_of(session, user_id, Subject(None, series_id))
    own = select(LessonAlarm.schedule_id).where(LessonAlarm.user_id == user_id, LessonAlarm.schedule_id == _LESSONS.id)
    earlier = select(_LESSONS.id).where(
        _LESSONS.series_id == series_id, _LESSONS.occurrence_date < day, _LESSONS.starts_at > now, ~own.exists()
    )
    set_lesson_alarms(session, user_id, session.scalars(earlier).all(), alarms)


def lessons_from(session: Session, series_id: int, day: date | None, *, now: datetime) -> Sequence[int]:
    """Ids of the future lessons of a series, from `day` on (None: all)."""
    statement = select(_LESSONS.id).where(_LESSONS.series_id == series_id, _LESSONS.starts_at > now)
    if day is not None:
        statement = statement.where(_LESSONS.occurrence_date >= day)
    return session.scalars(statement).all()


def copy_series_alarms(session: Session, source: int, target: int) -> None:
    """Copy everybody's alarms from series `source` to series `target`, which continues it."""
    session.execute(_COPY, {"source": source, "target": target})


def _rows(session: Session, user_id: int, of: ColumnElement[bool]) -> Sequence[LessonAlarm]:
    statement = select(LessonAlarm).where(LessonAlarm.user_id == user_id, of)
    return session.scalars(statement.order_by(LessonAlarm.minutes_before.desc())).all()


def _alarms(rows: Sequence[LessonAlarm]) -> list[Alarm]:
    # A row without minutes records the request not to be reminded.
    return [Alarm(row.minutes_before, row.channels, row.fallback) for row in rows if row.minutes_before is not None]


def _insert(session: Session, subjects: Sequence[dict[str, int]], alarms: Sequence[Alarm] | None) -> None:
    if alarms is None or not subjects:
        return
    alarm_columns = [
        {"minutes_before": alarm.minutes_before, "channels": _list(alarm.channels), "fallback": _list(alarm.fallback)}
        for alarm in alarms
    ] or [{"minutes_before": None, "channels": None, "fallback": None}]
    session.execute(insert(LessonAlarm), [{**subject, **columns} for subject in subjects for columns in alarm_columns])


def _list(names: Sequence[str] | None) -> list[str] | None:
    return None if names is None else list(names)
