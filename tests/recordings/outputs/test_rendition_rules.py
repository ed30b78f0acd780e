"""Which renditions a recording gets, as a table."""

import pytest

from worker.recordings.outputs.rendition_rules import (
    RENDITIONS,
    RecordedTracks,
    automatic_renditions,
    why_not,
    with_parts,
)

CAMERA = RecordedTracks("video", (1280, 720), has_sound=True)
PHONE = RecordedTracks("video", (480, 640), has_sound=True)
BOARD = RecordedTracks("board", (1280, 720), has_sound=True)
VOICE = RecordedTracks("board", None, has_sound=True)
MUTE = RecordedTracks("screen", (640, 360), has_sound=False)


@pytest.mark.parametrize(
    ("tracks", "names"),
    [
        (CAMERA, ["audio", "audio-aac", "360p", "720p", "hls", "download"]),
        (PHONE, ["audio", "audio-aac", "360p", "hls", "download"]),
        (BOARD, ["audio", "audio-aac", "board", "hls", "download"]),
        (VOICE, ["audio", "audio-aac", "hls", "download"]),
        (MUTE, ["board", "hls", "download"]),
    ],
)
def test_each_kind_of_recording_gets_what_suits_it(tracks: RecordedTracks, names: list[str]) -> None:
    assert automatic_renditions(RENDITIONS, tracks) == names


def test_the_setting_chooses_and_packages_bring_their_parts() -> None:
    assert automatic_renditions(("none",), CAMERA) == []
    assert automatic_renditions(("360p",), BOARD) == ["360p"]
    assert with_parts(["download"], CAMERA) == ["audio-aac", "360p", "download"]
    assert with_parts(["hls"], MUTE) == ["board", "hls"]


def test_the_reason_is_a_sentence() -> None:
    assert why_not("audio", MUTE) == "The recording has no sound."
    assert why_not("360p", VOICE) == "The recording has no picture."
    assert why_not("board", CAMERA) == "The recording is of a camera: its type is neither board nor screen."
    assert "480" in (why_not("720p", PHONE) or "")
    assert why_not("720p", CAMERA) is None
