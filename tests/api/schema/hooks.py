"""Loaded by schemathesis: what an OpenAPI document cannot say of values is done to its requests before they go."""

from datetime import UTC, date, datetime
from typing import Any
from uuid import uuid4

import schemathesis
from hypothesis import strategies as st

# The document says so by patterns; of all days that a calendar has, nearly none would be left.
schemathesis.openapi.format("date", st.dates(date(2000, 1, 1), date(2100, 12, 31)).map(date.isoformat))
schemathesis.openapi.format(
    "date-time",
    st.datetimes(datetime(2000, 1, 2), datetime(2100, 12, 30), timezones=st.just(UTC)).map(datetime.isoformat),  # noqa: DTZ001 - hypothesis wants them so
)


@schemathesis.hook
def before_call(_context: Any, case: Any, _kwargs: dict[str, Any]) -> None:
    """A key is used for one request, and numbers in addresses have plain digits."""
    if case.headers and "Idempotency-Key" in case.headers:
        case.headers["Idempotency-Key"] = str(uuid4())
    for name, value in (case.query or {}).items():
        if isinstance(value, float) and value.is_integer():
            case.query[name] = int(value)
