"""A person's alarms of a lesson or its series: `/v1/schedules/{id}/alarms`."""

from collections.abc import Sequence
from typing import Annotated, Literal, Self

from fastapi import APIRouter, Query
from pydantic import Field

from worker import clock
from worker.api.http.callers import CallerOf
from worker.api.http.fields import AsJson, Body, Document, RowId
from worker.api.http.problems import responses
from worker.api.schedules.schedule_requests import Scope
from worker.api.services import ServicesOf
from worker.reminders.planning.alarms import Alarm
from worker.reminders.planning.preferences import LONGEST_BEFORE, MAX_ALARMS, MAX_CHANNELS
from worker.workflows.lessons.set_alarms import read_alarms, set_alarms

router = APIRouter(prefix="/v1/schedules", tags=["reminders"], responses=responses(401, 403, 404, 422, 503))


# `email`, `in_app`, or the id of a row of `notification_channels`. An exact pattern of the ids up to 2147483647 would
# be unreadable; this one ends at 1999999999, so that whatever it allows can be stored.
ChannelName = Annotated[str, Field(pattern=r"^(email|in_app|[1-9][0-9]{0,8}|1[0-9]{9})$")]
# The JSON schema of a list whose items differ; the preferences check that they do.
DISTINCT = {"uniqueItems": True}
Channels = Annotated[list[ChannelName], Field(max_length=MAX_CHANNELS, fail_fast=True, json_schema_extra=DISTINCT)]
Minutes = Annotated[int, Field(strict=True, ge=0, le=LONGEST_BEFORE), AsJson]
AlarmScope = Annotated[
    Scope,
    Query(
        description="This lesson; its series from this lesson on, the lessons before it keep what they had; or all of "
        "its series. A lesson without a series is always alone."
    ),
]


class AlarmDocument(Body):
    """A reminder this many minutes before the lesson. Without channels or fallback: those of the preferences."""

    minutes_before: Minutes
    channels: Annotated[Channels, Field(min_length=1)] | None = None
    fallback: Channels | None = None


class AlarmsBody(Body):
    """All of the caller's alarms there. Empty list: no reminder; null: those of the series or the preferences again."""

    alarms: Annotated[list[AlarmDocument], Field(max_length=MAX_ALARMS, fail_fast=True)] | None


class AlarmsDocument(Document):
    """The caller's alarms in effect, earliest first, and where they were set."""

    alarms: list[AlarmDocument]
    source: Literal["lesson", "series", "preferences"]

    @classmethod
    def of(cls, source: Literal["lesson", "series", "preferences"], alarms: Sequence[Alarm]) -> Self:
        """The document of these alarms."""
        return cls(source=source, alarms=[_document(alarm) for alarm in alarms])


@router.get("/{schedule_id}/alarms", summary="Read my alarms")
def get_alarms(schedule_id: RowId, caller: CallerOf, services: ServicesOf, scope: AlarmScope = "one") -> AlarmsDocument:
    """The caller's alarms of a lesson; with another scope, of its series."""
    with services.database.transaction() as session:
        return AlarmsDocument.of(*read_alarms(session, caller, schedule_id, scope=scope))


@router.put("/{schedule_id}/alarms", summary="Set my alarms")
def put_alarms(
    schedule_id: RowId, body: AlarmsBody, caller: CallerOf, services: ServicesOf, scope: AlarmScope = "one"
) -> AlarmsDocument:
    """Set the caller's alarms only; reminders that are not sent yet are replanned at once."""
    alarms = None if body.alarms is None else [Alarm(**alarm.model_dump()) for alarm in body.alarms]
    with services.database.transaction() as session:
        stored = set_alarms(session, caller, schedule_id, alarms, scope=scope, now=clock.now())
        return AlarmsDocument.of(*stored)


def _document(alarm: Alarm) -> AlarmDocument:
    def named(channels: Sequence[str] | None) -> list[str] | None:
        return None if channels is None else list(channels)

    return AlarmDocument(
        minutes_before=alarm.minutes_before, channels=named(alarm.channels), fallback=named(alarm.fallback)
    )
