"""The two tracks of a recording that we use, as ffprobe describes them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from worker.media.codecs import codec_string
from worker.media.errors import MediaRejected
from worker.media.limits import Limits
from worker.media.timeline import Track

# What the project has decoders for (limits.DECODERS), by ffprobe's names of codecs.
VIDEO_CODECS = frozenset({"vp8", "vp9", "av1", "h264", "hevc"})
AUDIO_CODECS = frozenset({"opus", "vorbis", "aac"})

ENTRIES = (
    "stream=index,codec_name,codec_type,profile,level,width,height,pix_fmt,sample_rate,channels,mime_codec_string"
    ":stream_tags=alpha_mode,ALPHA_MODE:stream_disposition=attached_pic:stream_side_data=rotation"
)


@dataclass(frozen=True)
class VideoStream:
    """The picture. `width` and `height` are those of the frames, before a phone's `rotation` (degrees) is applied."""

    index: int
    codec: str
    codec_string: str
    width: int
    height: int
    pixel_format: str
    rotation: int
    # The recorder kept a second, transparent layer (canvas recordings): players show their background through it.
    alpha: bool
    frames: int
    frame_rate: float
    key_frames: int
    max_key_interval_ms: int


@dataclass(frozen=True)
class AudioStream:
    """The sound. `sample_rate` in Hz."""

    index: int
    codec: str
    codec_string: str
    sample_rate: int
    channels: int
    packets: int


def first_stream(streams: list[Mapping[str, Any]], kind: str) -> Mapping[str, Any] | None:
    """The first `video` or `audio` stream; a cover picture is no video."""
    for stream in streams:
        if stream.get("codec_type") == kind and not stream.get("disposition", {}).get("attached_pic"):
            return stream
    return None


def check_stream(stream: Mapping[str, Any], limits: Limits) -> None:
    """Raises MediaRejected for a codec that we cannot read, or a picture that is too large or has no size."""
    name = str(stream.get("codec_name", "unknown"))
    if name not in VIDEO_CODECS | AUDIO_CODECS:
        raise unsupported_codec(name)
    if stream.get("codec_type") != "video":
        return
    width, height = int(stream.get("width") or 0), int(stream.get("height") or 0)
    if width * height > limits.max_pixels:
        raise too_large_picture(f"{width} x {height}")
    if width <= 0 or height <= 0:
        raise MediaRejected("damaged", "The recording's picture has no size. Record the lesson again.")


def unsupported_codec(name: str) -> MediaRejected:
    """The rejection of a codec."""
    return MediaRejected(
        "unsupported-codec",
        f"The recording uses the codec {name}, which browsers cannot play. "
        "Record with VP8, VP9, AV1 or H.264 and with Opus or AAC sound.",
    )


def too_large_picture(size: str) -> MediaRejected:
    """The rejection of a picture of this size."""
    return MediaRejected(
        "too-large-picture",
        f"The recording's picture is too large ({size}). Record at 4K (3840 x 2160) or less.",
    )


def video_stream(stream: Mapping[str, Any], track: Track) -> VideoStream:
    """The picture, from ffprobe's words and the tally of its packets."""
    tags = stream.get("tags", {})
    rotations = [data["rotation"] for data in stream.get("side_data_list", []) if "rotation" in data]
    return VideoStream(
        index=int(stream["index"]),
        codec=str(stream["codec_name"]),
        codec_string=codec_string(stream, track.packet_rate),
        width=int(stream["width"]),
        height=int(stream["height"]),
        pixel_format=str(stream.get("pix_fmt", "unknown")),
        rotation=round(float(rotations[0])) % 360 if rotations else 0,
        # Small letters from the track's header, capitals from a tag that ffmpeg's own copies have beside it.
        alpha="1" in (tags.get("alpha_mode"), tags.get("ALPHA_MODE")),
        frames=track.packets,
        frame_rate=round(track.packet_rate, 3),
        key_frames=track.keys,
        max_key_interval_ms=round(track.longest_key_interval * 1000),
    )


def audio_stream(stream: Mapping[str, Any], track: Track) -> AudioStream:
    """The sound, from ffprobe's words and the tally of its packets."""
    return AudioStream(
        index=int(stream["index"]),
        codec=str(stream["codec_name"]),
        codec_string=codec_string(stream),
        sample_rate=int(stream.get("sample_rate") or 0),
        channels=int(stream.get("channels") or 0),
        packets=track.packets,
    )
