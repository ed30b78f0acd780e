"""Which parts of an installation no longer work, according to heartbeats and queue checks."""

import math
from collections.abc import Iterator, Mapping, Sequence

from worker.database import Executor
from worker.jobs.heartbeats import MISSED, ProcessMetrics, read_process_metrics
from worker.jobs.operations.queue_checks import queue_check_ages
from worker.settings import Settings

# A part is silent after this many intervals of its heartbeat, as in the rules of deploy/prometheus.
_SILENT = 2 * MISSED
# Storage is checked less often than heartbeats are written.
_STORAGE_CHECKS = 2
# A queue is stuck when this many checks in a row are missing. Media jobs may occupy all children for minutes.
_CHECKS, _MEDIA_CHECKS = 3, 30


def expected_parts(settings: Settings) -> tuple[str, ...]:
    """The parts that write heartbeats in a complete installation, consumers excepted."""
    storage = () if settings.backblaze_key_id is None else ("storage",)
    return ("relay", "reaper", "dispatcher", "beat", *storage)


def read_silent_parts(executor: Executor, settings: Settings, queues: Sequence[str]) -> list[str] | None:
    """A sentence for each silent part or queue; None when no process of this installation has run within a day."""
    metrics = read_process_metrics(executor, interval=settings.heartbeat_interval)
    if not metrics.last_runs:
        return None
    return silent_parts(settings, metrics, queue_check_ages(executor), queues)


def silent_parts(
    settings: Settings, metrics: ProcessMetrics, checks: Mapping[str, float], queues: Sequence[str]
) -> list[str]:
    """As `read_silent_parts`, from these metrics and ages of queue checks."""
    parts = (_part(settings, part, metrics.last_runs.get(part, math.inf)) for part in expected_parts(settings))
    sentences = (*parts, *_silent_queues(settings, metrics.consumers, checks, queues))
    return [sentence for sentence in sentences if sentence is not None]


def _part(settings: Settings, part: str, age: float) -> str | None:
    limit = settings.heartbeat_interval * _SILENT
    if part == "storage":
        limit += settings.storage_check_interval * _STORAGE_CHECKS
    if age <= limit:
        return None
    return f"{part} has not run " + ("within a day" if math.isinf(age) else f"for {age:.0f} s")


def _silent_queues(
    settings: Settings, consumers: Mapping[str, int], checks: Mapping[str, float], queues: Sequence[str]
) -> Iterator[str]:
    for queue in queues:
        # No check at all: beat is silent, not the queue.
        age = checks.get(queue, 0.0)
        most = settings.queue_check_interval * (_MEDIA_CHECKS if queue.startswith("media") else _CHECKS)
        if not consumers.get(queue, 0):
            yield f"no worker consumes the queue {queue}"
        elif age > most:
            yield f"no job has gone through the queue {queue} for {age:.0f} s"
