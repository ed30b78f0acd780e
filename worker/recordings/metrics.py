"""How many outputs of recordings are made, awaited and failed, and their bytes on B2, for the metrics."""

from sqlalchemy import text
from sqlalchemy.orm import Session

# The sheets of a storyboard are one output.
_COUNTS = text(
    """
    SELECT state, CASE WHEN name LIKE 'storyboard-%' THEN 'storyboard' ELSE name END AS name, count(*) AS number
      FROM recording_renditions GROUP BY 1, 2
    """
)
_BYTES = text(
    """
    SELECT CASE WHEN name LIKE 'storyboard-%' THEN 'storyboard' ELSE name END AS name, coalesce(sum(bytes), 0) AS bytes
      FROM recording_renditions WHERE object_name IS NOT NULL GROUP BY 1
    """
)


def rendition_counts(session: Session) -> dict[tuple[str, str], int]:
    """The number of rows by (state, name)."""
    return {(row.state, row.name): row.number for row in session.execute(_COUNTS)}


def rendition_bytes(session: Session) -> dict[str, float]:
    """Bytes of the objects that rows name, by the name of the output."""
    return {row.name: float(row.bytes) for row in session.execute(_BYTES)}
