"""Metrics: how many outputs of recordings are pending, were recently made or failed, and their bytes on B2."""

from sqlalchemy import text
from sqlalchemy.orm import Session

# Pending outputs, and those that ended within an hour, each through an index: all others would be counted at every
# scrape. The sheets of a storyboard count as one output.
_COUNTS = text(
    """
    SELECT state, CASE WHEN name LIKE 'storyboard-%' THEN 'storyboard' ELSE name END AS name, count(*) AS number
      FROM (SELECT state, name FROM recording_renditions WHERE state = 'pending'
             UNION ALL
            SELECT state, name FROM recording_renditions
             WHERE state <> 'pending' AND updated_at > now() - interval '1 hour') AS counted
     GROUP BY 1, 2
    """
)
_BYTES = text(
    """
    SELECT CASE WHEN name LIKE 'storyboard-%' THEN 'storyboard' ELSE name END AS name, coalesce(sum(bytes), 0) AS bytes
      FROM recording_renditions WHERE object_name IS NOT NULL GROUP BY 1
    """
)


def rendition_counts(session: Session) -> dict[tuple[str, str], int]:
    """The number of pending rows, and of those that ended within an hour, by (state, name)."""
    return {(row.state, row.name): row.number for row in session.execute(_COUNTS)}


def rendition_bytes(session: Session) -> dict[str, float]:
    """Bytes of the objects that rows name, by the name of the output."""
    return {row.name: float(row.bytes) for row in session.execute(_BYTES)}
