"""Beat's one task: put the named order into the ledger, unless its like is live."""

from typing import Any

from celery import Task, shared_task

from worker.jobs.enqueue import enqueue
from worker.jobs.orders import read_order


@shared_task(name="timetable.order", bind=True)  # type: ignore[untyped-decorator]  # celery publishes no types
def order(self: Task, kind: str, args: dict[str, Any]) -> None:
    """Twice or late does no harm: the order's unique key and its own look at the clock see to that."""
    with self.app.child.database.transaction() as session:
        enqueue(session, read_order(kind, args), principal="beat")
