"""The peer of the ledger: a Celery task that does nothing, without the ledger. Celery loads this module by its name."""

from celery import shared_task

KIND = "benchmarks.noop_task"


@shared_task(name=KIND)  # type: ignore[untyped-decorator]  # celery publishes no types
def noop(_job_id: str) -> None:
    """Nothing."""
