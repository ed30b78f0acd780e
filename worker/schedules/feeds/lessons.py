"""A person's calendar: the lessons that they teach, attend, or whose student is their child, and their timetable."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ARRAY, ColumnElement, Integer, Select, any_, exists, literal, or_, select, union
from sqlalchemy.orm import Session

from models.people import StudentProfile, TutorProfile
from models.people import User as Person
from models.schedules import Schedule, ScheduleParticipant
from worker.access.names import STUDENT, name_of
from worker.calendars.event import Event
from worker.calendars.zones import known_zone
from worker.schedules.feeds.addresses import FeedOwner
from worker.schedules.feeds.entries import entry_events
from worker.schedules.feeds.events import FeedLesson, feed_event
from worker.schedules.feeds.feed_rows import COLUMNS, Students, feed_lesson
from worker.schedules.timetable.entries import active_entries

MAX_LESSONS = 2_000
# How long past lessons stay, and how long a cancelled lesson is listed as cancelled: every calendar has refreshed by
# then.
KEPT = timedelta(days=30)
# Time zone rules further ahead are guesses, and everything up to the last lesson is computed.
AHEAD = timedelta(days=5 * 366)
# A lesson lasts at most a day, and its local day is at most one day away from its instants.
_DAYS_AROUND = timedelta(days=2)


@dataclass(frozen=True)
class Feed:
    """A calendar ready to be written: its name, its owner's time zone, its events and the time of the last change."""

    name: str
    timezone: str
    events: list[Event]
    changed_at: datetime


def read_feed(session: Session, owner: FeedOwner, *, now: datetime, timezone: str) -> Feed:
    """Lessons from thirty days ago on, at most 2 000, the earliest first; then the active entries of the timetable.

    Rows whose instants are not computed yet are omitted. `timezone` is for rows and people without one.
    """
    lessons = _lessons(session, owner, now)
    entries = active_entries(session, owner.user_id)
    changes = [owner.feed_created_at, *(lesson.updated_at for lesson in lessons)]
    changes += [entry.updated_at for entry in entries]
    return Feed(
        name=f"Astegni: {owner.name}" if owner.name else "Astegni",
        timezone=known_zone(owner.timezone, timezone),
        events=[
            *(feed_event(lesson, timezone=timezone) for lesson in lessons),
            *(event for entry in entries for event in entry_events(entry, since=now - KEPT, until=now + AHEAD)),
        ],
        changed_at=min(max(changes), now),
    )


def _lessons(session: Session, owner: FeedOwner, now: datetime) -> list[FeedLesson]:
    children = _children(session, owner)
    mine = _ids_of(owner, children, now)
    if not mine:
        return []
    statement = (
        select(
            *(getattr(Schedule, name) for name in COLUMNS),
            Schedule.tutor_id,
            Schedule.student_id,
            Schedule.student_name,
            name_of(TutorProfile).label("tutor"),
        )
        .join(TutorProfile, TutorProfile.id == Schedule.tutor_id)
        .join(Person, Person.id == TutorProfile.user_id)
        .where(
            Schedule.id.in_(union(*mine)),
            Schedule.ends_at >= now - KEPT,
            Schedule.starts_at <= now + AHEAD,
            or_(Schedule.status != "cancelled", Schedule.updated_at >= now - KEPT),
        )
        .order_by(Schedule.starts_at, Schedule.id)
        .limit(MAX_LESSONS)
    )
    rows = session.execute(statement).all()
    participants = _participants(session, [row.id for row in rows])
    return [feed_lesson(row, owner, children, participants[row.id]) for row in rows]


def _ids_of(owner: FeedOwner, children: Students, now: datetime) -> list[Select[int]]:
    """The lessons of each of the owner's roles, each found through its own index."""
    near = Schedule.schedule_date.between((now - KEPT - _DAYS_AROUND).date(), (now + AHEAD + _DAYS_AROUND).date())
    learners = [*children] if owner.student_id is None else [owner.student_id, *children]
    statements = []
    if owner.tutor_id is not None:
        statements.append(select(Schedule.id).where(Schedule.tutor_id == owner.tutor_id, near))
    if learners:
        taking_part = ScheduleParticipant.student_id == any_(literal(learners, ARRAY(Integer)))
        since = ScheduleParticipant.starts_at >= now - KEPT - _DAYS_AROUND
        statements.append(select(ScheduleParticipant.schedule_id).where(taking_part, since))
        statements.append(
            select(Schedule.id).where(
                Schedule.student_id == any_(literal(learners, ARRAY(Integer))), near, _has_nobody()
            )
        )
    return statements


def _has_nobody() -> ColumnElement[bool]:
    """Of a lesson without participants (cancelled, or written by hand) only the row itself says whose it is."""
    return ~exists().where(ScheduleParticipant.schedule_id == Schedule.id)


def _children(session: Session, owner: FeedOwner) -> Students:
    if owner.parent_id is None:
        return {}
    statement = (
        select(StudentProfile.id, name_of(StudentProfile).label("name"))
        .join(Person, Person.id == StudentProfile.user_id)
        .where(StudentProfile.parent_id.bool_op("@>")([owner.parent_id]))
    )
    return {row.id: row.name or STUDENT for row in session.execute(statement)}


def _participants(session: Session, schedule_ids: Sequence[int]) -> Mapping[int, dict[int, str]]:
    statement = (
        select(ScheduleParticipant.schedule_id, ScheduleParticipant.student_id, name_of(StudentProfile).label("name"))
        .join(StudentProfile, StudentProfile.id == ScheduleParticipant.student_id)
        .join(Person, Person.id == StudentProfile.user_id)
        .where(ScheduleParticipant.schedule_id == any_(literal(schedule_ids, ARRAY(Integer))))
        .order_by(ScheduleParticipant.schedule_id, ScheduleParticipant.student_id)
    )
    names: dict[int, dict[int, str]] = defaultdict(dict)
    for row in session.execute(statement):
        names[row.schedule_id][row.student_id] = row.name or STUDENT
    return names
