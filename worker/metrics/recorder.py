"""Where the code of a process records: nowhere, until its entry point says where."""

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

# One for each process, like its log.
_target: list[SharedMetrics] = []


def record_to(metrics: SharedMetrics | None) -> None:
    """From now on this process records there; None: nowhere."""
    _target[:] = [] if metrics is None else [metrics]


def record_attempt(kind: str, outcome: str, *, waited: float, ran: float) -> None:
    """An attempt of a job ended: `outcome` is the state it left the job in, or `lost`; both times in seconds."""
    for metrics in _target:
        metrics.observe(JOB_WAIT, kind, max(0.0, waited))
        metrics.observe(JOB_RUN, kind, ran)
        metrics.count(ATTEMPTS, f"{kind} {outcome}")


def record_lease_loss(kind: str) -> None:
    """The reaper took back a run whose lease had expired."""
    for metrics in _target:
        metrics.count(LEASE_LOSSES, kind)


def record_routine_order(kind: str) -> None:
    """Beat ordered a job, or found one that was live."""
    for metrics in _target:
        metrics.count(ROUTINE_ORDERS, kind)


def record_storage_bytes(direction: str, number: int) -> None:
    """Bytes of an object went `up` to B2 or came `down`."""
    for metrics in _target:
        metrics.count(STORAGE_BYTES, direction, number)


def record_message(channel: str, lateness: float) -> None:
    """A message was sent by a channel, so many seconds after it was due."""
    for metrics in _target:
        metrics.observe(MESSAGE_LATENESS, channel, max(0.0, lateness))


def record_pause(channel: str, until: float) -> None:
    """A circuit breaker of a channel stops sending until then, in seconds of the monotonic clock."""
    for metrics in _target:
        metrics.count(PROVIDER_PAUSES, channel)
        metrics.set_deadline(PROVIDER_PAUSED, channel, until)
