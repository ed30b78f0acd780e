"""A person's messages in the app: the list, the unread ones, and the new ones since a moment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from models.notifications import Notification
from worker.errors import NotFound

# Ids are assigned before the commit, so a lower one may appear after a higher one. Seconds after which that is not
# expected any more: messages are inserted in short transactions, whose statements are cancelled after 30 s
# (worker/database.py).
_SETTLED_SECONDS = 30
# Per person and read; a reader who has missed more gets the rest with the next read.
MOST_NEWS = 100


@dataclass(frozen=True)
class InboxCursor:
    """How far an inbox has been read: all ids up to `settled` are known, and of later ones those in `later`."""

    unread: int
    settled: int
    later: frozenset[int]

    @property
    def newest(self) -> int:
        """The highest id; 0 when there is none."""
        return max(self.later, default=self.settled)


@dataclass(frozen=True)
class InboxUpdate:
    """Messages with an id above the requested one, oldest first, and the id below which no more can appear."""

    unread: int
    notifications: list[Notification]
    settled: int

    def after(self, known: int) -> "InboxUpdate":
        """The part of the update for a reader who knows all messages up to the id `known`."""
        later = [notification for notification in self.notifications if notification.id > known]
        return InboxUpdate(self.unread, later, max(self.settled, known))


_LATEST = text(
    """
    SELECT id, created_at < now() - make_interval(secs => :settled) AS is_settled
      FROM notifications WHERE user_id = :user_id ORDER BY id DESC LIMIT :most
    """
)
_NEW_IDS = text(
    """
    SELECT asked.user_id, new.id, new.is_settled
      FROM unnest(CAST(:user_ids AS integer[]), CAST(:above AS integer[])) AS asked (user_id, above)
     CROSS JOIN LATERAL (
        SELECT id, created_at < now() - make_interval(secs => :settled) AS is_settled FROM notifications
         WHERE user_id = asked.user_id AND id > asked.above ORDER BY id LIMIT :most) AS new
     ORDER BY new.id
    """
)


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
    values = {"user_id": user_id, "settled": _SETTLED_SECONDS, "most": MOST_NEWS}
    latest = session.execute(_LATEST, values).all()
    settled = max((row.id for row in latest if row.is_settled), default=0)
    if not settled and len(latest) == MOST_NEWS:
        settled = latest[-1].id
    return InboxCursor(count_unread(session, user_id), settled, frozenset(row.id for row in latest if row.id > settled))


def read_updates(session: Session, above: Mapping[int, int]) -> dict[int, InboxUpdate]:
    """New messages for each person; `above` maps user ids to the id up to which they know all messages."""
    values = {"user_ids": list(above), "above": list(above.values())}
    new = session.execute(_NEW_IDS, {**values, "settled": _SETTLED_SECONDS, "most": MOST_NEWS}).all()
    rows: dict[int, Notification] = {}
    if new:
        statement = select(Notification).where(Notification.id.in_([notification.id for notification in new]))
        rows = {row.id: row for row in session.scalars(statement)}
    unread = _unread(session, list(above))
    return {
        user_id: InboxUpdate(
            unread[user_id],
            [
                rows[notification.id]
                for notification in new
                if notification.user_id == user_id and notification.id in rows
            ],
            max(
                (
                    notification.id
                    for notification in new
                    if notification.user_id == user_id and notification.is_settled
                ),
                default=above[user_id],
            ),
        )
        for user_id in above
    }


def _unread(session: Session, user_ids: Sequence[int]) -> dict[int, int]:
    statement = (
        select(Notification.user_id, func.count().label("unread"))
        .where(Notification.user_id.in_(user_ids), Notification.read_at.is_(None))
        .group_by(Notification.user_id)
    )
    return dict.fromkeys(user_ids, 0) | {row.user_id: row.unread for row in session.execute(statement)}
