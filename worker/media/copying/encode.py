"""Encode tracks that cannot be copied (H.264, AAC, Opus): ffmpeg's options, and the cost. Pure functions."""

from typing import Any

import ffmpeg

from worker.media.decoding.changing_size import ONE_GRAPH, fitted, padded
from worker.media.errors import MediaRejected
from worker.media.probing.probe import Probe
from worker.media.probing.streams import VideoStream
from worker.media.processes.budget import Budget

# A board and a face are readable at this size, and any phone decodes it.
_LONGEST_SIDE = 1280
_MAX_FRAMES_PER_SECOND = 30
# Pixels per second that two cores of a small machine decode and encode, at least.
_PIXELS_PER_SECOND = 20_000_000
_SOUND_SPEED = 20

# A picture that is only partly decodable is dropped; the one before it stays on screen.
STRICT_PICTURE = {"err_detect:v": "explode", **ONE_GRAPH}
PICTURE = {
    "c:v": "libx264",
    "preset": "superfast",
    "crf": 25,
    "pix_fmt": "yuv420p",
    "profile:v": "main",
    "force_key_frames": "expr:gte(t,n_forced*4)",
    "fps_mode": "vfr",
    "flags:v": "+bitexact",
    # Fixed, since the bytes depend on it: the same on every machine.
    "threads:v": 2,
}
SOUND = {
    "aac": {"c:a": "aac", "b:a": "96k", "ac": 2, "ar": 48000, "flags:a": "+bitexact"},
    "opus": {"c:a": "libopus", "b:a": "64k", "ac": 2, "ar": 48000, "flags:a": "+bitexact"},
}


def encoded_size(video: VideoStream) -> tuple[int, int]:
    """Width and height of the encoded picture: upright, square pixels, both even, no side longer than 1280."""
    width, height = video.shown_size
    share = min(1.0, _LONGEST_SIDE / max(width, height))
    return max(2, round(width * share / 2) * 2), max(2, round(height * share / 2) * 2)


def encoding_seconds(probed: Probe, *, picture: bool) -> float:
    """An upper bound of the seconds for encoding this recording, or only its sound unless `picture`."""
    seconds = probed.duration_ms / 1000
    cost = seconds / _SOUND_SPEED
    if picture and probed.video is not None:
        width, height = probed.video.width, probed.video.height
        cost += width * height * max(probed.video.frames, 1) / _PIXELS_PER_SECOND
    return cost


def affordable_seconds(size_bytes: int) -> int:
    """How long encoding a file of this size may take: 2 minutes and 20 s for each MB, at most half an hour."""
    return min(1800, 120 + size_bytes // 50_000)


def is_affordable(probed: Probe, *, picture: bool) -> bool:
    """Whether encoding this recording fits within the limit for a file of its size."""
    return encoding_seconds(probed, picture=picture) <= affordable_seconds(probed.size_bytes)


def is_too_expensive(codec: str) -> MediaRejected:
    """The rejection of a recording that would have to be encoded, and is too long for that."""
    return MediaRejected(
        "unsupported-codec",
        f"The recording uses the codec {codec}, which browsers cannot play, and it is too long to be converted here. "
        "Convert it to MP4 with H.264 and AAC and upload that, or record with VP8, VP9, AV1 or H.264.",
    )


def encode_budget(probed: Probe) -> Budget:
    """The resources that encoding may use."""
    seconds = affordable_seconds(probed.size_bytes)
    # 4 Mbit/s of picture and sound is more than this quality ever needs at this size.
    return Budget(
        wall_seconds=seconds,
        stall_seconds=60,
        file_bytes=64 * 1024 * 1024 + probed.duration_ms * 500 + probed.size_bytes,
    )


def picture_filters(picture: Any, video: VideoStream, size: tuple[int, int]) -> Any:
    """Scale the picture to `size`; one whose own size changes midway keeps its shape."""
    width, height = size
    upright = picture.filter("setsar", "1") if video.aspect_is_wrong else picture
    # At most this frame rate, and no frame twice: a still picture costs nothing.
    return padded(fitted(upright, width, height), width, height).filter(
        "select", f"isnan(prev_selected_t)+gte(t-prev_selected_t,{0.9 / _MAX_FRAMES_PER_SECOND:.4f})"
    )


def sound_filters(sounds: list[Any]) -> Any:
    """Mix tracks of sound into one, none made louder than it can be."""
    mixed = sounds[0] if len(sounds) == 1 else _mixed(sounds)
    # Gaps become silence, so that sound and picture stay in sync.
    return mixed.filter("aresample", **{"async": 1000})


def _mixed(sounds: list[Any]) -> Any:
    return ffmpeg.filter(sounds, "amix", inputs=len(sounds), normalize=0, duration="longest").filter(
        "alimiter", limit=0.95, level=0
    )
