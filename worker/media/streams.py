"""The tracks of a recording: which ones are used, and what ffprobe reports about them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from worker.media.codecs import codec_string
from worker.media.errors import MediaRejected
from worker.media.limits import Limits
from worker.media.packet_timeline import Track
from worker.media.playable import (
    COPIED_PICTURES,
    COPIED_SOUNDS,
    ENCODED_PICTURES,
    ENCODED_SOUNDS,
    unsupported_codec,
)
from worker.media.repairs import Repair

ENTRIES = (
    "stream=index,codec_name,codec_type,profile,level,width,height,pix_fmt,sample_rate,channels,mime_codec_string"
    ",sample_aspect_ratio,nb_read_packets:stream_tags=alpha_mode,ALPHA_MODE:stream_disposition=attached_pic,default"
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
    # The recorder kept a second, transparent layer (canvas recordings): players show their background through it.
    alpha: bool
    frames: int
    frame_rate: float
    key_frames: int
    max_key_interval_ms: int
    # Width of one pixel divided by its height.
    pixel_aspect: float = 1.0
    # The header states pixels of an impossible shape.
    aspect_is_wrong: bool = False

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


@dataclass(frozen=True)
class TrackSelection:
    """The tracks that are used, under `video` and `audio`; further tracks of sound; what is left out."""

    tracks: Mapping[str, Words]
    more_sounds: tuple[Words, ...]
    left_out: tuple[Repair, ...]


def choose_tracks(streams: list[Words], limits: Limits) -> TrackSelection:
    """The picture and the sound of a recording: those that can be played, then the default ones, then the first.

    A cover picture is no video, other tracks are left out, and a phone's data tracks are not reported. Raises
    MediaRejected when no picture and no sound is left, for a codec that can neither be copied nor encoded, and for a
    picture that is too large.
    """
    videos = _best_first([s for s in streams if s.get("codec_type") == "video" and not _is_cover(s)])
    audios = _best_first([s for s in streams if s.get("codec_type") == "audio"])
    if videos and audios and not _has_size(videos[0]):
        videos = []
    tracks = {kind: candidates[0] for kind, candidates in (("video", videos), ("audio", audios)) if candidates}
    if not tracks:
        raise MediaRejected(
            "no-playable-stream",
            "The file holds neither picture nor sound. Check that the recorder was given a screen or a microphone.",
        )
    for stream in tracks.values():
        _check(stream, limits)
    further = tuple(stream for stream in audios[1:] if _usable(stream))
    unused = [s for s in streams if s not in (*tracks.values(), *further) and s.get("codec_type") != "data"]
    return TrackSelection(tracks, further, tuple(left_out(s) for s in unused))


def left_out(stream: Words) -> Repair:
    """The repair that names a track that is not in the copy."""
    kind = "cover" if _is_cover(stream) else str(stream.get("codec_type", "data"))
    return Repair("track-left-out", track=kind, codec=str(stream.get("codec_name", "unknown")))


def _is_cover(stream: Words) -> bool:
    return bool(stream.get("disposition", {}).get("attached_pic"))


def _best_first(streams: list[Words]) -> list[Words]:
    return sorted(streams, key=lambda s: (not _usable(s), not s.get("disposition", {}).get("default"), s["index"]))


def _usable(stream: Words) -> bool:
    return stream.get("codec_name") in COPIED_PICTURES | COPIED_SOUNDS | ENCODED_PICTURES | ENCODED_SOUNDS


def _has_size(stream: Words) -> bool:
    return int(stream.get("width") or 0) > 0 and int(stream.get("height") or 0) > 0


def _check(stream: Words, limits: Limits) -> None:
    if not _usable(stream):
        raise unsupported_codec(str(stream.get("codec_name", "unknown")))
    if stream.get("codec_type") != "video":
        return
    width, height = int(stream.get("width") or 0), int(stream.get("height") or 0)
    if width * height > limits.max_pixels:
        raise too_large_picture(f"{width} x {height}")
    if not _has_size(stream):
        raise MediaRejected("damaged", "The recording's picture has no size. Record the lesson again.")


def too_large_picture(size: str) -> MediaRejected:
    """The rejection of a picture of this size."""
    return MediaRejected(
        "too-large-picture",
        f"The recording's picture is too large ({size}). Record at 4K (3840 x 2160) or less.",
    )


def video_stream(stream: Words, track: Track) -> VideoStream:
    """The picture, from ffprobe's description and the tally of its packets."""
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
    )


def has_alpha(stream: Words) -> bool:
    """Whether this track has a transparent layer."""
    tags = stream.get("tags", {})
    # Lower case from the track's header, upper case from a tag that ffmpeg writes into its copies.
    return "1" in (tags.get("alpha_mode"), tags.get("ALPHA_MODE"))


def _pixel_aspect(stream: Words) -> float:
    width, _, height = str(stream.get("sample_aspect_ratio", "1:1")).partition(":")
    if not (width.isdigit() and height.isdigit() and int(width) and int(height)):
        return 1.0
    aspect = int(width) / int(height)
    # Anamorphic video has up to 2; beyond that a header is wrong, and muxers refuse it.
    return aspect if 1 / _WIDEST_PIXEL <= aspect <= _WIDEST_PIXEL else 1.0


def has_wrong_aspect(stream: Words) -> bool:
    """Whether the header states pixels of a shape that no recorder makes."""
    return _pixel_aspect(stream) == 1.0 and str(stream.get("sample_aspect_ratio", "1:1")) not in ("1:1", "0:1", "N/A")


def audio_stream(stream: Words, track: Track) -> AudioStream:
    """The sound, from ffprobe's description and the tally of its packets."""
    return AudioStream(
        index=int(stream["index"]),
        codec=str(stream["codec_name"]),
        codec_string=codec_string(stream),
        sample_rate=int(stream.get("sample_rate") or 0),
        channels=int(stream.get("channels") or 0),
        packets=track.packets,
    )
