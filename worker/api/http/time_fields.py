"""The fields of a request that say when lessons are, the same wherever lessons are made, changed or requested."""

from typing import Annotated

from pydantic import AfterValidator, Field

from worker.api.http.fields import AsJson, Body, Day, Words
from worker.api.http.time_params import Clock
from worker.calendars.zones import zone_name
from worker.recurrence.platform_form import PlatformForm

# More than the rules allow, which count the days themselves and report the exact limit.
MAX_DATES = 1000

Name = Annotated[Words, Field(max_length=60)]
# The name is converted to its spelling in the zone database.
Zone = Annotated[Name, AfterValidator(zone_name)]
_Dates = Annotated[list[Name], Field(max_length=MAX_DATES, fail_fast=True)]
MonthName = Name | Annotated[int, Field(strict=True, ge=1, le=13), AsJson]
_Year = Annotated[int, Field(strict=True, ge=1, le=9999), AsJson]


class TimeFields(Body):
    """When lessons are; times are local to `timezone`."""

    schedule_date: Day | None = None
    start_time: Clock | None = None
    end_time: Clock | None = None
    timezone: Zone | None = None
    recurrence_pattern: Annotated[Words, Field(max_length=1000)] | None = None
    exdates: _Dates | None = None
    schedule_type: Name | None = None
    months: Annotated[list[MonthName], Field(max_length=50, fail_fast=True)] | None = None
    days: Annotated[list[Name], Field(max_length=50, fail_fast=True)] | None = None
    year: _Year | None = None
    year_to: _Year | None = None
    specific_dates: _Dates | None = None

    def form(self) -> PlatformForm:
        """The fields of the platform's form; all empty if none was sent."""
        return PlatformForm(
            schedule_type=self.schedule_type,
            months=self.months or (),
            days=self.days or (),
            year=self.year,
            year_to=self.year_to,
            specific_dates=self.specific_dates or (),
        )
