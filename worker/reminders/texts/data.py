"""The data of each kind of message, as the plain values that `deliveries.data` (JSONB) holds.

Instants are ISO 8601 with an offset, in UTC ("2026-06-16T11:00:00+00:00"). Names, titles and other user text are passed
as stored: `facts` sanitises them. A tutor's links that are not https are left out of the text.
"""

from collections.abc import Mapping
from typing import Any, Literal, NotRequired, TypedDict

# The reader's relation to the lesson or request.
View = Literal["tutor", "student", "parent"]


class LessonText(TypedDict):
    """A lesson as one of its people sees it; `timezone` is the lesson's (empty: unknown; the reader's is used)."""

    schedule_id: int
    view: View
    starts_at: str
    timezone: str | None
    tutor: str
    # Names that the reader may see: for a parent their own children. A missing name is an empty string.
    students: list[str]
    subject: NotRequired[str | None]


class CalendarLesson(LessonText):
    """A lesson with the further columns that a calendar file needs."""

    ends_at: str
    sequence: int
    created_at: str
    updated_at: str
    location: NotRequired[str | None]
    # The link to meet at, and the lesson's whiteboard (setting WHITEBOARD_URL), to which the button leads.
    meeting_link: NotRequired[str | None]
    board_link: NotRequired[str | None]


class LessonReminder(CalendarLesson):
    """`minutes_left` until the start when this is sent, not when it was planned; 0 or less: it starts now."""

    minutes_left: int


class EntryReminder(TypedDict):
    """An entry of the reader's own timetable; `minutes_left` as in a lesson's reminder."""

    entry_id: int
    title: str
    starts_at: str
    ends_at: str
    timezone: str | None
    minutes_left: int


class LessonMoved(CalendarLesson):
    """The lesson as it is now, or the first one of a group (`count` > 1), without a file."""

    before_starts_at: str
    count: NotRequired[int]
    # The name of the person who did it; empty: nobody in particular.
    by: NotRequired[str | None]


class LessonCancelled(CalendarLesson):
    """The cancelled lesson as it was, or the first one of a group (`count` > 1), without a file."""

    count: NotRequired[int]
    by: NotRequired[str | None]


class LessonRestored(CalendarLesson):
    """A lesson that was cancelled but takes place after all, or the first of a group (`count` > 1), without a file."""

    count: NotRequired[int]


class LessonBooked(CalendarLesson):
    """A free slot that has become this lesson; `by` is the name of the person who booked it."""

    by: NotRequired[str | None]


class RequestReceived(TypedDict):
    """To the tutor. `requester` asks; `student` is the learner (None, or the same name: the requester).

    A missing name is an empty string.
    """

    request_id: int
    requester: str
    student: NotRequired[str | None]
    package_name: NotRequired[str | None]
    # What the requester wrote.
    message: NotRequired[str | None]
    link: NotRequired[str | None]


class RequestAnswered(TypedDict):
    """To the requester, accepted or rejected by `tutor`; `student` is None when that is the requester."""

    request_id: int
    tutor: str
    student: NotRequired[str | None]
    package_name: NotRequired[str | None]
    link: NotRequired[str | None]


class BookingOffered(TypedDict):
    """To the student and parents, who have not agreed to anything yet: the only text of the tutor shown is the name.

    `student` is None when that is the reader, empty when the name is missing.
    """

    booking_id: int
    tutor: str
    student: NotRequired[str | None]
    link: NotRequired[str | None]


class BookingAnswered(TypedDict):
    """To the tutor: accepted, or ended by the student or a parent."""

    booking_id: int
    student: NotRequired[str | None]
    link: NotRequired[str | None]


class RecordingReady(TypedDict):
    """To the people of the session. `recorded_at` and `timezone` (of the lesson) go together."""

    recording_id: int
    session_id: int
    title: NotRequired[str | None]
    recorded_at: NotRequired[str | None]
    timezone: NotRequired[str | None]
    # Kinds of repairs (worker.media.probing.repairs) that a viewer will notice.
    missing: NotRequired[list[str] | None]
    link: NotRequired[str | None]


class RecordingFailed(TypedDict):
    """To the tutor. `reason` is the sentence of the problem, `reason_code` its code; `kept`: the bytes are kept."""

    recording_id: int
    session_id: int
    reason: str
    reason_code: str
    kept: bool
    title: NotRequired[str | None]
    recorded_at: NotRequired[str | None]
    timezone: NotRequired[str | None]


class ChannelCode(TypedDict):
    """To the new channel itself, where an untrusted user may read it; the code is valid for `minutes`."""

    code: str
    minutes: int


class ChannelDisabled(TypedDict):
    """Sent by another channel. `label` is the part of the address that may be shown; `reason` as stored.

    `of_account`: it is the account's own address, which cannot be disabled or confirmed here.
    """

    label: str
    of_account: NotRequired[bool]
    reason: NotRequired[str | None]
    link: NotRequired[str | None]


class Test(TypedDict):
    """A test of a channel."""

    label: NotRequired[str | None]


# What `render` checks: every kind of models.states.MESSAGE_KINDS.
DATA: Mapping[str, Any] = {
    "lesson-reminder": LessonReminder,
    "entry-reminder": EntryReminder,
    "lesson-moved": LessonMoved,
    "lesson-cancelled": LessonCancelled,
    "lesson-restored": LessonRestored,
    "lesson-booked": LessonBooked,
    "request-received": RequestReceived,
    "request-accepted": RequestAnswered,
    "request-rejected": RequestAnswered,
    "booking-offered": BookingOffered,
    "booking-accepted": BookingAnswered,
    "booking-ended": BookingAnswered,
    "recording-ready": RecordingReady,
    "recording-failed": RecordingFailed,
    "channel-code": ChannelCode,
    "channel-disabled": ChannelDisabled,
    "test": Test,
}
