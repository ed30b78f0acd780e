"""Report words of the platform that mean nothing here; the rest of their row is imported."""

from collections.abc import Iterator

from worker.platform.refusals import Refusal
from worker.workflows.platform_import.words import booking_status, lesson_status, session_format


def note_status(word: object, meaning: str | None, taken_as: str) -> Iterator[Refusal]:
    """A note if a status has no meaning here."""
    if meaning is None:
        reason = f"status {word!r} is unknown and taken as {taken_as}"
        yield Refusal("unknown-status", reason, "Set a status that the platform knows.", is_refused=False)


def unknown_lesson_words(status: str | None, form: str | None) -> tuple[Refusal, ...]:
    """Notes on the status and the format of a lesson."""
    return *note_status(status, lesson_status(status), "scheduled"), *_note_format(form)


def unknown_booking_words(status: str | None, form: str | None) -> tuple[Refusal, ...]:
    """Notes on the status and the format of a booking."""
    return *note_status(status, booking_status(status), "paused"), *_note_format(form)


def _note_format(word: str | None) -> Iterator[Refusal]:
    if word and session_format(word) is None:
        reason = f"format {word!r} has no meaning here and is left out"
        yield Refusal("unknown-format", reason, "Set online, in-person or hybrid.", is_refused=False)
