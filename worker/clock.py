"""The one place that reads the wall clock, so that rules can be given the time instead."""

from datetime import UTC, datetime


def now() -> datetime:
    """The present instant, aware, in UTC."""
    return datetime.now(UTC)
