"""The allowed values of columns. A CHECK in the database limits each column to its list."""

from typing import Literal, get_args

JOB_STATES = ("queued", "published", "running", "retryable", "succeeded", "failed", "cancelled", "dead")
JOB_FINISHED = ("succeeded", "failed", "cancelled", "dead")
JOB_LIVE = ("queued", "published", "running", "retryable")
# `released`: returned at shutdown, without a failure; `worker-lost`: its lease expired.
ATTEMPT_OUTCOMES = ("succeeded", "retryable", "failed", "cancelled", "dead", "worker-lost", "released")
# What a person does to a job. `purge`: deletes it with its attempts.
JOB_ACTIONS = ("retry", "cancel", "purge")

REQUESTER_TYPES = ("student", "parent")
REQUEST_STATUSES = ("pending", "accepted", "rejected")

# Where a lesson takes place: `session_type` of a booking, `session_format` of a schedule.
SESSION_FORMATS = ("online", "in-person", "hybrid")
# `pending`: created by a tutor, not yet accepted by the student or a parent. `declined`: they never accepted.
BOOKING_STATUSES = ("pending", "active", "paused", "completed", "cancelled", "declined")
SCHEDULE_STATUSES = ("scheduled", "in_progress", "completed", "cancelled")
# Who cancelled a lesson. `series`: its series or booking was paused or ended; resuming restores it.
CANCELLERS = ("person", "series")
# `held`: tutor and a student were on the board. `unknown`: there was no board.
ATTENDANCES = ("unknown", "held", "missed")
SERIES_STATUSES = ("active", "paused", "completed", "cancelled")
# Why an occurrence of a series is no lesson. `excluded`: a skipped date (EXDATE).
SKIP_REASONS = ("excluded", "tutor-busy", "student-busy")
# Of an entry of a personal timetable, as the platform's form spells them. `important` comes from the form for parents.
ENTRY_PRIORITIES = ("low", "medium", "high", "urgent", "important")
ENTRY_STATUSES = ("active", "draft", "completed", "cancelled")
ENTRY_TYPES = ("recurring", "specific")
ENROLLMENT_STATUSES = ("active", "paused", "completed")
PAYMENT_STATUSES = ("pending", "paid", "overdue")

WHITEBOARD_SESSION_STATUSES = ("scheduled", "in_progress", "completed", "cancelled")
PROFILE_TYPES = ("tutor", "student", "parent")
HOST_TYPES = ("tutor", "student")
# `page`: a page was activated.
WHITEBOARD_EVENT_KINDS = ("join", "leave", "page", "start", "end")
STROKE_TYPES = ("pen", "eraser", "line", "rectangle", "circle", "triangle", "arrow", "text")
# Each shows one page, except `pdf`: the whole board.
SNAPSHOT_NAMES = ("png", "png_2x", "thumbnail", "svg", "pdf")

RECORDING_TYPES = ("video", "screen", "board")
RENDITION_STATES = ("pending", "ready", "failed")
CHAPTER_ORIGINS = ("automatic", "tutor")
# `recovered`: abandoned, and what had arrived became the recording. `terminated`: its bytes are gone.
UPLOAD_STATES = ("open", "finished", "recovered", "terminated")

# `apprise`: an address of one of the services that apprise speaks to.
ChannelKind = Literal["email", "webhook", "apprise"]
CHANNEL_KINDS: tuple[ChannelKind, ...] = get_args(ChannelKind)
CALENDARS = ("gregorian", "ethiopian")
# `dropped`: no longer worth sending; `cancelled`: its lesson was cancelled or moved; `failed`: permanently.
DELIVERY_STATES = ("pending", "sending", "sent", "dropped", "cancelled", "failed")
MESSAGE_KINDS = (
    "lesson-reminder",
    "lesson-moved",
    "lesson-cancelled",
    # The lesson was restored.
    "lesson-restored",
    # A free slot was booked.
    "lesson-booked",
    # Of an entry of the person's own timetable.
    "entry-reminder",
    "request-received",
    "request-accepted",
    "request-rejected",
    # To the student and parents; the other two to the tutor.
    "booking-offered",
    "booking-accepted",
    "booking-ended",
    "recording-ready",
    # To its tutor and its uploader.
    "recording-failed",
    "channel-code",
    "channel-disabled",
    "test",
)
