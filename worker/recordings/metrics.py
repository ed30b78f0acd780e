"""How many outputs of recordings are awaited, and lately made or failed, and their bytes on B2, for the metrics."""

from sqlalchemy import text
from sqlalchemy.orm import Session

# Pending ones, and those that ended within an hour, by an index each: all others would be counted at every scrape. The
# sheets of a storyboard are one output.
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
