"""The columns that a lesson inherits from its series, and their encoding for PostgreSQL's COPY."""

from datetime import datetime
from typing import Any

from models.series import Series

# Columns that series and lessons share.
SHARED = (
    "start_time",
    "end_time",
    "timezone",
    "subject",
    "grade_level",
    "session_format",
    "meeting_link",
    "location",
    "notes",
    "recurrence_pattern",
)
# What people can say about a lesson apart from its time.
DESCRIBING = ("subject", "grade_level", "session_format", "meeting_link", "location", "notes")
# The width of tutor_schedules.recurrence_pattern; that of a series is unbounded.
_LONGEST_PATTERN = 100


def shared_content(series: Series) -> tuple[Any, ...]:
    """The values of SHARED for the lessons of a series."""
    return (*(getattr(series, name) for name in SHARED[:-1]), short_pattern(series.recurrence_pattern))


def short_pattern(text: str) -> str:
    """The rule's description, cut to the width of the lesson's column."""
    return text if len(text) <= _LONGEST_PATTERN else text[: _LONGEST_PATTERN - 1] + "…"


def copy_line(*values: Any) -> str:
    """The values as part of a line of COPY's text format, separated by tabs."""
    return "\t".join(_copied(value) for value in values)


def _copied(value: Any) -> str:
    if value is None:
        return r"\N"
    if isinstance(value, bool):
        return "t" if value else "f"
    if isinstance(value, str):
        return value.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")
    return value.isoformat() if isinstance(value, datetime) else str(value)
