"""Delete old messages in the app, read or unread."""

from typing import Any, cast

from sqlalchemy import CursorResult, text
from sqlalchemy.orm import Session

# Ids increase with time, so only the oldest rows are read, through the primary key: no index on `created_at` is needed.
_PRUNE = text(
    """
    DELETE FROM notifications WHERE id IN (
        SELECT id FROM (SELECT id, created_at FROM notifications ORDER BY id LIMIT :most) AS oldest
         WHERE created_at < now() - make_interval(secs => :age))
    """
)


def prune_notifications(session: Session, *, age: float, most: int) -> int:
    """Delete at most `most` messages older than `age` seconds; return how many."""
    return cast("CursorResult[Any]", session.execute(_PRUNE, {"age": age, "most": most})).rowcount
