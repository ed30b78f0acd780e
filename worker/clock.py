"""The only place that reads the wall clock; rules take the time as a parameter."""

from datetime import UTC, datetime


def now() -> datetime:
    """The current time, aware, in UTC."""
    return datetime.now(UTC)
