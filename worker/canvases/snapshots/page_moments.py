"""When the pages of a board were shown and first drawn on."""

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

_MOMENTS = text(
    """
    SELECT page_id, at FROM page_activations WHERE session_id = :session_id
     UNION ALL
    SELECT page_id, min(coalesce(started_at, created_at)) AS at FROM page_strokes
     WHERE session_id = :session_id GROUP BY page_id
     ORDER BY at
    """
)


def page_moments(session: Session, session_id: int) -> dict[int, list[datetime]]:
    """When each page was turned to, and when the first stroke on it began, in order."""
    moments: dict[int, list[datetime]] = {}
    for row in session.execute(_MOMENTS, {"session_id": session_id}):
        moments.setdefault(row.page_id, []).append(row.at)
    return moments
