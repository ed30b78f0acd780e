"""What a recorder noted about itself: its pauses, and how long its computer slept."""

from models.recordings import Recording


def pauses_of(recording: Recording) -> tuple[tuple[int, int], ...]:
    """The pauses of the recorder as (from, until), in milliseconds since it began."""
    marks = getattr(recording, "marks", None) or ()
    return tuple((int(mark["from_ms"]), int(mark["to_ms"])) for mark in marks if mark["kind"] in ("pause", "sleep"))
