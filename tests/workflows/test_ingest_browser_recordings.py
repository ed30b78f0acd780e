"""Recordings of real browsers, through the real ingest: available, whole, and honest about what is missing."""

from pathlib import Path
from typing import Any

import pytest

from worker.jobs.orders import IngestRecording, StoreSource

RECORDINGS = Path(__file__).parent.parent / "data" / "recordings"


@pytest.mark.parametrize(
    ("name", "mime", "duration_ms"),
    [
        ("talk_h264.webm", "video/mp4", 15_094),
        ("h264_few.webm", "video/mp4", 15_085),
        ("ff_audio_default.ogg", "audio/webm", 6009),
        ("one_frame_cap_vp9.webm", "video/webm", 1),
    ],
)
def test_it_is_available_and_nothing_is_missing(name: str, mime: str, duration_ms: int, workshop: Any) -> None:
    recording_id = workshop.arrive((RECORDINGS / name).read_bytes())

    job = workshop.perform(IngestRecording, recording_id)

    assert (job.state, job.error) == ("succeeded", None)
    metadata = workshop.row(recording_id).recording_metadata
    assert (metadata["mime"], metadata["repairs"]) == (mime, [])
    assert metadata["duration_ms"] == pytest.approx(duration_ms, abs=100)
    assert workshop.perform(StoreSource, recording_id).state == "succeeded"
    assert workshop.rendition(recording_id, "source").object_name.endswith(
        {".ogg": ".ogg"}.get(Path(name).suffix, ".mkv" if "h264" in name else ".webm")
    )


def test_a_lost_second_is_named(workshop: Any) -> None:
    """Clusters 3 to 5 of Chrome's file are gone."""
    data = (RECORDINGS.parent / "vp9.webm").read_bytes()
    recording_id = workshop.arrive(data[:71_618] + data[163_776:])

    assert workshop.perform(IngestRecording, recording_id).state == "succeeded"
    (repair,) = workshop.row(recording_id).recording_metadata["repairs"]
    assert repair["kind"] == "gap"
    assert 1500 < repair["at_ms"] < 4000
