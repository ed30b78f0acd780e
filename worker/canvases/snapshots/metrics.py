"""Metrics for operators: how far the images of running lessons are behind their boards, and bytes on B2."""

from sqlalchemy import text
from sqlalchemy.orm import Session

# Only new strokes: deleted ones have no index, and a page that shows too much is soon drawn on again.
_BEHIND = text(
    """
    SELECT coalesce(extract(epoch FROM now() - min(waiting.since)), 0)
      FROM boards board
      JOIN board_pages page ON page.session_id = board.id
      LEFT JOIN whiteboard_snapshots taken ON taken.page_id = page.id AND taken.name = 'png'
      CROSS JOIN LATERAL (
          SELECT min(created_at) AS since FROM page_strokes
           WHERE session_id = board.id AND page_id = page.id AND NOT is_deleted
             AND created_at > coalesce(taken.taken_at, '-infinity')
      ) waiting
     WHERE board.status = 'in_progress'
    """
)
_BYTES = text("SELECT name, coalesce(sum(bytes), 0) AS bytes FROM whiteboard_snapshots GROUP BY name")


def outdated_pages(session: Session) -> float:
    """Age in seconds of the oldest stroke of a running session that its page's image does not show; 0 when none."""
    return float(session.scalars(_BEHIND).one())


def snapshot_bytes(session: Session) -> dict[str, float]:
    """Bytes of the objects of all snapshots, by the name of their form."""
    return {row.name: float(row.bytes) for row in session.execute(_BYTES)}
