"""The upload rows that the upkeep of a spool reads and deletes."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import CursorResult, func, select, text
from sqlalchemy.orm import Session

from models.uploads import Upload

_PRUNE = text(
    """
    DELETE FROM uploads WHERE id IN (
        SELECT id FROM uploads WHERE state <> 'open' AND updated_at < now() - make_interval(secs => :age)
         ORDER BY updated_at LIMIT :most FOR UPDATE SKIP LOCKED)
    """
)


def open_uploads(session: Session, spool_id: str, *, age: float) -> Sequence[tuple[str, datetime]]:
    """The open uploads of this spool that were created more than `age` seconds ago: (id, last change of the row)."""
    old = Upload.created_at < func.now() - timedelta(seconds=age)
    query = select(Upload.id, Upload.updated_at).where(Upload.spool_id == spool_id, Upload.state == "open", old)
    return [(row.id, row.updated_at) for row in session.execute(query)]


def kept_uploads(session: Session, ids: Sequence[str]) -> set[str]:
    """Those of `ids` whose file may still be continued."""
    query = select(Upload.id).where(Upload.id.in_(ids), Upload.state.in_(("open", "recovered")))
    return set(session.scalars(query))


def recovered_uploads(session: Session, ids: Sequence[str]) -> set[str]:
    """Those of `ids` all of whose bytes are in a recording, but which may still be continued."""
    return set(session.scalars(select(Upload.id).where(Upload.id.in_(ids), Upload.state == "recovered")))


def prune_uploads(session: Session, *, age: float, most: int) -> int:
    """Delete at most `most` uploads that ended more than `age` seconds ago; returns how many."""
    return cast("CursorResult[Any]", session.execute(_PRUNE, {"age": age, "most": most})).rowcount


def count_open_uploads(session: Session) -> dict[str, int]:
    """The number of open uploads by spool; spools without any are absent."""
    query = select(Upload.spool_id, func.count()).where(Upload.state == "open").group_by(Upload.spool_id)
    return dict(session.execute(query).all())


def open_uploads_with_length(session: Session, spool_id: str) -> Sequence[tuple[str, int]]:
    """The open uploads of this spool whose length is known: (id, length)."""
    query = select(Upload.id, Upload.length).where(
        Upload.spool_id == spool_id, Upload.state == "open", Upload.length.is_not(None)
    )
    return [(row.id, row.length) for row in session.execute(query)]
