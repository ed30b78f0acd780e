"""The lesson of a message as an iCalendar file, for the reader's own calendar."""

from collections.abc import Mapping
from typing import Any

from worker.calendars.event import Event
from worker.calendars.ics import render_event
from worker.reminders.texts.facts import checked_data, facts, instant
from worker.reminders.texts.recipient import Recipient

# The METHOD of each kind's file (RFC 5546), which the mail that carries it repeats (RFC 6047 §2.4).
METHODS: Mapping[str, str] = {
    "lesson-reminder": "PUBLISH",
    "lesson-moved": "PUBLISH",
    "lesson-restored": "PUBLISH",
    "lesson-booked": "PUBLISH",
    "lesson-cancelled": "CANCEL",
}
_FROM_TUTOR = {"en": "link from the tutor", "am": "ከአስተማሪው የተላከ ሊንክ"}
_LESSON = {"en": "Lesson", "am": "ትምህርት"}
# In the text too: some calendars import a cancelled event like any other.
_CANCELLED = {"en": "Cancelled", "am": "ተሰርዟል"}


def attachment(kind: str, data: Mapping[str, Any], reader: Recipient, *, organizer: str) -> bytes | None:
    """The lesson as an .ics file; None for other kinds, and for a group of lessons (a CANCEL names only one UID).

    A lesson is published, since a REQUEST needs attendees who reply (RFC 5546 §3.2.2); a cancelled one is cancelled as
    published events are (§4.1.3). Both methods require the organizer, a mail address. The UID is that of the person's
    calendar feed, so a calendar that has the lesson moves or cancels it. Raises InvalidMessageData like `render`.
    """
    if kind not in METHODS:
        return None
    known = facts(kind, data, reader)
    if known.get("count", 1) > 1:
        return None
    with checked_data(kind):
        return render_event(_event(known, data, organizer, cancelled=METHODS[kind] == "CANCEL"))


def _event(known: Mapping[str, Any], data: Mapping[str, Any], organizer: str, *, cancelled: bool) -> Event:
    meeting, board = _marked(known, "meeting"), known["board_link"] or ""
    return Event(
        uid=f"lesson-{known['schedule_id']}@astegni",
        sequence=known["sequence"],
        created_at=instant(data["created_at"]),
        changed_at=instant(data["updated_at"]),
        starts_at=instant(data["starts_at"]),
        ends_at=instant(data["ends_at"]),
        timezone=data["timezone"],
        summary=": ".join([*([_CANCELLED[known["language"]]] if cancelled else []), _summary(known)]),
        cancelled=cancelled,
        busy=not cancelled,
        description="\n".join(filter(None, (meeting, board))),
        # Google and most phones show the location and hide URL. In URL, a link of the tutor could not be marked as
        # theirs.
        location=_marked(known, "location") or known["location"] or meeting or board,
        url=board,
        organizer=organizer,
    )


def _marked(known: Mapping[str, Any], name: str) -> str:
    """The tutor's link, if there is one, preceded by its host and owner."""
    link, host = known[f"{name}_link"], known[f"{name}_host"]
    return f"{host} ({_FROM_TUTOR[known['language']]}): {link}" if link else ""


def _summary(known: Mapping[str, Any]) -> str:
    """Like "Mathematics, Abebe Kebede", for a parent "Liya: …"; without grammar, so that it fits every language."""
    who = known["students"] if known["view"] == "tutor" else known["tutor"]
    what = ", ".join(filter(None, (known["subject"] or _LESSON[known["language"]], who)))
    return f"{known['students']}: {what}" if known["view"] == "parent" and known["students"] else what
