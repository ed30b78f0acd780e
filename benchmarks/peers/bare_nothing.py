"""The peer of the ledger: a Celery task that does nothing, without the ledger. Celery loads this module by its name."""

from celery import shared_task

KIND = "figures.bare_nothing"


@shared_task(name=KIND)  # type: ignore[untyped-decorator]  # celery publishes no types
def nothing(_job_id: str) -> None:
    """Nothing."""
