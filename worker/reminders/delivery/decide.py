"""Whether a due delivery should still be sent: everything is checked again at the moment of sending."""

from dataclasses import dataclass
from datetime import datetime, time
from zoneinfo import ZoneInfo

from worker.calendars.zones import known_zone, zone
from worker.reminders.delivery.claimed import ClaimedDelivery
from worker.reminders.delivery.decisions import DeliveryDecision, Discard, Postpone, Reject, SendNow
from worker.reminders.delivery.lesson_facts import LessonFacts
from worker.reminders.delivery.retry import RETRY_AFTER
from worker.reminders.planning.quiet_hours import QUIET_HOURS, quiet_until

# Somebody is waiting for these, so they are sent in quiet hours too.
_ASKED_FOR = frozenset({"channel-code", "test"})
# Every attempt, and one for quiet hours: a message that crashes its process each time must end too.
_MAX_ATTEMPTS = len(RETRY_AFTER) + 2


@dataclass(frozen=True)
class DeliveryContext:
    """The facts on which the decision about a delivery is based.

    `lesson_status` and `lesson_starts_at` are None without a lesson. `channel_kind`: `in_app`, `email`,
    `webhook` or `apprise`; None when the channel was removed. `superseded`: a later reminder of the same
    lesson by the same channel has become due, or a later announcement contradicts this one, or its
    lesson is back where it was. `entry_rings`: the timetable entry is active and its alarm is on. `same_mailbox`: the
    message also goes to the account's address, and the channel has the same one. `has_address`: there is an address to
    send to; an account may have no e-mail.
    """

    kind: str
    attempts: int
    expires_at: datetime | None
    starts_at: datetime | None
    person_active: bool
    invited: bool
    lesson_status: str | None
    lesson_starts_at: datetime | None
    channel_kind: str | None
    confirmed: bool
    disabled: bool
    superseded: bool
    quiet_start: time | None
    quiet_end: time | None
    zone: ZoneInfo
    entry_rings: bool | None = None
    same_mailbox: bool = False
    has_address: bool = True


def decide(delivery: DeliveryContext, now: datetime) -> DeliveryDecision:
    """Decide about a delivery at `now`."""
    if not delivery.person_active:
        return Discard("dropped", "person-inactive")
    return (
        _of_lesson(delivery)
        or _of_entry(delivery)
        or _of_time(delivery, now)
        or _of_channel(delivery)
        or _of_quiet_hours(delivery, now)
        or SendNow()
    )


def _of_lesson(delivery: DeliveryContext) -> Discard | None:
    if delivery.kind != "lesson-reminder":
        return _superseded(delivery)
    if delivery.lesson_status == "cancelled":
        return Discard("cancelled", "lesson-cancelled")
    if delivery.lesson_starts_at != delivery.starts_at:
        return Discard("cancelled", "lesson-moved")
    if delivery.lesson_status == "completed":
        return Discard("dropped", "too-late")
    if not delivery.invited:
        return Discard("cancelled", "not-of-the-lesson")
    return _superseded(delivery)


def _superseded(delivery: DeliveryContext) -> Discard | None:
    return Discard("dropped", "superseded") if delivery.superseded else None


def _of_entry(delivery: DeliveryContext) -> Discard | None:
    if delivery.kind == "entry-reminder" and not delivery.entry_rings:
        return Discard("cancelled", "entry-changed")
    return None


def _of_time(delivery: DeliveryContext, now: datetime) -> Discard | Reject | None:
    if delivery.expires_at is not None and now >= delivery.expires_at:
        return Discard("dropped", "too-late")
    return Reject("worker-lost") if delivery.attempts > _MAX_ATTEMPTS else None


def _of_channel(delivery: DeliveryContext) -> Discard | Reject | None:
    if delivery.channel_kind is None:
        return Discard("dropped", "channel-removed")
    if not delivery.has_address:
        return Discard("dropped", "no-address", instead_in_app=True)
    if delivery.disabled:
        return Reject("channel-disabled")
    if not delivery.confirmed and delivery.kind != "channel-code":
        return Reject("channel-unconfirmed")
    return Discard("dropped", "same-mailbox") if delivery.same_mailbox else None


def _of_quiet_hours(delivery: DeliveryContext, now: datetime) -> Discard | Postpone | None:
    if delivery.channel_kind == "in_app" or delivery.kind in _ASKED_FOR:
        return None
    until = quiet_until(delivery.quiet_start, delivery.quiet_end, delivery.zone, now)
    if until is None:
        return None
    if delivery.expires_at is not None and until >= delivery.expires_at:
        return Discard("dropped", QUIET_HOURS, instead_in_app=True)
    return Postpone(until, QUIET_HOURS)


def context_of(
    delivery: ClaimedDelivery, lessons: LessonFacts, *, default_zone: str, same_mailbox: bool
) -> DeliveryContext:
    """The context of a delivery. `default_zone` applies when a person's time zone is unknown."""
    return DeliveryContext(
        kind=delivery.kind,
        attempts=delivery.attempts,
        expires_at=delivery.expires_at,
        starts_at=delivery.starts_at,
        person_active=delivery.is_active,
        invited=lessons.invites(delivery.schedule_id, delivery.user_id),
        lesson_status=delivery.lesson_status,
        lesson_starts_at=delivery.lesson_starts_at,
        channel_kind=delivery.channel_kind,
        # An account's address and the app need no confirmation.
        confirmed=delivery.confirmed or delivery.channel_id is None,
        disabled=delivery.disabled,
        superseded=delivery.superseded,
        quiet_start=delivery.quiet_start,
        quiet_end=delivery.quiet_end,
        zone=zone(known_zone(delivery.timezone, default_zone)),
        entry_rings=delivery.entry_rings,
        same_mailbox=same_mailbox,
        has_address=bool(delivery.email) or delivery.channel != "email",
    )
