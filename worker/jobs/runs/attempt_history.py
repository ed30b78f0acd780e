"""Read how the earlier attempts of a job ended."""

from typing import Any
from uuid import UUID

from sqlalchemy import text

from worker.database import Executor
from worker.jobs.orders.registered import order_type

# The attempts before this one, latest first. A manual retry starts a new series of attempts, and those before it do not
# count: `attempt` continues, and `max_attempts` is the limit of the new series. Nor do those that a shutdown released.
_BEFORE = text(
    """
    SELECT outcome, error FROM job_attempts
     WHERE job_id = :id AND attempt > :since AND outcome <> 'released' ORDER BY id DESC LIMIT :most
    """
)


def attempts_before(
    session: Executor, job_id: UUID, *, kind: str, max_attempts: int, most: int
) -> list[tuple[str, dict[str, Any] | None]]:
    """Outcome and error of at most `most` attempts before the current one, latest first."""
    order = order_type(kind)
    since = max_attempts - order.max_attempts if order is not None else 0
    rows = session.execute(_BEFORE, {"id": job_id, "since": since, "most": most})
    return [(row.outcome, row.error) for row in rows]
