"""What follows when lessons change: reminders are replanned and people are notified, in the same transaction."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

from sqlalchemy.orm import Session

from models.people import User as Person
from worker.access.callers import Caller, UserCaller
from worker.access.names import person_name
from worker.reminders.planning.alarms import copy_series_alarms
from worker.reminders.planning.announcements import announcements_for
from worker.reminders.planning.lessons import Scope, known_lessons, lessons_in, read_lessons
from worker.reminders.planning.notify import notify
from worker.reminders.planning.plan import plan_reminders
from worker.schedules.series.reading import split_from


@contextmanager
def notices_of_changes(
    session: Session, scope: Scope, *, by: Caller | None, now: datetime, adds_people: bool = False
) -> Iterator[None]:
    """Notify people of what the block changes in the lessons of `scope`, and replan their reminders.

    Whoever made the change (`by`) is not notified. Lessons that the block adds to a series of the scope, or to one that
    it splits from such a series, are included. `adds_people`: the block may add people to existing lessons of others;
    those who knew none of them get reminders but no notice.
    """
    before = read_lessons(session, lessons_in(session, scope, now=now))
    known = split_from(session, scope.series_ids).keys()
    yield
    session.flush()
    split = {new: old for new, old in split_from(session, scope.series_ids).items() if new not in known}
    for new, old in split.items():
        copy_series_alarms(session, old, new)
    affected = Scope([*before, *scope.schedule_ids], [*scope.series_ids, *split], scope.booking_id)
    ids = lessons_in(session, affected, now=now)
    # Read before planning: people count as knowing a lesson once its reminders are planned.
    known_before = known_lessons(session, ids) if adds_people else None
    plan_reminders(session, ids, now=now)
    user_id, name = _author(session, by)
    after = read_lessons(session, ids)
    for announcement in announcements_for(before, after, now=now, by_user_id=user_id, by=name, known=known_before):
        notify(
            session,
            announcement.kind,
            user_ids=announcement.user_ids,
            data=announcement.data,
            key=announcement.key,
            schedule_id=announcement.schedule_id,
            now=now,
            expires_at=announcement.expires_at,
        )


def plan_new_lessons(
    session: Session, *, schedule_ids: Sequence[int] = (), series_ids: Sequence[int] = (), now: datetime
) -> None:
    """Plan the reminders of lessons that have just been created, and of all future lessons of these series."""
    session.flush()
    plan_reminders(session, lessons_in(session, Scope(schedule_ids, series_ids), now=now), now=now)


def _author(session: Session, by: Caller | None) -> tuple[int | None, str | None]:
    if not isinstance(by, UserCaller):
        return None, None
    person = session.get(Person, by.user_id)
    return by.user_id, person_name(person) if person is not None else None
