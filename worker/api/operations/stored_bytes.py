"""A metric of the bytes on B2 by prefix and kind, computed from our rows: B2 reports them only in its invoice."""

import threading
import time
from collections.abc import Iterator

from prometheus_client.core import Metric
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError

from worker.api.operations.metric_families import labelled_gauge
from worker.canvases.snapshots.metrics import snapshot_bytes
from worker.database import Database
from worker.recordings.metrics import rendition_bytes

# Seconds. Longer than for metrics that alarms use: every row of two tables is read, and the sums change slowly.
_AGE = 60.0
_Bytes = dict[tuple[str, str], float]


class StoredBytesCollector(Collector):
    """Reads the database at most once a minute, however often it is scraped."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._counted_at = float("-inf")
        self._bytes: _Bytes = {}

    def collect(self) -> Iterator[Metric]:
        yield labelled_gauge(
            "astegni_stored_bytes",
            "Bytes on B2 that rows name, without old versions.",
            ("prefix", "kind"),
            self._current(),
        )

    def _current(self) -> _Bytes:
        with self._lock:
            if time.monotonic() - self._counted_at >= _AGE:
                self._bytes = self._count()
                self._counted_at = time.monotonic()
            return self._bytes

    def _count(self) -> _Bytes:
        try:
            with self._database.transaction() as session:
                videos, snapshots = rendition_bytes(session), snapshot_bytes(session)
        except SQLAlchemyError:
            # `astegni_database_up` reports it.
            return {}
        return {("videos/whiteboard", kind): size for kind, size in videos.items()} | {
            ("snapshots/whiteboard", kind): size for kind, size in snapshots.items()
        }
