"""How objects are named: by what they hold, and so that one recording never covers another."""

import pytest

from worker.recordings.objects.names import (
    FOLDER,
    play_prefix,
    playback_name,
    poster_name,
    recording_id_of,
    recording_prefix,
    source_name,
)

DIGEST = "0123456789abcdef0123456789abcdef01234567"


def test_names_are_as_documented() -> None:
    prefix = recording_prefix(7, 12)

    assert prefix == "videos/whiteboard/session_7/recording_12/"
    assert source_name(prefix, DIGEST, "webm") == f"{prefix}0123456789ab/source.webm"
    assert play_prefix(prefix, DIGEST) == f"{prefix}0123456789ab/play/"
    assert playback_name(prefix, DIGEST, "mp4") == f"{prefix}0123456789ab/play/playback.mp4"
    assert poster_name(prefix, DIGEST) == f"{prefix}0123456789ab/play/poster.jpg"


def test_one_recording_does_not_cover_another() -> None:
    assert not recording_prefix(1, 10).startswith(recording_prefix(1, 1))
    assert not recording_prefix(10, 1).startswith(recording_prefix(1, 1))


def test_a_viewers_prefix_does_not_open_the_source() -> None:
    prefix = recording_prefix(1, 1)

    assert not source_name(prefix, DIGEST, "webm").startswith(play_prefix(prefix, DIGEST))
    assert playback_name(prefix, DIGEST, "webm").startswith(play_prefix(prefix, DIGEST))
    assert poster_name(prefix, DIGEST).startswith(play_prefix(prefix, DIGEST))


@pytest.mark.parametrize(
    ("name", "recording_id"),
    [
        (playback_name(recording_prefix(7, 12), DIGEST, "webm"), 12),
        (source_name(recording_prefix(7, 1), DIGEST, "webm"), 1),
        (f"{FOLDER}session_7/recording_12/", 12),
        (f"{FOLDER}session_7/recording_12", None),
        (f"{FOLDER}session_7/recording_/x", None),
        (f"{FOLDER}session_7/recording_-1/x", None),
        (f"{FOLDER}session_7/recording_١٢/x", None),
        (f"{FOLDER}session_7/recording_2147483647/x", 2**31 - 1),
        # No row can have such an id, and PostgreSQL refuses to look for it.
        (f"{FOLDER}session_7/recording_2147483648/x", None),
        (f"{FOLDER}session_7/recording_{'9' * 200}/x", None),
        (f"{FOLDER}session_7/recording_0/x", None),
        (f"{FOLDER}session_7/notes_12/x", None),
        (f"{FOLDER}readme.txt", None),
        (f"backup/{FOLDER}session_7/recording_12/x", None),
        ("", None),
    ],
)
def test_a_name_tells_its_recording(name: str, recording_id: int | None) -> None:
    assert recording_id_of(name) == recording_id
