"""The tracks of a recording, from what ffprobe reports about them and the tally of their packets."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from worker.media.probing.codecs import codec_string
from worker.media.probing.track import Track

ENTRIES = (
    "stream=index,codec_name,codec_type,profile,level,width,height,pix_fmt,color_space,color_range,sample_rate,channels"
    ",mime_codec_string,sample_aspect_ratio,nb_read_packets:stream_tags=alpha_mode,ALPHA_MODE:stream_disposition=attached_pic,default"
    ":stream_side_data=rotation"
)

_WIDEST_PIXEL = 8

# A stream as ffprobe describes it.
Words = Mapping[str, Any]


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
    # Whether there is a transparent layer (canvas recordings): players show their background through it.
    alpha: bool
    frames: int
    frame_rate: float
    key_frames: int
    max_key_interval_ms: int
    # The width of a pixel divided by its height.
    pixel_aspect: float = 1.0
    # Whether the header states an impossible pixel aspect ratio.
    aspect_is_wrong: bool = False
    # The YUV matrix, and `tv` (limited) or `pc` (full range), by ffmpeg's names; "unknown" where none is stated.
    color_space: str = "unknown"
    color_range: str = "unknown"

    @property
    def shown_size(self) -> tuple[int, int]:
        """Width and height as players show the picture: upright, in square pixels."""
        width = max(1, round(self.width * self.pixel_aspect))
        return (self.height, width) if self.rotation % 180 == 90 else (width, self.height)


@dataclass(frozen=True)
class AudioStream:
    """The sound. `sample_rate` in Hz."""

    index: int
    codec: str
    codec_string: str
    sample_rate: int
    channels: int
    packets: int


def video_stream(stream: Words, track: Track) -> VideoStream:
    """The picture, from ffprobe's description and its packet tally."""
    rotations = [data["rotation"] for data in stream.get("side_data_list", []) if "rotation" in data]
    return VideoStream(
        index=int(stream["index"]),
        codec=str(stream["codec_name"]),
        codec_string=codec_string(stream, track.packet_rate),
        width=int(stream["width"]),
        height=int(stream["height"]),
        pixel_format=str(stream.get("pix_fmt", "unknown")),
        rotation=round(float(rotations[0])) % 360 if rotations else 0,
        alpha=has_alpha(stream),
        frames=track.packets,
        frame_rate=round(track.packet_rate, 3),
        key_frames=track.keys,
        max_key_interval_ms=round(track.longest_key_interval * 1000),
        pixel_aspect=_pixel_aspect(stream),
        aspect_is_wrong=has_wrong_aspect(stream),
        color_space=str(stream.get("color_space", "unknown")),
        color_range=str(stream.get("color_range", "unknown")),
    )


def has_alpha(stream: Words) -> bool:
    """Whether this track has a transparent layer."""
    tags = stream.get("tags", {})
    # Lower case comes from the track's header, upper case from a tag that ffmpeg writes into its copies.
    return "1" in (tags.get("alpha_mode"), tags.get("ALPHA_MODE"))


def _pixel_aspect(stream: Words) -> float:
    width, _, height = str(stream.get("sample_aspect_ratio", "1:1")).partition(":")
    if not (width.isdigit() and height.isdigit() and int(width) and int(height)):
        return 1.0
    aspect = int(width) / int(height)
    # Anamorphic video goes up to 2; beyond that the header is wrong, and muxers reject it.
    return aspect if 1 / _WIDEST_PIXEL <= aspect <= _WIDEST_PIXEL else 1.0


def has_wrong_aspect(stream: Words) -> bool:
    """Whether the header states a pixel aspect ratio that no recorder produces."""
    return _pixel_aspect(stream) == 1.0 and str(stream.get("sample_aspect_ratio", "1:1")) not in ("1:1", "0:1", "N/A")


def audio_stream(stream: Words, track: Track) -> AudioStream:
    """The sound, from ffprobe's description and its packet tally."""
    return AudioStream(
        index=int(stream["index"]),
        codec=str(stream["codec_name"]),
        codec_string=codec_string(stream),
        sample_rate=int(stream.get("sample_rate") or 0),
        channels=int(stream.get("channels") or 0),
        packets=track.packets,
    )


def joined_video(videos: list[VideoStream], duration_ms: int) -> VideoStream | None:
    if len(videos) < 2:
        return videos[0] if videos else None
    frames = sum(video.frames for video in videos)
    return replace(
        max(videos, key=lambda video: video.width * video.height),
        alpha=any(video.alpha for video in videos),
        frames=frames,
        frame_rate=round(frames * 1000 / duration_ms, 3),
        key_frames=sum(video.key_frames for video in videos),
        max_key_interval_ms=max(video.max_key_interval_ms for video in videos),
    )


def joined_audio(audios: list[AudioStream]) -> AudioStream | None:
    if len(audios) < 2:
        return audios[0] if audios else None
    return replace(audios[0], packets=sum(audio.packets for audio in audios))
