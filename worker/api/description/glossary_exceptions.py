"""The meaning of names in the documents in which they differ from glossary.py: by schema name, or method and path."""

from worker.api.description.glossary import INSTANT, JOB, Meaning

_JOB_NAMES: dict[str, Meaning] = {
    "id": ("Id of the job.", JOB),
    "subject": ("What the job works on, like `recording:12`.", "recording:12"),
}
_ENTRY_NAMES: dict[str, Meaning] = {
    "title": ("What is planned.", "Morning group"),
    "notes": ("Free text.", "Bring the exercise book."),
    "conflicts": ("Own lessons at the time of an occurrence within ninety days; 20 at most.", []),
    "status": ("`active`, `draft`, `completed` or `cancelled`; only active entries ring.", "active"),
    "year": ("Year in which a `recurring` entry begins; it goes on in later years.", 2027),
    "sequence": ("How often the entry was changed (RFC 5545 SEQUENCE).", 0),
}
_LINK_KIND = ("What the row is: `lesson`, `board` (a whiteboard session) or `entry` (of the own timetable).", "lesson")
_CAPTIONS_LANGUAGE: Meaning = ("Language of the captions, a tag of BCP 47: `am`, `om`, `ti`, `en`, `en-GB`.", "am")
_CAPTION_NAMES: dict[str, Meaning] = {
    "language": _CAPTIONS_LANGUAGE,
    "bytes": ("Size of the WebVTT file in bytes.", 48_200),
    "updated_at": ("When the captions were stored.", INSTANT),
}
_SHARED_PART: dict[str, Meaning] = {
    "from": ("Second at which a player begins; null: at the beginning.", 60),
    "to": ("Second at which a player ends; null: at the end.", 90),
}
_SHARE_NAMES: dict[str, Meaning] = _SHARED_PART | {
    "expires_at": ("Until when the address opens.", INSTANT),
    "url": (
        "The address of the page that plays the recording. It is returned only once.",
        "https://…/watch/shared/q3R…",
    ),
}
_SHARED_SECRET: dict[str, Meaning] = {
    "secret": ("The secret of the address. Whoever knows it watches the recording.", "q3R…"),
    "language": _CAPTIONS_LANGUAGE,
    "track": ("The track.", "360p"),
}
_CHANNEL_KIND: Meaning = ("`email`, `webhook` or `apprise`.", "email")

