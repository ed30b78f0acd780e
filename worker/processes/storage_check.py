"""Whether B2 is reachable: checked by each worker that needs it, so that an outage shows before it affects a lesson."""

from typing import Any

from celery import bootsteps

from worker.database import Database
from worker.jobs.heartbeats import HeartbeatWriter
from worker.jobs.periodic_thread import PeriodicThread
from worker.settings import Settings
from worker.storage.store import ObjectStore

# There is no such object. That B2 says so shows that the network, the key and the bucket are right; it is one
# transaction of class B, of which 2500 a day are free.
_PROBE = "videos/whiteboard/.reachable"


class CheckStorage(bootsteps.StartStopStep):  # type: ignore[misc]  # celery publishes no types
    """Checks at an interval, in a thread with its own connection; only in workers that consume a media queue."""

    requires = ("celery.worker.components:Pool",)

    def __init__(self, parent: Any, **kwargs: Any) -> None:
        super().__init__(parent, **kwargs)
        self._loop: PeriodicThread | None = None
        self._database: Database | None = None

    def include_if(self, parent: Any) -> bool:
        """Whether this worker's jobs need B2, and its address is configured."""
        settings: Settings = parent.app.settings
        queues = parent.app.amqp.queues.consume_from
        return settings.backblaze_key_id is not None and any(name.startswith("media") for name in queues)

    def start(self, parent: Any) -> None:
        """Start the loop."""
        settings: Settings = parent.app.settings
        database = Database(settings.sqlalchemy_url, pool_size=1, max_overflow=0)
        store = ObjectStore.from_settings(settings)
        # The loop's own interval is the heartbeat's: each success is written.
        writer = HeartbeatWriter(database, parent.app.process_name, "storage", interval=0)

        def check() -> bool:
            store.stat(_PROBE)
            return False

        self._database = database
        self._loop = PeriodicThread("storage", check, interval=settings.storage_check_interval, beat=writer.beat)
        self._loop.start()

    def stop(self, parent: Any) -> None:  # noqa: ARG002 - Celery's signature
        """Stop the loop."""
        if self._loop is not None:
            self._loop.stop()
            self._loop = None
        if self._database is not None:
            self._database.close()
            self._database = None

    terminate = stop
