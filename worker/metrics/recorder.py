"""Record metrics. They go nowhere until the process's entry point calls `record_to`."""

from worker.metrics.families import (
    ATTEMPTS,
    JOB_RUN,
    JOB_WAIT,
    LEASE_LOSSES,
    MESSAGE_LATENESS,
    PROVIDER_PAUSED,
    PROVIDER_PAUSES,
    ROUTINE_ORDERS,
    STORAGE_BYTES,
)
from worker.metrics.shared_metrics import SharedMetrics

# Global to the process, like its log.
_target: list[SharedMetrics] = []


def record_to(metrics: SharedMetrics | None) -> None:
    """Record this process's metrics there from now on; None: nowhere."""
    _target[:] = [] if metrics is None else [metrics]


def record_attempt(kind: str, outcome: str, *, waited: float, ran: float) -> None:
    """Record the end of an attempt: `outcome` is the state it left the job in, or `lost`; both times in seconds."""
    for metrics in _target:
        metrics.observe(JOB_WAIT, kind, max(0.0, waited))
        metrics.observe(JOB_RUN, kind, ran)
        metrics.count(ATTEMPTS, f"{kind} {outcome}")


def record_lease_loss(kind: str) -> None:
    """Record that the reaper took back a run whose lease had expired."""
    for metrics in _target:
        metrics.count(LEASE_LOSSES, kind)


def record_routine_order(kind: str) -> None:
    """Record that beat ordered a job, or found a live one."""
    for metrics in _target:
        metrics.count(ROUTINE_ORDERS, kind)


def record_storage_bytes(direction: str, number: int) -> None:
    """Record that bytes of an object went `up` to B2 or came `down`."""
    for metrics in _target:
        metrics.count(STORAGE_BYTES, direction, number)


def record_message(channel: str, lateness: float) -> None:
    """Record that a message was sent by a channel, `lateness` seconds after it was due."""
    for metrics in _target:
        metrics.observe(MESSAGE_LATENESS, channel, max(0.0, lateness))


def record_pause(channel: str, until: float) -> None:
    """Record that a channel's circuit breaker stops sending until `until` (monotonic clock)."""
    for metrics in _target:
        metrics.count(PROVIDER_PAUSES, channel)
        metrics.set_deadline(PROVIDER_PAUSED, channel, until)
