"""The times of a request for lessons, stored as sent and parsed twice: when it is made, and when it is accepted."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import date, datetime, timedelta
from typing import Any

from pydantic import TypeAdapter, ValidationError

from worker.calendars.zones import zone
from worker.errors import InvalidInput
from worker.recurrence.instants import instant
from worker.recurrence.platform_form import PlatformForm
from worker.recurrence.request import Recurrence, TimeRequest, read_recurrence

_TIMES = TypeAdapter(TimeRequest)
_FORM_FIELDS = frozenset(field.name for field in fields(PlatformForm))
_DAY = timedelta(days=1)
# Series that agree for this long count as the same lessons.
_COMPARED = timedelta(days=366)


@dataclass(frozen=True)
class RequestedTimes:
    """The times of a request, and the local day of its first lesson that has not begun."""

    recurrence: Recurrence
    since: date


def read_requested_times(sent: Mapping[str, Any] | None, *, now: datetime, timezone: str) -> RequestedTimes | None:
    """The times of a request; None if it names none. Without a first day they start now.

    `sent` holds the fields of TimeRequest and PlatformForm, flat, as in JSON; `timezone` is used when none is named.
    Raises InvalidInput for times that cannot be understood, and when none of its lessons is in the future.
    """
    # The platform's form sends null for fields that are not filled in.
    fields_sent = {name: value for name, value in (sent or {}).items() if value not in (None, "", [])}
    if not fields_sent:
        return None
    if not {"start_time", "end_time"} <= fields_sent.keys():
        raise InvalidInput("schedule: start_time and end_time are missing. Leave schedule out to name no times.")
    fields_sent.setdefault("timezone", timezone)
    fields_sent.setdefault("schedule_date", now.astimezone(zone(str(fields_sent["timezone"]))).date())
    recurrence = read_recurrence(_time_request(fields_sent))
    since = _first_day_ahead(recurrence, now)
    if since is None:
        raise InvalidInput(f"None of the requested lessons is in the future: {recurrence.text()}.")
    return RequestedTimes(recurrence, since)


def _time_request(sent: Mapping[str, Any]) -> TimeRequest:
    form = {name: value for name, value in sent.items() if name in _FORM_FIELDS}
    try:
        return _TIMES.validate_python({**sent, "form": form})
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        path = ".".join(str(part) for part in first["loc"] if part != "form")
        raise InvalidInput(f"schedule.{path}: {first['msg']}.") from error


def end_within_a_year(requested: RequestedTimes) -> date | None:
    """The last requested day; None when the lessons continue for longer than a year."""
    until = requested.since + _COMPARED
    if requested.recurrence.next_days(1, after=until):
        return None
    return requested.recurrence.days(requested.since - _DAY, until)[-1]


def is_part_of(requested: RequestedTimes, series: Recurrence) -> bool:
    """Whether the future requested lessons are exactly those of the series, for as long as the request lasts.

    The series may continue after the request has ended. Days that either excludes make no difference: they have no
    lessons anyway.
    """
    recurrence, since = requested.recurrence, requested.since
    if _times(recurrence) != _times(series):
        return False
    until = end_within_a_year(requested) or since + _COMPARED
    every, theirs = replace(recurrence, excluded=frozenset()), replace(series, excluded=frozenset())
    return every.days(since - _DAY, until) == theirs.days(since - _DAY, until)


def _first_day_ahead(recurrence: Recurrence, now: datetime) -> date | None:
    where = zone(recurrence.timezone)
    today = now.astimezone(where).date()
    begun = instant(today, recurrence.start_time, where) <= now
    return next(iter(recurrence.next_days(1, after=today if begun else today - _DAY)), None)


def _times(recurrence: Recurrence) -> tuple[object, ...]:
    return recurrence.start_time, recurrence.end_time, recurrence.timezone
