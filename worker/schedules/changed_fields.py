"""The fields of a change that move a lesson or make a new rule."""

from collections.abc import Mapping
from typing import Any

from worker.errors import InvalidInput

TIME_FIELDS = ("schedule_date", "start_time", "end_time", "timezone")
# The fields that make a new rule; without any of them the days stay as they are.
RULE_FIELDS = ("recurrence_pattern", "schedule_type", "months", "days", "year", "year_to", "specific_dates")


def require_times(changes: Mapping[str, Any]) -> None:
    """Raise InvalidInput for a time that is set to null."""
    for name in TIME_FIELDS:
        if name in changes and changes[name] is None:
            raise InvalidInput(f"{name} cannot be left empty.")
