"""The intervals of the ledger, shorter than in production: a lease that runs out is then a matter of seconds."""

from worker.settings import Settings

_NAMES = (
    "relay_interval",
    "reaper_interval",
    "published_lease",
    "published_lease_max",
    "run_lease",
    "lease_renewal",
    "pulse_interval",
    "retry_base",
)


def shorter_intervals(factor: float) -> dict[str, float]:
    """The settings of these intervals: their defaults divided by `factor`."""
    return {name: Settings.model_fields[name].default / factor for name in _NAMES}
