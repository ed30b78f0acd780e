"""The last day that UNTIL allows, in any of its three forms (RFC 5545 §3.3.10)."""

import re
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from worker.errors import InvalidInput
from worker.recurrence.instants import instant

_UNTIL = re.compile(r"([0-9]{8})(?:T([0-9]{6})(Z?))?")


def last_day(text: str, zone: ZoneInfo | None, start_time: time) -> date:
    """The last local day whose lesson, at `start_time` in `zone`, begins at or before UNTIL.

    A date includes that whole day; a time of day is local; with a Z it is an instant, which needs `zone`. Raises
    InvalidInput for any other form.
    """
    match = _UNTIL.fullmatch(text)
    if match is None:
        raise InvalidInput(f"UNTIL must look like 20270131, 20270131T235959 or 20270131T205959Z, not {text!r}.")
    try:
        if match[2] is None:
            return datetime.strptime(match[1], "%Y%m%d").date()  # noqa: DTZ007 - a day has no zone
        moment = datetime.strptime(match[1] + match[2], "%Y%m%d%H%M%S")  # noqa: DTZ007 - local, or made aware below
        if not match[3]:
            return moment.date() if start_time <= moment.time() else moment.date() - timedelta(days=1)
        if zone is None:
            raise InvalidInput("UNTIL is in UTC (it ends with Z), so the lesson's time zone is needed to read it.")
        until = moment.replace(tzinfo=UTC)
        # The lesson of the next day may begin before it in no zone, that of the day itself only before its time.
        day = until.astimezone(zone).date()
        return day if instant(day, start_time, zone) <= until else day - timedelta(days=1)
    except (ValueError, OverflowError) as error:
        raise InvalidInput(f"UNTIL names a day or a time that does not exist: {text!r}.") from error
