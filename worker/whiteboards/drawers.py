"""Who has joined a board here, and since when."""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

# The time from which a person's page itself sends their strokes here.
_JOINED = text(
    """
    SELECT session_id, profile_type, profile_id, min(at) AS at
      FROM whiteboard_events
     WHERE session_id = ANY(:sessions) AND kind IN ('start', 'join') AND profile_id IS NOT NULL
     GROUP BY session_id, profile_type, profile_id
    """
)


class Drawer(NamedTuple):
    """A profile on a board."""

    session_id: int
    profile_type: str
    profile_id: int


def drawers_since(session: Session, session_ids: Collection[int]) -> dict[Drawer, datetime]:
    """Who has joined these boards here, and since when: their page sends what they draw."""
    rows = session.execute(_JOINED, {"sessions": list(session_ids)})
    return {Drawer(row.session_id, row.profile_type, row.profile_id): row.at for row in rows}