# By the name of the schema or, for parameters, the operation's path.
SPECIAL: dict[str, dict[str, Meaning]] = {
    "JobDocument": _JOB_NAMES,
    "JobWithAttempts": _JOB_NAMES,
    "StrokesBody": {
        "strokes": (
            "Strokes in the order in which they were drawn, 500 at most.",
            [{"client_id": "a1", "stroke_type": "pen", "stroke_data": {"points": [[10, 10], [15, 14]]}}],
        )
    },
    "IgnoredField": {"reason": ("What is wrong with it.", "Input should have timezone info.")},
    "LeftOutDocument": {"reason": ("Why it was not kept.", "it ends before it begins")},
    "ChapterBody": {"title": ("Title of the chapter, one line.", "Fractions")},
    "ChapterDocument": {"title": ("Title of the chapter.", "Fractions")},
    "Playback": {"chapters": ("Chapters as WebVTT; null where there are none.", None)},
    "CaptionsVtt": {"language": _CAPTIONS_LANGUAGE},
    "CaptionTrackDocument": _CAPTION_NAMES,
    "StoredCaptions": _CAPTION_NAMES,
    "CaptionsDocument": _CAPTION_NAMES,
    "ShareBody": _SHARE_NAMES,
    "ShareDocument": _SHARE_NAMES,
    "NewShareDocument": _SHARE_NAMES,
    "SharedPlayback": _SHARED_PART
    | {
        "chapters": ("Chapters as WebVTT; null where there are none.", None),
    },
    **{
        f"GET /v1/shared/{{secret}}{path}": _SHARED_SECRET
        for path in (
            "",
            "/chapters.vtt",
            "/storyboard.vtt",
            "/search",
            "/captions.{language}.vtt",
            "/hls/master.m3u8",
            "/hls/{track}.m3u8",
        )
    },
    "MatchDocument": {
        "kind": ("Where it stands: `caption`, `chapter` or `board` (typed text).", "caption"),
        "text": ("The caption, the title of the chapter, or the typed text.", "ፀሐይ"),
        "language": ("Language of a caption; null for others.", "am"),
    },
    "MatchesDocument": {"items": ("The matches in the order of their times.", [])},
    "CueDocument": {"text": ("What is said, as plain text; lines are separated by line feeds.", "ሰላም")},
    **{
        f"{method} /v1/recordings/{{recording_id}}/captions/{{language}}": {"language": _CAPTIONS_LANGUAGE}
        for method in ("GET", "PUT", "DELETE")
    },
    "GET /v1/recordings/{recording_id}/captions.{language}.vtt": {"language": _CAPTIONS_LANGUAGE},
    "RefusedRendition": {
        "name": ("The rendition.", "board"),
        "reason": ("Why it cannot be made.", "The recording has no picture."),
    },
    "OrderedRenditions": {"refused": ("Those that this recording cannot have, with the reason of each.", [])},
    "GET /v1/recordings/{recording_id}/hls/{track}.m3u8": {"track": ("The track.", "360p")},
    "RefusedStroke": {"reason": ("Why it was not stored.", "stroke_data has no points")},
    "Code": {"code": ("The six digits that were sent to the channel.", "012345")},
    "LinkDocument": {"kind": _LINK_KIND, "id": ("Id of our row.", 7)},
    "GET /v1/platform/links/{kind}/{platform_id}": {"kind": _LINK_KIND},
    "NewChannel": {"kind": _CHANNEL_KIND},
    "ChannelDocument": {"kind": _CHANNEL_KIND},
    "NewChannelDocument": {"kind": _CHANNEL_KIND},
    "EventDocument": {"kind": ("What happened: `join` or `leave`.", "join")},
    "NotificationDocument": {"kind": ("What the message is about.", "lesson-reminder")},
    "PreferencesBody": {"alarms": ("Minutes before each lesson that has no alarms of its own.", [1440, 15])},
    "PreferencesDocument": {"alarms": ("Minutes before each lesson that has no alarms of its own.", [1440, 15])},
    "SeriesWithPeople": {"participants": ("Students of the series with their bookings.", [])},
    "SessionDocument": {"status": ("`scheduled`, `in_progress`, `completed` or `cancelled`.", "in_progress")},
    "SessionWithPages": {"status": ("`scheduled`, `in_progress`, `completed` or `cancelled`.", "in_progress")},
    "EthiopianTime": {"year": ("Ethiopian year.", 2019)},
    "UploadDocument": {
        "id": ("Id of the upload, 128 random bits.", "5f2c8a0e9d1b4c7e8f3a6b2d1c0e9f8a"),
        "state": ("`open`, `finished`, `recovered` or `terminated`.", "open"),
        "title": ("Title of the recording; null: its file's name.", "Fractions"),
    },
    "RecordingPage": {
        "thumbnail_url": ("Signed address of a small picture of the page.", "https://…/thumbnail.webp?…"),
        "bytes": ("Size of the larger picture.", 48_200),
        "thumbnail_bytes": ("Size of the small picture.", 3_100),
    },
    "RenditionDocument": {"state": ("`pending`, `ready` or `failed`.", "ready")},
    "SnapshotDocument": {
        "name": ("Which file: `png`, `png_2x`, `thumbnail`, `svg`, `pdf`.", "png"),
        "mime": ("Media type of the file.", "image/png"),
    },
    "SkipDocument": {"reason": ("Why: `excluded`, `tutor-busy`, `student-busy`, …", "excluded")},
    "RequestRejection": {"reason": ("Why not; it is not kept.", "No time in January.")},
    "Problem": {
        "status": ("The HTTP status.", 404),
        "title": ("Name of the problem for people.", "Not found"),
        "type": ("URN of the problem.", "urn:astegni:problem:not-found"),
        "request_id": ("Id of the request, as in `X-Request-ID` and the log.", "6d444409363f452f8707daf728170a4c"),
    },
    "GET /v1/jobs": {
        "state": ("Only jobs in this state.", "running"),
        "kind": ("Only jobs of this kind.", "recordings.ingest"),
        "subject": ("Only jobs about this.", "recording:12"),
    },
    "GET /v1/me/notifications": {"unread": ("Only messages that are unread.", True)},
    "EntryDocument": {**_ENTRY_NAMES, "months": ("Months of a `recurring` entry by name; empty: all.", ["January"])},
    "NewEntry": _ENTRY_NAMES,
    "EntryChange": _ENTRY_NAMES,
    "EntryConflictDocument": {
        "starts_at": ("Start of the occurrence.", INSTANT),
        "ends_at": ("End of the occurrence.", "2027-01-04T12:00:00Z"),
        "schedule_id": ("The lesson at the same time.", 7),
    },
    "GET /v1/me/timetable": {
        "role": ("Only entries written in this role.", "student"),
        "status": ("Only entries with this status.", "active"),
    },
    "GET /v1/schedules": {"status": ("Only lessons with this status.", "scheduled")},
    "GET /v1/session-requests": {"status": ("Only requests with this status.", "pending")},
    "GET /v1/whiteboard/sessions": {"status": ("Only sessions with this status.", "in_progress")},
    "GET /v1/calendar/{secret}.ics": {
        "secret": ("The secret of the address. Whoever knows it reads the calendar.", "q3R…")
    },
}
