"""The announcements that changed lessons require, from their states before and after. Pure."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from worker.reminders.planning.lessons import Lesson, ViewerRole

MOVED, CANCELLED = "lesson-moved", "lesson-cancelled"
RESTORED, BOOKED = "lesson-restored", "lesson-booked"


@dataclass(frozen=True)
class Announcement:
    """One message to some people; it names the first of its lessons. `key`: makes the announcement idempotent."""

    kind: str
    user_ids: tuple[int, ...]
    schedule_id: int
    key: str
    data: Mapping[str, Any]
    expires_at: datetime


class _Change(NamedTuple):
    """The part of an announcement that its readers share: its lessons by id, the first one first, and their role.

    Obsolete after `until`, when the last of the lessons has ended.
    """

    kind: str
    schedule_ids: tuple[int, ...]
    place: ViewerRole
    until: datetime


def announcements_for(
    before: Mapping[int, Lesson],
    after: Mapping[int, Lesson],
    *,
    now: datetime,
    by_user_id: int | None = None,
    by: str | None = None,
    known: Collection[tuple[int, int]] | None = None,
) -> list[Announcement]:
    """Decide whom to notify of what: one message per person, kind and subject, for any number of lessons and series.

    The person who made the change (`by_user_id`, called `by`) gets none. Lessons that had ended both before and after
    the change are not announced. With `known` (lesson, user), a person who is added to lessons none of which they know
    gets no announcement either: nothing was restored for them.
    """
    changed: dict[tuple[int, str, str | None], list[int]] = defaultdict(list)
    for schedule_id in sorted(
        before.keys() & after.keys(), key=lambda lesson_id: (before[lesson_id].starts_at, lesson_id)
    ):
        was, is_now = before[schedule_id], after[schedule_id]
        for user_id in {**was.people, **is_now.people}:
            kind = _kind(was, is_now, user_id, now)
            if kind is not None and user_id != by_user_id:
                changed[user_id, kind, was.subject].append(schedule_id)
    readers: dict[_Change, list[int]] = defaultdict(list)
    for (user_id, kind, _subject), ids in changed.items():
        if kind == RESTORED and known is not None and not any((lesson_id, user_id) in known for lesson_id in ids):
            continue
        first = ids[0]
        place = before[first].people.get(user_id) or after[first].people[user_id]
        until = max(_until(kind, before[lesson_id], after[lesson_id]) for lesson_id in ids)
        readers[_Change(kind, tuple(ids), place, until)].append(user_id)
    return [
        _announce(change, user_ids, before[change.schedule_ids[0]], after[change.schedule_ids[0]], by)
        for change, user_ids in readers.items()
    ]


def _kind(was: Lesson, is_now: Lesson, user_id: int, now: datetime) -> str | None:
    if user_id not in is_now.people:
        return CANCELLED if was.ends_at > now else None
    if user_id not in was.people:
        if is_now.ends_at <= now:
            return None
        return BOOKED if was.is_slot else RESTORED
    if is_now.starts_at != was.starts_at and max(is_now.starts_at, was.starts_at) > now:
        return MOVED
    return None


def _until(kind: str, was: Lesson, is_now: Lesson) -> datetime:
    if kind == MOVED:
        return max(is_now.starts_at, was.starts_at)
    return was.ends_at if kind == CANCELLED else is_now.ends_at


def _announce(change: _Change, user_ids: Sequence[int], was: Lesson, is_now: Lesson, by: str | None) -> Announcement:
    # Every change of a lesson increments its sequence: another move is another announcement.
    first = change.schedule_ids[0]
    key = f"{change.kind}:{first}:{is_now.sequence}"
    # The role at the time of the change: the person may have left the lesson before this is sent.
    data: dict[str, Any] = {"schedule_id": first, "count": len(change.schedule_ids), "by": by}
    data |= {
        "schedule_ids": list(change.schedule_ids),
        "view": change.place.view,
        "students": list(change.place.students),
    }
    if change.kind == MOVED:
        data["before_starts_at"] = _utc(was.starts_at)
    elif change.kind == CANCELLED:
        # The row may have changed before this is sent.
        data |= {"tutor": was.tutor, "starts_at": _utc(was.starts_at), "timezone": was.timezone, "subject": was.subject}
        data |= {"ends_at": _utc(was.ends_at), "sequence": is_now.sequence}
    return Announcement(change.kind, tuple(user_ids), first, key, data, change.until)


def _utc(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat()
