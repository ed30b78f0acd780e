"""Delete deliveries that ended long ago."""

from sqlalchemy import text
from sqlalchemy.orm import Session

_PRUNE = text(
    """
    WITH gone AS (
        DELETE FROM deliveries WHERE id IN (
            SELECT id FROM deliveries
             WHERE state NOT IN ('pending', 'sending') AND updated_at < now() - make_interval(secs => :age)
               AND (starts_at IS NULL OR starts_at < now())
             ORDER BY updated_at LIMIT :most FOR UPDATE SKIP LOCKED)
        RETURNING 1)
    SELECT count(*) FROM gone
    """
)


def prune_deliveries(session: Session, *, age: float, most: int) -> int:
    """Delete at most `most` deliveries that ended more than `age` seconds ago; return how many.

    Those of future lessons stay: without them the same reminder would be planned again.
    """
    pruned: int = session.scalars(_PRUNE, {"age": age, "most": most}).one()
    return pruned
