import pytest

from worker.media.errors import MediaRejected
from worker.media.probing.playable import PlayableForm, playable_form


@pytest.mark.parametrize(
    ("video", "audio", "form"),
    [
        ("vp8", "opus", ("webm", None, None)),
        ("vp8", "vorbis", ("webm", None, None)),
        ("vp9", "opus", ("webm", None, None)),
        ("vp9", "aac", ("mp4", None, None)),
        ("vp9", "mp3", ("mp4", None, None)),
        ("av1", "opus", ("webm", None, None)),
        ("av1", "aac", ("mp4", None, None)),
        ("vp9", None, ("webm", None, None)),
        ("h264", "opus", ("mp4", None, None)),
        ("h264", "aac", ("mp4", None, None)),
        ("h264", "mp3", ("mp4", None, None)),
        ("h264", "flac", ("mp4", None, None)),
        ("h264", None, ("mp4", None, None)),
        ("hevc", "aac", ("mp4", None, None)),
        (None, "opus", ("webm", None, None)),
        (None, "vorbis", ("webm", None, None)),
        (None, "aac", ("mp4", None, None)),
        (None, "mp3", ("mp4", None, None)),
        # A sound that the picture's container cannot hold, or that no browser plays.
        ("vp8", "aac", ("webm", None, "opus")),
        ("vp8", "mp3", ("webm", None, "opus")),
        ("vp9", "pcm_s16le", ("webm", None, "opus")),
        ("h264", "vorbis", ("mp4", None, "aac")),
        ("h264", "pcm_s16le", ("mp4", None, "aac")),
        ("h264", "ac3", ("mp4", None, "aac")),
        (None, "amr_nb", ("mp4", None, "aac")),
        # A picture that no browser plays.
        ("mpeg4", "aac", ("mp4", "h264", None)),
        ("mpeg4", "amr_nb", ("mp4", "h264", "aac")),
        ("prores", "pcm_s16le", ("mp4", "h264", "aac")),
        ("mjpeg", "opus", ("mp4", "h264", None)),
        ("mpeg4", "vorbis", ("mp4", "h264", "aac")),
    ],
)
def test_the_form_follows_from_the_codecs(
    video: str | None, audio: str | None, form: tuple[str, str | None, str | None]
) -> None:
    playable = playable_form(video, audio)
    assert (playable.container, playable.video_encoder, playable.audio_encoder) == form


@pytest.mark.parametrize(("video", "audio"), [("theora", "vorbis"), ("vp8", "truehd"), (None, "wmav2")])
def test_other_codecs_are_refused_in_words(video: str | None, audio: str | None) -> None:
    with pytest.raises(MediaRejected, match="convert the file to MP4") as caught:
        playable_form(video, audio)
    assert caught.value.reason == "unsupported-codec"


def test_sound_in_a_picture_that_is_encoded_goes_to_mp4() -> None:
    assert playable_form("mpeg4", "opus") == PlayableForm("mp4", "h264", None)
