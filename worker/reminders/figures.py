"""What operators watch: is what is due on its way, and what became of it."""

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

_OVERDUE = text(
    """
    SELECT coalesce(extract(epoch FROM now() - min(due_at)), 0)::float FROM deliveries
     WHERE state IN ('pending', 'sending') AND due_at <= now()
    """
)
_COUNTS = text("SELECT state, kind, count(*) FROM deliveries GROUP BY state, kind ORDER BY state, kind")


@dataclass(frozen=True)
class DeliveryFigures:
    """`overdue`: seconds that the oldest due delivery waits to be sent; `counts`: deliveries by (state, kind)."""

    overdue: float
    counts: dict[tuple[str, str], int]


def delivery_figures(session: Session) -> DeliveryFigures:
    """The figures of this moment."""
    counts = {(state, kind): count for state, kind, count in session.execute(_COUNTS)}
    return DeliveryFigures(session.scalars(_OVERDUE).one(), counts)
