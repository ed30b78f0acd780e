"""A step of a worker's main process that runs loops in threads of its own."""

from collections.abc import Iterable
from typing import Any, ClassVar

from celery import bootsteps

from worker.database import Database
from worker.jobs.periodic_thread import PeriodicThread


class LoopStep(bootsteps.StartStopStep):  # type: ignore[misc]  # celery publishes no types
    """Base of such steps; a subclass defines its `loops`.

    It has its own database, and starts after the pool has forked.
    """

    requires = ("celery.worker.components:Pool",)
    # The size of its connection pool: one is enough for one loop.
    connections: ClassVar[int] = 1

    def __init__(self, parent: Any, **kwargs: Any) -> None:
        super().__init__(parent, **kwargs)
        self._loops: list[PeriodicThread] = []
        self._database: Database | None = None

    def loops(self, app: Any, database: Database) -> Iterable[PeriodicThread]:
        """The loops of this worker, not yet started."""
        raise NotImplementedError

    def start(self, parent: Any) -> None:
        """Start the loops."""
        self._database = Database(parent.app.settings.sqlalchemy_url, pool_size=self.connections, max_overflow=0)
        self._loops = [*self.loops(parent.app, self._database)]
        for loop in self._loops:
            loop.start()

    def stop(self, parent: Any) -> None:
        """Stop the loops; other workers continue."""
        for loop in self._loops:
            loop.stop()
        self._loops = []
        if self._database is not None:
            self.before_close(parent.app, self._database)
            self._database.close()
            self._database = None

    def before_close(self, app: Any, database: Database) -> None:
        """Called once the loops have stopped, before the database is closed."""

    def terminate(self, parent: Any) -> None:
        """Stop the loops, as `stop` does."""
        self.stop(parent)
