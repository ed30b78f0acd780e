"""Compose a delivery's message: its reader, and the data that its text needs."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from worker.foreign_text import shown_values
from worker.reminders.delivery.claimed import ClaimedDelivery
from worker.reminders.delivery.transport import RenderedMessage
from worker.reminders.texts.attachments import attachment
from worker.reminders.texts.recipient import Language, Recipient
from worker.reminders.texts.render import render

_REMINDERS = frozenset({"lesson-reminder", "entry-reminder"})


def compose(
    delivery: ClaimedDelivery, lesson: Mapping[str, Any], *, default_zone: str, organizer: str, now: datetime
) -> RenderedMessage:
    """The rendered message. Data stored with the delivery take precedence over the row of its lesson or entry.

    `organizer` is the mail address that organizes lessons. Raises InvalidMessageData when data are missing.
    """
    data = {**lesson, **delivery.entry_facts, **delivery.data}
    if delivery.kind in _REMINDERS and delivery.starts_at is not None:
        data["minutes_left"] = round((delivery.starts_at - now).total_seconds() / 60)
    reader = _reader(delivery, default_zone)
    words = render(delivery.kind, data, reader)
    has_file = delivery.channel != "in_app"
    lesson_file = attachment(delivery.kind, data, reader, organizer=organizer) if has_file else None
    # The data are for programs, but may be displayed: they must not reverse the direction of what surrounds them.
    return RenderedMessage(words.subject, words.summary, words.text, words.html, lesson_file, shown_values(data))


def _reader(delivery: ClaimedDelivery, default_zone: str) -> Recipient:
    # The platform may have other languages, and add a country to their codes.
    language: Language = "am" if delivery.language.lower().startswith("am") else "en"
    calendar: Literal["gregorian", "ethiopian"] = "ethiopian" if delivery.calendar == "ethiopian" else "gregorian"
    return Recipient(delivery.name, language, delivery.timezone or default_zone, calendar)
