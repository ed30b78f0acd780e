"""Whether a due delivery should still be sent: everything is checked again at the moment of sending."""

from dataclasses import dataclass
from datetime import datetime, time
from zoneinfo import ZoneInfo

from worker.calendars.zones import zone, zone_names
from worker.reminders.delivery.claimed import ClaimedDelivery
from worker.reminders.delivery.decisions import Drop, Fail, Send, Verdict, Wait
from worker.reminders.delivery.lesson_facts import LessonFacts
from worker.reminders.delivery.retry import RETRY_AFTER
from worker.reminders.planning.quiet_hours import QUIET_HOURS, quiet_until

# A person waits for these: they are sent in quiet hours, too.
_ASKED_FOR = frozenset({"channel-code", "test"})
# Every attempt, and one for quiet hours: a message that crashes its process each time must end, too.
_MOST_ATTEMPTS = len(RETRY_AFTER) + 2


@dataclass(frozen=True)
class DeliveryContext:
    """The facts on which a delivery is decided.

    `lesson_status` and `lesson_starts_at` are None without a lesson. `way` is the kind of its channel: `in_app`,
    `email`, `webhook` or `apprise`; None when the channel has been removed. `superseded`: a later reminder of the same
    lesson by the same channel is due, or was sent. `same_mailbox`: the message also goes to the account's address, and
    the channel has the same one. `has_address`: there is an address to send to; an account may have no e-mail.
    """

    kind: str
    attempts: int
    expires_at: datetime | None
    starts_at: datetime | None
    person_active: bool
    invited: bool
    lesson_status: str | None
    lesson_starts_at: datetime | None
    way: str | None
    confirmed: bool
    disabled: bool
    superseded: bool
    quiet_start: time | None
    quiet_end: time | None
    zone: ZoneInfo
    same_mailbox: bool = False
    has_address: bool = True


def decide(it: DeliveryContext, now: datetime) -> Verdict:
    """The decision for a delivery at `now`."""
    if not it.person_active:
        return Drop("dropped", "person-inactive")
    return _of_lesson(it) or _of_time(it, now) or _of_channel(it) or _of_quiet_hours(it, now) or Send()


def _of_lesson(it: DeliveryContext) -> Drop | None:
    if it.kind != "lesson-reminder":
        return None
    if it.lesson_status == "cancelled":
        return Drop("cancelled", "lesson-cancelled")
    if it.lesson_starts_at != it.starts_at:
        return Drop("cancelled", "lesson-moved")
    if it.lesson_status == "completed":
        return Drop("dropped", "too-late")
    if not it.invited:
        return Drop("cancelled", "not-of-the-lesson")
    return Drop("dropped", "superseded") if it.superseded else None


def _of_time(it: DeliveryContext, now: datetime) -> Drop | Fail | None:
    if it.expires_at is not None and now >= it.expires_at:
        return Drop("dropped", "too-late")
    return Fail("worker-lost") if it.attempts > _MOST_ATTEMPTS else None


def _of_channel(it: DeliveryContext) -> Drop | Fail | None:
    if it.way is None:
        return Drop("dropped", "channel-removed")
    if not it.has_address:
        return Drop("dropped", "no-address", instead_in_app=True)
    if it.disabled:
        return Fail("channel-disabled")
    if not it.confirmed and it.kind != "channel-code":
        return Fail("channel-unconfirmed")
    return Drop("dropped", "same-mailbox") if it.same_mailbox else None


def _of_quiet_hours(it: DeliveryContext, now: datetime) -> Drop | Wait | None:
    if it.way == "in_app" or it.kind in _ASKED_FOR:
        return None
    until = quiet_until(it.quiet_start, it.quiet_end, it.zone, now)
    if until is None:
        return None
    if it.expires_at is not None and until >= it.expires_at:
        return Drop("dropped", QUIET_HOURS, instead_in_app=True)
    return Wait(until, QUIET_HOURS)


def context_of(it: ClaimedDelivery, lessons: LessonFacts, *, default_zone: str, same_mailbox: bool) -> DeliveryContext:
    """The context of a delivery. The default applies when a person's time zone is unknown."""
    return DeliveryContext(
        kind=it.kind,
        attempts=it.attempts,
        expires_at=it.expires_at,
        starts_at=it.starts_at,
        person_active=it.is_active,
        invited=lessons.invites(it.schedule_id, it.user_id),
        lesson_status=it.lesson_status,
        lesson_starts_at=it.lesson_starts_at,
        way=it.way,
        # An account's address and the app need no confirmation.
        confirmed=it.confirmed or it.channel_id is None,
        disabled=it.disabled,
        superseded=it.superseded,
        quiet_start=it.quiet_start,
        quiet_end=it.quiet_end,
        zone=zone(it.timezone if it.timezone in zone_names() else default_zone),
        same_mailbox=same_mailbox,
        has_address=bool(it.email) or it.channel != "email",
    )
