"""A person's messages in the app: the list, the unread ones, and the new ones since a moment."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from models.notifications import Notification
from worker.errors import NotFound

# Of each lock on an inbox; "inbx".
_LOCK = 0x696E6278
# Per person and read; a reader who has missed more gets the rest with the next read.
MAX_UPDATES = 100


@dataclass(frozen=True)
class InboxCursor:
    """The state of an inbox: how many messages are unread, and the highest id (0: there is none)."""

    unread: int
    newest: int


@dataclass(frozen=True)
class InboxUpdate:
    """Messages with an id above the requested one, oldest first."""

    unread: int
    notifications: Sequence[Notification]

    def after(self, known: int) -> "InboxUpdate":
        """The part of the update for a reader who knows all messages up to the id `known`."""
        return InboxUpdate(self.unread, [message for message in self.notifications if message.id > known])


_LOCK_INBOXES = text(
    "SELECT pg_advisory_xact_lock(:lock, user_id) FROM unnest(CAST(:user_ids AS integer[])) AS inbox (user_id)"
)
_NEW = text(
    """
    SELECT new.*
      FROM unnest(CAST(:user_ids AS integer[]), CAST(:above AS integer[])) AS asked (user_id, above)
     CROSS JOIN LATERAL (
        SELECT * FROM notifications
         WHERE user_id = asked.user_id AND id > asked.above ORDER BY id LIMIT :most) AS new
     ORDER BY new.id
    """
)


def lock_inboxes(session: Session, user_ids: Collection[int]) -> None:
    """Serialise inserts of messages for these people until the transaction ends; call it before the first of them.

    Ids are assigned before the commit. Without the lock a lower one could appear after a higher one, and a reader who
    asks for what is new since the higher one would miss it.
    """
    session.execute(_LOCK_INBOXES, {"lock": _LOCK, "user_ids": sorted(set(user_ids))})


def list_notifications(
    session: Session, user_id: int, *, unread: bool, before: int | None, limit: int
) -> Sequence[Notification]:
    """A person's messages, newest first: all or only unread ones, optionally only ids below `before`."""
    statement = select(Notification).where(Notification.user_id == user_id)
    if unread:
        statement = statement.where(Notification.read_at.is_(None))
    if before is not None:
        statement = statement.where(Notification.id < before)
    return session.scalars(statement.order_by(Notification.id.desc()).limit(limit)).all()


def count_unread(session: Session, user_id: int) -> int:
    """How many messages the person has not read."""
    return _unread(session, [user_id])[user_id]


def mark_read(session: Session, user_id: int, notification_id: int, *, now: datetime) -> Notification:
    """Mark one message as read; if it already was, the time stays. Raises NotFound."""
    theirs = (Notification.id == notification_id, Notification.user_id == user_id)
    statement = update(Notification).where(*theirs).values(read_at=func.coalesce(Notification.read_at, now))
    marked = session.scalars(statement.returning(Notification)).one_or_none()
    if marked is None:
        raise NotFound(f"There is no notification {notification_id} of yours.")
    return marked


def mark_all_read(session: Session, user_id: int, *, now: datetime) -> None:
    """Mark all current messages as read."""
    unread = (Notification.user_id == user_id, Notification.read_at.is_(None))
    session.execute(update(Notification).where(*unread).values(read_at=now))


def read_cursor(session: Session, user_id: int) -> InboxCursor:
    """The starting cursor for a reader who wants updates from now on."""
    newest = session.scalar(select(func.max(Notification.id)).where(Notification.user_id == user_id))
    return InboxCursor(count_unread(session, user_id), newest or 0)


def read_updates(session: Session, above: Mapping[int, int]) -> dict[int, InboxUpdate]:
    """New messages for each person; `above` maps user ids to the id up to which they know all messages."""
    values = {"user_ids": list(above), "above": list(above.values()), "most": MAX_UPDATES}
    new: dict[int, list[Notification]] = defaultdict(list)
    for message in session.scalars(select(Notification).from_statement(_NEW), values):
        new[message.user_id].append(message)
    unread = _unread(session, list(above))
    return {user_id: InboxUpdate(unread[user_id], new[user_id]) for user_id in above}


def _unread(session: Session, user_ids: Sequence[int]) -> dict[int, int]:
    statement = (
        select(Notification.user_id, func.count().label("unread"))
        .where(Notification.user_id.in_(user_ids), Notification.read_at.is_(None))
        .group_by(Notification.user_id)
    )
    return dict.fromkeys(user_ids, 0) | {row.user_id: row.unread for row in session.execute(statement)}
