from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from worker.media.errors import MediaRejected
from worker.media.playable import PlayableForm, playable_form
from worker.media.probe import Probe


@pytest.fixture
def pair(make: Callable[[str], Path], probed: Callable[[Path], Probe]) -> Callable[[str | None, str | None], Probe]:
    """A probe with these two codecs."""
    found = probed(make("vp8.webm"))

    def with_codecs(video: str | None, audio: str | None) -> Probe:
        assert found.video is not None
        assert found.audio is not None
        return replace(
            found,
            video=replace(found.video, codec=video, codec_string=video) if video else None,
            audio=replace(found.audio, codec=audio, codec_string=audio) if audio else None,
        )

    return with_codecs


@pytest.mark.parametrize(
    ("video", "audio", "container"),
    [
        ("vp8", "opus", "webm"),
        ("vp8", "vorbis", "webm"),
        ("vp9", "opus", "webm"),
        ("vp9", "aac", "mp4"),
        ("av1", "opus", "webm"),
        ("av1", "aac", "mp4"),
        ("vp9", None, "webm"),
        ("h264", "opus", "mp4"),
        ("h264", "aac", "mp4"),
        ("h264", None, "mp4"),
        ("hevc", "aac", "mp4"),
        (None, "opus", "webm"),
        (None, "vorbis", "webm"),
        (None, "aac", "mp4"),
        ("vp8", "aac", None),
        ("h264", "vorbis", None),
    ],
)
def test_the_container_follows_from_the_codecs(
    pair: Callable[[str | None, str | None], Probe], video: str | None, audio: str | None, container: str | None
) -> None:
    if container is None:
        with pytest.raises(MediaRejected) as caught:
            playable_form(pair(video, audio))
        assert caught.value.reason == "unsupported-codec"
        return
    form = playable_form(pair(video, audio))
    assert (form.container, form.extension) == (container, container)
    assert form.mime == f"{'video' if video else 'audio'}/{container}"
    assert form.codecs == ", ".join(codec for codec in (video, audio) if codec)


def test_a_browsers_recording_has_the_strings_that_browsers_ask_for(
    make: Callable[[str], Path], probed: Callable[[Path], Probe]
) -> None:
    forms = {name: playable_form(probed(make(f"chrome-{name}.webm"))) for name in ("vp9", "h264", "pause", "audio")}
    assert forms == {
        "vp9": PlayableForm("webm", "webm", "video/webm", "vp09.00.31.08, opus"),
        "h264": PlayableForm("mp4", "mp4", "video/mp4", "avc1.42c020, opus"),
        "pause": PlayableForm("webm", "webm", "video/webm", "vp8, opus"),
        "audio": PlayableForm("webm", "webm", "audio/webm", "opus"),
    }
