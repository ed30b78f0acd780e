"""How browsers name codecs: the `codecs` parameter of a MIME type (RFC 6381, and each codec's own rules)."""

from collections.abc import Mapping
from typing import Any

# profile_idc and constraint bits by ffmpeg's names (ISO/IEC 14496-10 Annex A).
_H264_PROFILES = {
    "Constrained Baseline": "42e0",
    "Baseline": "4200",
    "Main": "4d00",
    "Extended": "5800",
    "High": "6400",
    "High 10": "6e00",
    "High 4:2:2": "7a00",
    "High 4:4:4 Predictive": "f400",
}
# (samples per picture, samples per second, level x 10): webmproject.org/vp9/levels.
_VP9_LEVELS = (
    (36_864, 829_440, 10),
    (73_728, 2_764_800, 11),
    (122_880, 4_608_000, 20),
    (245_760, 9_216_000, 21),
    (552_960, 20_736_000, 30),
    (983_040, 36_864_000, 31),
    (2_228_224, 83_558_400, 40),
    (2_228_224, 160_432_128, 41),
    (8_912_896, 311_951_360, 50),
    (8_912_896, 588_251_136, 51),
    (8_912_896, 1_176_502_272, 52),
)
_AAC_OBJECTS = {"LC": 2, "HE-AAC": 5, "HE-AACv2": 29}


def codec_string(stream: Mapping[str, Any], frame_rate: float = 0.0) -> str:
    """The codec string of a stream that ffprobe described, such as `vp09.00.31.08` or `mp4a.40.2`.

    ffprobe 8 reports it; for older versions it is derived from profile, level and pixel format. For VP9 it is always
    derived: ffprobe takes the clock of a browser's WebM for 1000 frames per second and reports level 5.2.
    """
    name = str(stream.get("codec_name", ""))
    profile = str(stream.get("profile", ""))
    level = int(stream.get("level") or 0)
    known = stream.get("mime_codec_string")
    if known and name != "vp9":
        return str(known)
    if name == "h264":
        return f"avc1.{_H264_PROFILES.get(profile, '6400')}{max(level, 0):02x}"
    if name == "hevc":
        return f"hvc1.{2 if profile == 'Main 10' else 1}.6.L{max(level, 0)}.B0"
    if name == "vp9":
        number = int(profile.rpartition(" ")[2]) if profile[-1:].isdigit() else 0
        return f"vp09.{number:02d}.{_vp9_level(stream, frame_rate)}.{_depth(stream):02d}"
    if name == "av1":
        number = {"Main": 0, "High": 1}.get(profile, 2 if profile == "Professional" else 0)
        return f"av01.{number}.{max(level, 0):02d}M.{_depth(stream):02d}"
    if name == "aac":
        return f"mp4a.40.{_AAC_OBJECTS.get(profile, 2)}"
    return name


def _vp9_level(stream: Mapping[str, Any], frame_rate: float) -> int:
    samples = int(stream.get("width") or 0) * int(stream.get("height") or 0)
    for picture, per_second, level in _VP9_LEVELS:
        if samples <= picture and samples * frame_rate <= per_second:
            return level
    return 60


def _depth(stream: Mapping[str, Any]) -> int:
    pixels = str(stream.get("pix_fmt", ""))
    return 12 if "12" in pixels.removeprefix("yuv") else 10 if "10" in pixels.removeprefix("yuv") else 8
