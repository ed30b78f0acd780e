"""What a worker's main process does besides minding its children: relay and reaper, without any need of beat."""

from typing import Any

from celery import bootsteps

from worker.database import Database
from worker.jobs.loop import Loop
from worker.jobs.publish import publish
from worker.jobs.reaper import reap
from worker.processes.broker import publication_lease, sender
from worker.workflows.endings import ENDINGS

_BATCH = 100


class KeepLedger(bootsteps.StartStopStep):  # type: ignore[misc]  # celery publishes no types
    """Publishes due jobs and takes back run-out leases, in threads with a database of their own.

    It starts after the pool has forked. Any number of workers may do this at once: SKIP LOCKED shares the rows out.
    """

    requires = ("celery.worker.components:Pool",)

    def __init__(self, parent: Any, **kwargs: Any) -> None:
        super().__init__(parent, **kwargs)
        self._loops: list[Loop] = []
        self._database: Database | None = None

    def start(self, parent: Any) -> None:
        """Start both loops."""
        settings = parent.app.settings
        database = Database(settings.sqlalchemy_url, pool_size=2, max_overflow=0)
        send, lease = sender(parent.app), publication_lease(settings)
        self._database = database
        self._loops = [
            Loop(
                "relay",
                lambda: publish(database, send, lease, most=_BATCH) == _BATCH,
                interval=settings.relay_interval,
            ),
            Loop(
                "reaper",
                lambda: reap(database, ENDINGS, most=_BATCH) == _BATCH,
                interval=settings.reaper_interval,
            ),
        ]
        for loop in self._loops:
            loop.start()

    def stop(self, parent: Any) -> None:  # noqa: ARG002 - Celery's signature
        """Stop both loops; other workers carry on."""
        for loop in self._loops:
            loop.stop()
        self._loops = []
        if self._database is not None:
            self._database.close()
            self._database = None

    terminate = stop
