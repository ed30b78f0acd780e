"""Whether B2 is reachable: checked by each worker that needs it, so that an outage shows before it affects a lesson."""

from collections.abc import Iterator
from typing import Any

from worker.database import Database
from worker.jobs.heartbeats import HeartbeatWriter
from worker.jobs.periodic_thread import PeriodicThread
from worker.processes.loop_step import LoopStep
from worker.settings import Settings
from worker.storage.store import ObjectStore

# There is no such object. B2's answer to that effect shows that the network, the key and the bucket are right; it is
# one transaction of class B, of which 2500 a day are free.
_PROBE = "videos/whiteboard/.reachable"


class CheckStorage(LoopStep):
    """Checks at an interval; only in workers that consume a media queue."""

    def include_if(self, parent: Any) -> bool:
        """Whether this worker's jobs need B2, and its address is configured."""
        settings: Settings = parent.app.settings
        queues = parent.app.amqp.queues.consume_from
        return settings.backblaze_key_id is not None and any(name.startswith("media") for name in queues)

    def loops(self, app: Any, database: Database) -> Iterator[PeriodicThread]:
        """The loop that checks."""
        settings: Settings = app.settings
        store = ObjectStore.from_settings(settings)
        # Interval 0, because the loop has the heartbeat's interval: each success is written.
        writer = HeartbeatWriter(database, app.process_name, "storage", interval=0)

        def check() -> bool:
            store.stat(_PROBE)
            return False

        yield PeriodicThread("storage", check, interval=settings.storage_check_interval, beat=writer.beat)
