"""The families that workers and beat record. Each declares its label values, so that their number is bounded."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from models.states import CHANNEL_KINDS

# Replaces a label value that was not declared.
OTHER = "other"
_SHORT = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0)


@dataclass(frozen=True)
class MetricFamily:
    """A counter, a histogram, or a deadline (a moment of the monotonic clock, reported as the seconds left).

    `values` are the values of `label`; if there are several labels, both are separated by spaces. With `is_quiet` a
    value has no series before it is first recorded.
    """

    name: str
    documentation: str
    type: Literal["counter", "histogram", "deadline"]
    label: str
    values: tuple[str, ...]
    buckets: tuple[float, ...] = ()
    is_quiet: bool = False


JOB_WAIT = "astegni_job_wait_seconds"
JOB_RUN = "astegni_job_run_seconds"
ATTEMPTS = "astegni_job_attempts"
LEASE_LOSSES = "astegni_job_lease_losses"
ROUTINE_ORDERS = "astegni_routine_orders"
STORAGE_BYTES = "astegni_storage_bytes"
MESSAGE_LATENESS = "astegni_message_lateness_seconds"
PROVIDER_PAUSES = "astegni_provider_pauses"
PROVIDER_PAUSED = "astegni_provider_paused_seconds"

# How an attempt may end, as far as its own process knows.
OUTCOMES = ("succeeded", "retryable", "failed", "cancelled", "dead", "lost")
DIRECTIONS = ("up", "down")
CHANNELS = ("in_app", *CHANNEL_KINDS)


def families_of(kinds: Sequence[str]) -> tuple[MetricFamily, ...]:
    """All families; `kinds` are the kinds of jobs."""
    return *_job_families((*kinds, OTHER)), *_transfer_families((*CHANNELS, OTHER))


def _job_families(names: tuple[str, ...]) -> tuple[MetricFamily, ...]:
    outcomes = tuple(f"{kind} {outcome}" for kind in names for outcome in OUTCOMES)
    return (
        MetricFamily(
            JOB_WAIT,
            "Seconds from the moment a job was due until an attempt began.",
            "histogram",
            "kind",
            names,
            _SHORT,
            is_quiet=True,
        ),
        MetricFamily(
            JOB_RUN,
            "Seconds that an attempt took, however it ended.",
            "histogram",
            "kind",
            names,
            _SHORT,
            is_quiet=True,
        ),
        MetricFamily(ATTEMPTS, "Attempts by how they ended.", "counter", "kind outcome", outcomes, is_quiet=True),
        MetricFamily(
            LEASE_LOSSES, "Runs that this worker took back because their lease expired.", "counter", "kind", names
        ),
        MetricFamily(ROUTINE_ORDERS, "Orders that beat has given.", "counter", "kind", names, is_quiet=True),
    )


def _transfer_families(channels: tuple[str, ...]) -> tuple[MetricFamily, ...]:
    return (
        MetricFamily(
            STORAGE_BYTES,
            "Bytes of objects sent to B2 (up) and fetched from there (down).",
            "counter",
            "direction",
            DIRECTIONS,
        ),
        MetricFamily(
            MESSAGE_LATENESS,
            "Seconds from the moment a message was due until it was sent.",
            "histogram",
            "channel",
            channels,
            _SHORT,
        ),
        MetricFamily(
            PROVIDER_PAUSES, "How often a circuit breaker stopped sending by a channel.", "counter", "channel", channels
        ),
        MetricFamily(
            PROVIDER_PAUSED,
            "For how many more seconds a circuit breaker stops sending by a channel.",
            "deadline",
            "channel",
            channels,
        ),
    )
