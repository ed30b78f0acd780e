"""Beat's scheduler: the static timetable in memory, and a sign of life that a health check can read."""

from celery.beat import Scheduler

from worker.processes.liveness import show_alive


class Timetable(Scheduler):  # type: ignore[misc]  # celery publishes no types
    """Celery's own in-memory scheduler. Nothing is worth keeping over a restart: every tick may come twice or late."""

    def tick(self, *args: object, **kwargs: object) -> float:
        """Send what is due, then say that this beat still turns."""
        seconds: float = super().tick(*args, **kwargs)
        show_alive()
        return seconds
