"""When an available recording was recorded, in wall-clock time: from its row, its marks and its ingest."""

from collections.abc import Iterator

from models.recordings import Recording
from worker.media.decoding.sound_levels import joined_stretches
from worker.media.probing.recorded_time import FileGap, RecordedStretch, recorded_stretches


def recorded_when(recording: Recording) -> tuple[RecordedStretch, ...]:
    """When an available recording was recorded, by the server's clock."""
    known = recording.recording_metadata or {}
    length, pauses = int(known.get("duration_ms") or 0), _pauses(recording)
    begun = round(recording.recording_date.timestamp() * 1000)
    if recording.recording_date == recording.created_at:
        # The start is unknown; the recording ended no later than its upload.
        begun -= length + sum(until - start for start, until in pauses)
    return recorded_stretches(begun, length, pauses, _gaps(known.get("repairs") or []))


def _pauses(recording: Recording) -> list[tuple[int, int]]:
    """The pauses of the recorder and the sleep of its computer as (from, until), in milliseconds since it began.

    If the file has several parts, since the page was reloaded or a microphone ended, they follow each other directly,
    and only the marks tell how much later the next one began. The clock of a single part shows what is lost in it.
    """
    parts = (recording.recording_metadata or {}).get("source", {}).get("parts") or 1
    kinds = ("pause", "sleep", "gap") if parts > 1 else ("pause", "sleep")
    marks = [mark for mark in recording.marks or [] if mark["kind"] in kinds]
    return joined_stretches((int(mark["from_ms"]), int(mark["to_ms"])) for mark in marks)


def _gaps(repairs: list[dict[str, int | str]]) -> Iterator[FileGap]:
    """Holes that the ingest found: the fast copy plays a `gap`, and leaves out a jump of the recorder's clock."""
    for repair in repairs:
        at, length = int(repair.get("at_ms") or 0), int(repair.get("length_ms") or 0)
        if repair.get("kind") in ("gap", "clock-jump") and length > 0:
            yield FileGap(at, length, length if repair["kind"] == "gap" else 0)
