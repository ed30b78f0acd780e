"""Record what operators read and do, at the point of authentication, so that no route can omit it."""

from sqlalchemy import text
from sqlalchemy.orm import Session

from models.operators import OperatorAccess
from worker.access.callers import Operator

_LONGEST_ADDRESS = 500
_PRUNE = text(
    """
    WITH old AS (
        DELETE FROM operator_accesses WHERE id IN (
            SELECT id FROM operator_accesses WHERE at < now() - make_interval(secs => :age)
             ORDER BY at LIMIT :most FOR UPDATE SKIP LOCKED)
        RETURNING 1)
    SELECT count(*) FROM old
    """
)


def record_access(session: Session, operator: Operator, *, action: str, address: str) -> None:
    """Record that the operator requests `address`; `action` is the method and the route's template."""
    session.add(OperatorAccess(admin_id=operator.admin_id, action=action, address=address[:_LONGEST_ADDRESS]))


def prune_operator_accesses(session: Session, *, age: float, most: int) -> int:
    """Delete at most `most` records older than `age` seconds; return how many."""
    pruned: int = session.scalars(_PRUNE, {"age": age, "most": most}).one()
    return pruned
