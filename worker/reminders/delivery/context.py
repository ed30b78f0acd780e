"""From the columns read for a delivery to the `DeliveryContext` that the rules decide on."""

from worker.calendars.zones import zone, zone_names
from worker.reminders.delivery.claimed import ClaimedDelivery
from worker.reminders.delivery.decide import DeliveryContext
from worker.reminders.delivery.lesson_facts import LessonFacts


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
    )
