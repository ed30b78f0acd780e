"""The map of quiet stretches: a player may skip only where nobody speaks or draws. Pure functions."""

import json
from collections.abc import Iterable, Sequence

from worker.media.decoding.sound_levels import joined_stretches
from worker.media.probing.recorded_time import RecordedStretch

FORMAT, VERSION = "astegni-activity", 1
# A shorter pause is part of speech.
MIN_QUIET_MS = 1500
# Kept before and after a stroke.
_STROKE_MARGIN_MS = 500

Stretch = tuple[int, int]


def quiet_stretches(spoken: Sequence[Stretch], drawn: Sequence[Stretch], duration_ms: int) -> list[Stretch]:
    """The stretches (milliseconds) of at least MIN_QUIET_MS in which nobody speaks or draws.

    Empty if nobody ever does: then it is unknown what happens.
    """
    if not spoken and not drawn:
        return []
    margin = _STROKE_MARGIN_MS
    busy = joined_stretches([*spoken, *((start - margin, end + margin) for start, end in drawn)])
    starts = [0, *(max(0, end) for _, end in busy)]
    ends = [*(min(duration_ms, start) for start, _ in busy), duration_ms]
    return [(start, end) for start, end in zip(starts, ends, strict=True) if end - start >= MIN_QUIET_MS]


def in_recording(drawn: Iterable[Stretch], recorded: Sequence[RecordedStretch]) -> list[Stretch]:
    """Convert stretches of wall-clock time (milliseconds since 1970) to times of a file that was recorded then."""
    return [
        (
            stretch.at + max(start, stretch.begun) - stretch.begun,
            stretch.at + min(end, stretch.begun + stretch.length) - stretch.begun,
        )
        for start, end in drawn
        for stretch in recorded
        if start <= stretch.begun + stretch.length and end >= stretch.begun
    ]


def activity_document(quiet: Sequence[Stretch], duration_ms: int) -> bytes:
    """The map as JSON for players; equal stretches give equal bytes."""
    document = {
        "format": FORMAT,
        "version": VERSION,
        "duration_ms": duration_ms,
        "quiet": [list(stretch) for stretch in quiet],
        "quiet_ms": sum(end - start for start, end in quiet),
    }
    return json.dumps(document, separators=(",", ":")).encode()


def quiet_of(document: bytes) -> list[Stretch]:
    """The quiet stretches of a map."""
    return [(start, end) for start, end in json.loads(document)["quiet"]]
