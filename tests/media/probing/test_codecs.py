from typing import Any

import pytest

from worker.media.probing.codecs import codec_string

HD = {"width": 1280, "height": 720, "pix_fmt": "yuv420p"}


@pytest.mark.parametrize(
    ("stream", "rate", "expected"),
    [
        ({"codec_name": "vp8"}, 30, "vp8"),
        ({"codec_name": "opus"}, 0, "opus"),
        ({"codec_name": "vorbis"}, 0, "vorbis"),
        ({"codec_name": "vp9", "profile": "Profile 0", "level": -99, **HD}, 28, "vp09.00.31.08"),
        ({"codec_name": "vp9", "profile": "Profile 0", "level": -99, **HD}, 60, "vp09.00.40.08"),
        ({"codec_name": "vp9", "profile": "Profile 2", **HD, "pix_fmt": "yuv420p10le"}, 28, "vp09.02.31.10"),
        (
            {"codec_name": "vp9", "profile": "Profile 0", **HD, "mime_codec_string": "vp09.00.52.08"},
            28,
            "vp09.00.31.08",
        ),
        ({"codec_name": "vp9", "profile": "Profile 0", "width": 3840, "height": 2160}, 30, "vp09.00.50.08"),
        ({"codec_name": "vp9", "profile": "unknown", "width": 9000, "height": 9000}, 30, "vp09.00.60.08"),
        ({"codec_name": "h264", "mime_codec_string": "avc1.42c020"}, 30, "avc1.42c020"),
        ({"codec_name": "h264", "profile": "Constrained Baseline", "level": 32}, 30, "avc1.42e020"),
        ({"codec_name": "h264", "profile": "High", "level": 31}, 30, "avc1.64001f"),
        ({"codec_name": "hevc", "profile": "Main", "level": 93}, 30, "hvc1.1.6.L93.B0"),
        ({"codec_name": "av1", "profile": "Main", "level": 4, **HD}, 30, "av01.0.04M.08"),
        ({"codec_name": "aac", "profile": "LC"}, 0, "mp4a.40.2"),
        ({"codec_name": "aac", "profile": "HE-AAC"}, 0, "mp4a.40.5"),
    ],
)
def test_a_codec_has_the_name_that_browsers_know(stream: dict[str, Any], rate: float, expected: str) -> None:
    assert codec_string(stream, rate) == expected
