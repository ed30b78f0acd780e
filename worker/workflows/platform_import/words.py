"""Translate the platform's words to ours. Pure: an unknown word gives None, and the caller reports it."""

from collections.abc import Mapping
from functools import lru_cache

from models.states import ENTRY_PRIORITIES, ENTRY_STATUSES

_FORMATS = {"online": "online", "in-person": "in-person", "in person": "in-person", "hybrid": "hybrid"}
# Words of enrolments and of groups.
_BOOKINGS = {
    "active": "active",
    "alumni": "completed",
    "completed": "completed",
    "suspended": "paused",
    "paused": "paused",
    "rejected": "cancelled",
    "cancelled": "cancelled",
}
# `missed` also means that nobody came.
_LESSONS = {
    "scheduled": "scheduled",
    "in-progress": "in_progress",
    "ongoing": "in_progress",
    "completed": "completed",
    "missed": "completed",
    "cancelled": "cancelled",
}
_RECORDINGS = {"video": "video", "screen": "screen", "board": "board", "canvas": "board", "audio": "video"}
_BOARDS = {
    "scheduled": "scheduled",
    "in-progress": "in_progress",
    "ongoing": "in_progress",
    "active": "in_progress",
    "completed": "completed",
    "ended": "completed",
    "cancelled": "cancelled",
}
# Single dates have two spellings.
_ENTRY_TYPES = {"recurring": "recurring", "specific": "specific", "specific-dates": "specific"}
_PRIORITIES = {word: word for word in ENTRY_PRIORITIES}
_ENTRIES = {word: word for word in ENTRY_STATUSES}


def _read(words: Mapping[str, str], written: str | None) -> str | None:
    return words.get((written or "").strip().casefold().replace("_", "-"))


@lru_cache(maxsize=1000)
def session_format(written: str | None) -> str | None:
    """Where lessons take place; None without a word and for words without a meaning here, like `Self-paced`."""
    return _read(_FORMATS, written)


def booking_status(written: str | None) -> str | None:
    """The status of a booking; NULL there is the default, active."""
    return "active" if written is None else _read(_BOOKINGS, written)


@lru_cache(maxsize=1000)
def lesson_status(written: str | None) -> str | None:
    """The status of a lesson; NULL there is the default, scheduled."""
    return "scheduled" if written is None else _read(_LESSONS, written)


def attendance(status: str | None) -> str:
    """Whether a lesson of this status was missed. The columns of attendance say `present` before anybody came."""
    return "missed" if (status or "").strip().casefold() == "missed" else "unknown"


def board_status(written: str | None) -> str | None:
    """The status of a whiteboard session; NULL there is the default, scheduled."""
    return "scheduled" if written is None else _read(_BOARDS, written)


def entry_type(written: str | None) -> str | None:
    """How a timetable entry names its days; None without a word, or with one that has no meaning here (`Flexible`)."""
    return _read(_ENTRY_TYPES, written)


def entry_priority(written: str | None) -> str | None:
    """The priority of a timetable entry; NULL there is the default, medium."""
    return "medium" if written is None else _read(_PRIORITIES, written)


def entry_status(written: str | None) -> str | None:
    """The status of a timetable entry; NULL there is the default, active."""
    return "active" if written is None else _read(_ENTRIES, written)


def recording_type(written: str | None) -> str | None:
    """What a recording shows; NULL there is the default, video."""
    return "video" if written is None else _read(_RECORDINGS, written)
