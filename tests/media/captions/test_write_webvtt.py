"""WebVTT as players get it."""

from worker.media.captions.cue import Cue
from worker.media.captions.write_webvtt import write_webvtt


def test_captions_are_written_with_their_times_and_settings() -> None:
    cues = [Cue(0, 1500, "ሰላም"), Cue(3_661_007, 36_000_000, "a\nb", "line:0 align:start")]
    assert write_webvtt(cues).decode() == (
        "WEBVTT\n\n00:00:00.000 --> 00:00:01.500\nሰላም\n\n01:01:01.007 --> 10:00:00.000 line:0 align:start\na\nb\n"
    )


def test_a_text_is_never_a_tag_or_a_time() -> None:
    written = write_webvtt([Cue(0, 1, "<script>&lt;--> 00:01.000 --> 00:02.000")]).decode()
    assert written.endswith("\n&lt;script&gt;&amp;lt;--&gt; 00:01.000 --&gt; 00:02.000\n")


def test_no_captions_are_a_file_without_any() -> None:
    assert write_webvtt([]) == b"WEBVTT\n"
