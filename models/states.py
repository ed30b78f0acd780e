"""Every stored word. A CHECK in the database holds each column to its list."""

JOB_STATES = ("queued", "published", "running", "retryable", "succeeded", "failed", "cancelled", "dead")
JOB_FINISHED = ("succeeded", "failed", "cancelled", "dead")
JOB_LIVE = ("queued", "published", "running", "retryable")
# `released`: given back unharmed (shutdown); `worker-lost`: its lease ran out.
ATTEMPT_OUTCOMES = ("succeeded", "retryable", "failed", "cancelled", "dead", "worker-lost", "released")

REQUESTER_TYPES = ("student", "parent")
REQUEST_STATUSES = ("pending", "accepted", "rejected")

# Where a lesson takes place: `session_type` of a booking, `session_format` of a schedule.
SESSION_FORMATS = ("online", "in-person", "hybrid")
# `pending`: made by a tutor, and neither the student nor a parent has accepted yet. `declined`: they never did.
BOOKING_STATUSES = ("pending", "active", "paused", "completed", "cancelled", "declined")
SCHEDULE_STATUSES = ("scheduled", "in_progress", "completed", "cancelled")
# Who called a lesson off. `series`: its series or booking stopped, so it comes back when that goes on.
CANCELLERS = ("person", "series")
# `held`: tutor and a student were on the board. `unknown`: there was no board.
ATTENDANCES = ("unknown", "held", "missed")
SERIES_STATUSES = ("active", "paused", "completed", "cancelled")
# Why an occurrence of a series is no lesson. `excluded`: a skipped date (EXDATE).
SKIP_REASONS = ("excluded", "tutor-busy", "student-busy")
ENROLLMENT_STATUSES = ("active", "paused", "completed")
PAYMENT_STATUSES = ("pending", "paid", "overdue")

WHITEBOARD_SESSION_STATUSES = ("scheduled", "in_progress", "completed", "cancelled")
PROFILE_TYPES = ("tutor", "student", "parent")
HOST_TYPES = ("tutor", "student")
# `page`: a page was activated.
WHITEBOARD_EVENT_KINDS = ("join", "leave", "page", "start", "end")
STROKE_TYPES = ("pen", "eraser", "line", "rectangle", "circle", "triangle", "arrow", "text")
# All of one page, but `pdf`: of the whole board.
SNAPSHOT_NAMES = ("png", "png_2x", "thumbnail", "svg", "pdf")

RECORDING_TYPES = ("video", "screen", "board")
RENDITION_STATES = ("pending", "ready", "failed")

# `apprise`: an address of one of the services that apprise speaks to.
CHANNEL_KINDS = ("email", "webhook", "apprise")
CALENDARS = ("gregorian", "ethiopian")
# `dropped`: not worth sending any more; `cancelled`: its lesson is off or was moved; `failed`: for good.
DELIVERY_STATES = ("pending", "sending", "sent", "dropped", "cancelled", "failed")
MESSAGE_KINDS = (
    "lesson-reminder",
    "lesson-moved",
    "lesson-cancelled",
    # It takes place after all.
    "lesson-restored",
    # A free slot became somebody's lesson.
    "lesson-booked",
    "request-received",
    "request-accepted",
    "request-rejected",
    # To the student and parents; the other two to the tutor.
    "booking-offered",
    "booking-accepted",
    "booking-ended",
    "recording-ready",
    # To its tutor, and to who uploaded it.
    "recording-failed",
    "channel-code",
    "channel-disabled",
    "test",
)
