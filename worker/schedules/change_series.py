"""Change a series: its rule, its times and its description."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, time
from typing import Any

from sqlalchemy import delete
from sqlalchemy.orm import Session

from models.schedules import Schedule
from models.series import ScheduleSkip, Series
from worker.calendars.zones import zone
from worker.errors import InvalidInput
from worker.recurrence.platform_days import dates_of
from worker.recurrence.platform_form import PlatformForm
from worker.recurrence.request import Recurrence, TimeRequest, read_recurrence
from worker.schedules.changed_fields import RULE_FIELDS, require_times
from worker.schedules.series.columns import DESCRIBING
from worker.schedules.series.exclusions import exclude
from worker.schedules.series.occurrences import recurrence_of, today_in
from worker.schedules.series.split import write_rule


def change_series(
    session: Session, series: Series, lesson: Schedule, changes: Mapping[str, Any], now: datetime
) -> None:
    """Change the series that a lesson belongs to. Raises InvalidInput."""
    require_times(changes)
    for name in DESCRIBING:
        if name in changes:
            setattr(series, name, changes[name])
    before = recurrence_of(series)
    after = _changed_recurrence(before, lesson, changes)
    if replace(after, excluded=frozenset()) != before:
        write_rule(series, replace(after, excluded=frozenset()))
        # Conflicts recorded for the old time say nothing about the new one.
        busy = delete(ScheduleSkip).where(
            ScheduleSkip.series_id == series.id,
            ScheduleSkip.reason != "excluded",
            ScheduleSkip.occurrence_date >= today_in(series.timezone, now),
        )
        session.execute(busy)
        if series.status == "completed":
            # The new rule may have further days.
            series.status = "active"
    exclude(session, series.id, after.excluded)
    series.updated_at = now
    session.flush()


def _changed_recurrence(before: Recurrence, lesson: Schedule, changes: Mapping[str, Any]) -> Recurrence:
    sent_day: date | None = changes.get("schedule_date")
    start_time: time = changes.get("start_time", before.start_time)
    end_time: time = changes.get("end_time", before.end_time)
    timezone: str = changes.get("timezone", before.timezone)
    exdates: Sequence[str | date] = changes.get("exdates") or ()
    if any(changes.get(name) for name in RULE_FIELDS):
        request = TimeRequest(
            schedule_date=sent_day or before.first_day,
            start_time=start_time,
            end_time=end_time,
            timezone=timezone,
            recurrence_pattern=changes.get("recurrence_pattern"),
            exdates=exdates,
            form=_form(changes),
        )
        return read_recurrence(request)
    if sent_day not in (None, lesson.schedule_date, before.first_day):
        raise InvalidInput("To move a series to other days, send its recurrence_pattern with the new schedule_date.")
    if "timezone" in changes:
        zone(timezone)
    excluded = frozenset(dates_of(exdates, field="exdates")) if exdates else frozenset()
    return replace(before, start_time=start_time, end_time=end_time, timezone=timezone, excluded=excluded)


def _form(changes: Mapping[str, Any]) -> PlatformForm:
    return PlatformForm(
        schedule_type=changes.get("schedule_type"),
        months=changes.get("months") or (),
        days=changes.get("days") or (),
        year=changes.get("year"),
        year_to=changes.get("year_to"),
        specific_dates=changes.get("specific_dates") or (),
    )
