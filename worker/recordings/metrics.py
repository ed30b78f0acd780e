"""How many outputs of recordings are made, awaited and failed, for the metrics."""

from sqlalchemy import text
from sqlalchemy.orm import Session

# The sheets of a storyboard are one output.
_COUNTS = text(
    """
    SELECT state, CASE WHEN name LIKE 'storyboard-%' THEN 'storyboard' ELSE name END AS name, count(*) AS number
      FROM recording_renditions GROUP BY 1, 2
    """
)


def rendition_counts(session: Session) -> dict[tuple[str, str], int]:
    """The number of rows by (state, name)."""
    return {(row.state, row.name): row.number for row in session.execute(_COUNTS)}
