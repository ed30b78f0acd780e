"""How the caller wants to be notified: `/v1/me/notification-preferences`."""

from dataclasses import fields
from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import Field

from worker import clock
from worker.api.http.callers import CallerOf
from worker.api.http.fields import Body, Document, LocalTime
from worker.api.http.problems import responses
from worker.api.http.time_fields import Zone
from worker.api.http.time_params import Clock
from worker.api.schedules.alarms import DISTINCT, Channels, Minutes
from worker.api.schedules.schedule_requests import Calendar
from worker.api.services import ServicesOf
from worker.reminders.planning.preferences import DEFAULTS, MAX_ALARMS, Preferences, read_preferences
from worker.workflows.lessons.set_alarms import person, set_preferences

router = APIRouter(prefix="/v1/me", tags=["reminders"], responses=responses(401, 403, 422, 503))


class PreferencesBody(Body):
    """All preferences: a field that is omitted gets its default.

    `alarms` are minutes before each lesson that has no alarms of its own. All `channels` are used; those of `fallback`
    only after a permanent failure, in order. Quiet hours are local, both or neither are set, and may include midnight.
    """

    alarms: Annotated[list[Minutes], Field(max_length=MAX_ALARMS, fail_fast=True, json_schema_extra=DISTINCT)] = Field(
        default=list(DEFAULTS.alarms)
    )
    channels: Annotated[Channels, Field(min_length=1)] = Field(default=list(DEFAULTS.channels))
    fallback: Channels = Field(default=[])
    language: Literal["en", "am"] | None = None
    timezone: Zone | None = None
    calendar: Calendar = "gregorian"
    quiet_start: Clock | None = None
    quiet_end: Clock | None = None


class PreferencesDocument(Document):
    """The preferences in effect. A null language or time zone means that of the account."""

    alarms: list[int]
    channels: list[str]
    fallback: list[str]
    language: str | None
    timezone: str | None
    calendar: str
    quiet_start: LocalTime | None
    quiet_end: LocalTime | None


@router.get("/notification-preferences", summary="Read my preferences")
def get_preferences(caller: CallerOf, services: ServicesOf) -> PreferencesDocument:
    """The caller's preferences; the defaults if they were never set."""
    with services.database.transaction() as session:
        return _document(read_preferences(session, person(caller).user_id))


@router.put("/notification-preferences", summary="Set my preferences")
def put_preferences(body: PreferencesBody, caller: CallerOf, services: ServicesOf) -> PreferencesDocument:
    """Replace the caller's preferences; messages that are not sent yet are replanned at once."""
    preferences = Preferences(**body.model_dump())
    with services.database.transaction() as session:
        set_preferences(session, caller, preferences, now=clock.now())
    return _document(preferences)


def _document(preferences: Preferences) -> PreferencesDocument:
    values = {field.name: getattr(preferences, field.name) for field in fields(preferences)}
    lists = {name: list(values[name]) for name in ("alarms", "channels", "fallback")}
    return PreferencesDocument(**{**values, **lists})
