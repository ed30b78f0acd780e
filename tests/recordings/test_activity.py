"""Stretches with neither voice nor strokes."""

import json

from worker.media.probing.recorded_time import RecordedStretch
from worker.recordings.activity import activity_document, in_recording, quiet_stretches


def test_quiet_is_where_neither_voice_nor_stroke_is() -> None:
    spoken, drawn = [(2000, 6000), (20_000, 24_000)], [(5000, 9000), (12_000, 12_100)]
    assert quiet_stretches(spoken, drawn, 30_000) == [(0, 2000), (9500, 11_500), (12_600, 20_000), (24_000, 30_000)]


def test_a_short_pause_is_not_skipped() -> None:
    assert quiet_stretches([(0, 4000), (5400, 9000)], [], 10_000) == []


def test_voice_alone_and_strokes_alone_are_enough() -> None:
    assert quiet_stretches([(0, 1000)], [], 5000) == [(1000, 5000)]
    assert quiet_stretches([], [(0, 1000)], 5000) == [(1500, 5000)]


def test_where_nothing_is_known_nothing_is_skipped() -> None:
    assert quiet_stretches([], [], 60_000) == []


def test_nothing_is_outside_of_the_recording() -> None:
    assert quiet_stretches([(-300, 9_000)], [(-5000, -4000), (70_000, 80_000)], 20_000) == [(9000, 20_000)]


def test_strokes_are_placed_by_the_clock_of_the_recorder() -> None:
    recorded = [RecordedStretch(1_000_000, 0, 10_000), RecordedStretch(1_060_000, 10_000, 5000)]
    drawn = [(999_000, 1_001_000), (1_009_000, 1_011_000), (1_030_000, 1_031_000), (1_061_000, 1_062_000)]
    assert in_recording(drawn, recorded) == [(0, 1000), (9000, 10_000), (11_000, 12_000)]


def test_the_document_states_how_much_is_quiet() -> None:
    document = json.loads(activity_document([(0, 2000), (5000, 8000)], 9000))
    assert document == {
        "format": "astegni-activity",
        "version": 1,
        "duration_ms": 9000,
        "quiet": [[0, 2000], [5000, 8000]],
        "quiet_ms": 5000,
    }
