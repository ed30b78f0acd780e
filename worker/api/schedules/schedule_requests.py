"""What clients send about lessons: new ones, changes and bookings of slots."""

from typing import Annotated, Literal

from pydantic import Field

from worker.api.http.fields import Body, Number, Words
from worker.api.http.time_fields import TimeFields
from worker.api.http.time_params import Clock
from worker.recurrence.request import TimeRequest
from worker.schedules.requests import LessonRequest
from worker.schedules.series.columns import DESCRIBING

Calendar = Literal["gregorian", "ethiopian"]
Scope = Literal["one", "following", "all"]
SessionFormat = Literal["online", "in-person", "hybrid"]


class LessonFields(TimeFields):
    """The fields that can be set when lessons are made and later; times are local to `timezone`.

    Their days come from `recurrence_pattern` (an RRULE, or words like "every Monday"), or from `schedule_type` with
    `months`, `days`, `year`, `year_to` or with `specific_dates`; without any of these it is a single lesson.
    """

    subject: Annotated[Words, Field(max_length=100)] | None = None
    grade_level: Annotated[Words, Field(max_length=50)] | None = None
    session_format: SessionFormat | None = None
    meeting_link: Annotated[Words, Field(max_length=500)] | None = None
    location: Annotated[Words, Field(max_length=255)] | None = None
    notes: Annotated[Words, Field(max_length=10_000)] | None = None


class NewSchedule(LessonFields):
    """Lessons to make: those of a booking or, without one, slots that students can book."""

    booking_id: Number | None = None
    start_time: Clock
    end_time: Clock

    def lesson_request(self, tutor_id: int, timezone: str, calendar: str) -> LessonRequest:
        """The tutor's request; `timezone` is the default."""
        times = TimeRequest(
            schedule_date=self.schedule_date,
            start_time=self.start_time,
            end_time=self.end_time,
            timezone=self.timezone or timezone,
            recurrence_pattern=self.recurrence_pattern,
            exdates=self.exdates or (),
            form=self.form(),
            calendar=calendar,
        )
        content = {name: value for name in DESCRIBING if (value := getattr(self, name)) is not None}
        return LessonRequest(tutor_id, self.booking_id, times, content)


class ScheduleChange(LessonFields):
    """Only the fields that are sent change."""


class SlotBooking(Body):
    """Who takes the slot: a parent names the child. The booking that entitles them is optional."""

    student_id: Number | None = None
    booking_id: Number | None = None
