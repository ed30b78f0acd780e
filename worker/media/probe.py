"""What is really in an uploaded file: its tracks, its true length, its holes. Reads everything, trusts no header."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from worker.media import boxes, ebml
from worker.media.binaries import Binaries
from worker.media.container import Part, detect_demuxer
from worker.media.errors import FfmpegFailed, MediaRejected
from worker.media.limits import DEFAULT_LIMITS, Demuxer, Limits, as_arguments, input_options
from worker.media.runner import Budget, never, run_ffprobe
from worker.media.streams import (
    ENTRIES,
    AudioStream,
    VideoStream,
    audio_stream,
    check_stream,
    first_stream,
    too_large_picture,
    unsupported_codec,
    video_stream,
)
from worker.media.timeline import Gap, Timeline, Track, too_long, zero_length

# Slowest disk that we wait for, bytes per second.
_READ_RATE = 5_000_000
# A later part of a file that is so bad holds nothing to lose, and must not take the good parts with it.
_FORGIVEN = frozenset({"zero-length", "no-playable-stream", "damaged"})


@dataclass(frozen=True)
class ProbedPart:
    """One recording of the file; nearly always there is one, the whole file."""

    part: Part
    duration_ms: int
    header_duration_ms: int | None
    video: VideoStream | None
    audio: AudioStream | None
    gaps: tuple[Gap, ...]
    truncated: bool


@dataclass(frozen=True)
class Probe:
    """What a recording is. Times are milliseconds, sizes bytes, `bit_rate` bits per second of the whole file.

    `duration_ms` is the truth, from the first packet to the end of the last one over both tracks and all `parts`;
    `header_duration_ms` is what the file claims (None: nothing). `gaps` are holes of more than a second in which
    neither track has anything. `truncated`: the end was cut off. At least one of `video` and `audio` is there.
    """

    container: Literal["webm", "matroska", "mp4"]
    demuxer: Demuxer
    video: VideoStream | None
    audio: AudioStream | None
    duration_ms: int
    header_duration_ms: int | None
    bit_rate: int
    size_bytes: int
    gaps: tuple[Gap, ...]
    truncated: bool
    parts: tuple[ProbedPart, ...]


def probe(
    path: Path, binaries: Binaries, *, limits: Limits = DEFAULT_LIMITS, should_stop: Callable[[], bool] = never
) -> Probe:
    """Read the whole file and say what it is.

    Raises MediaRejected when it is not a recording that can be used, and what the runner raises.
    """
    demuxer = detect_demuxer(path)
    skeleton = ebml if demuxer == "matroska" else boxes
    parts = skeleton.recording_parts(path)
    probed: list[ProbedPart] = []
    rejected: list[MediaRejected] = []
    for part in parts:
        address = str(path.absolute()) if len(parts) == 1 else part.address(path)
        try:
            found = _probe_part(address, part, demuxer, binaries, limits, should_stop)
        except MediaRejected as error:
            if error.reason not in _FORGIVEN:
                raise
            rejected.append(error)
        else:
            probed.append(replace(found, truncated=found.truncated or skeleton.is_cut_off(path, part)))
    if not probed:
        raise rejected[0]
    container: Literal["webm", "matroska", "mp4"] = (
        "mp4" if demuxer == "mov" else "webm" if ebml.doctype(path) == "webm" else "matroska"
    )
    whole = _join(container, demuxer, probed, path.stat().st_size, limits)
    return replace(whole, truncated=whole.truncated or any(error.reason == "damaged" for error in rejected))


def _probe_part(
    address: str,
    part: Part,
    demuxer: Demuxer,
    binaries: Binaries,
    limits: Limits,
    should_stop: Callable[[], bool],
) -> ProbedPart:
    """One recording: first its header, then every packet, line by line."""
    budget = Budget(wall_seconds=60 + part.length / _READ_RATE)
    source = [*as_arguments(input_options(demuxer, limits)), "-i", address]

    def read(arguments: list[str], on_lines: Callable[[list[str]], None]) -> str:
        try:
            return run_ffprobe(
                binaries, [*arguments, *source], budget=budget, on_lines=on_lines, should_stop=should_stop
            )
        except FfmpegFailed as error:
            if error.returncode < 0:
                raise
            raise _rejection(error.stderr, limits) from error

    text: list[str] = []
    complaints = read(["-show_entries", f"format=duration:{ENTRIES}", "-of", "json"], text.extend)
    if "max pixel count" in complaints:  # the decoder refused to look, so the size below is 0
        raise too_large_picture(f"more than {limits.max_pixels:,} pixels")
    if "exceeds max_streams" in complaints:
        raise MediaRejected("too-many-tracks", "The file has more tracks than any recorder makes. Upload another file.")
    header = json.loads("\n".join(text))
    streams = _chosen(header.get("streams", []), limits)
    timeline = Timeline(
        {str(stream["index"]): Track(is_video=kind == "video") for kind, stream in streams.items()}, limits
    )
    read(
        ["-show_entries", "packet=stream_index,pts_time,dts_time,duration_time,flags", "-of", "csv=p=0"], timeline.read
    )
    return _probed_part(part, header, streams, timeline)


def _rejection(complaint: str, limits: Limits) -> MediaRejected:
    """Why ffprobe would not read a file that begins like a recording."""
    refused = re.search(r"Codec \((\w+)\) not on whitelist", complaint)
    if refused:
        return unsupported_codec(refused[1])
    if "max pixel count" in complaint:
        return too_large_picture(f"more than {limits.max_pixels:,} pixels")
    if complaint.endswith("End of file"):
        return zero_length()
    return MediaRejected("damaged", "The recording is damaged and cannot be read. Upload it again, or record it anew.")


def _chosen(streams: list[Mapping[str, Any]], limits: Limits) -> dict[str, Mapping[str, Any]]:
    """The first video and the first audio stream, checked."""
    chosen = {kind: stream for kind in ("video", "audio") if (stream := first_stream(streams, kind)) is not None}
    if not chosen:
        raise MediaRejected(
            "no-playable-stream",
            "The file holds neither picture nor sound. Check that the recorder was given a screen or a microphone.",
        )
    for stream in chosen.values():
        check_stream(stream, limits)
    return chosen


def _probed_part(
    part: Part, header: Mapping[str, Any], streams: dict[str, Mapping[str, Any]], timeline: Timeline
) -> ProbedPart:
    tallies = {kind: timeline.tracks[str(stream["index"])] for kind, stream in streams.items()}
    video, audio = tallies.get("video"), tallies.get("audio")
    if not any(track.packets for track in tallies.values()):
        raise zero_length()
    # A single frame without a duration still is one.
    duration_ms = max(1, round(timeline.seconds * 1000))
    claimed = header.get("format", {}).get("duration")
    header_ms = round(float(claimed) * 1000) if claimed is not None else None
    return ProbedPart(
        part=part,
        duration_ms=duration_ms,
        header_duration_ms=header_ms,
        # A track without a packet is a promise that was not kept: a camera that never started.
        video=video_stream(streams["video"], video) if video is not None and video.packets else None,
        audio=audio_stream(streams["audio"], audio) if audio is not None and audio.packets else None,
        gaps=timeline.gaps_in_ms(),
        # ffmpeg's own Matroska headers tell the length that was; a browser's tell nothing.
        truncated=header_ms is not None and header_ms > duration_ms + 1000,
    )


def _join(
    container: Literal["webm", "matroska", "mp4"],
    demuxer: Demuxer,
    parts: list[ProbedPart],
    size: int,
    limits: Limits,
) -> Probe:
    """One probe of several parts, played one after another; the picture's size is the largest of them."""
    duration_ms = sum(part.duration_ms for part in parts)
    if duration_ms > limits.max_seconds * 1000:
        raise too_long(limits)
    gaps: list[Gap] = []
    before = 0
    for part in parts:
        gaps += [Gap(gap.start_ms + before, gap.length_ms) for gap in part.gaps]
        before += part.duration_ms
    return Probe(
        container=container,
        demuxer=demuxer,
        video=_joined_video([part.video for part in parts if part.video], duration_ms),
        audio=_joined_audio([part.audio for part in parts if part.audio]),
        duration_ms=duration_ms,
        header_duration_ms=parts[0].header_duration_ms if len(parts) == 1 else None,
        bit_rate=size * 8000 // duration_ms,
        size_bytes=size,
        gaps=tuple(gaps),
        truncated=any(part.truncated for part in parts),
        parts=tuple(parts),
    )


def _joined_video(videos: list[VideoStream], duration_ms: int) -> VideoStream | None:
    if len(videos) < 2:
        return videos[0] if videos else None
    _require_one_codec({video.codec for video in videos})
    frames = sum(video.frames for video in videos)
    return replace(
        max(videos, key=lambda video: video.width * video.height),
        alpha=any(video.alpha for video in videos),
        frames=frames,
        frame_rate=round(frames * 1000 / duration_ms, 3),
        key_frames=sum(video.key_frames for video in videos),
        max_key_interval_ms=max(video.max_key_interval_ms for video in videos),
    )


def _joined_audio(audios: list[AudioStream]) -> AudioStream | None:
    if len(audios) < 2:
        return audios[0] if audios else None
    # Opus packets say themselves how many channels they have; AAC and Vorbis need the header of their own part.
    _require_one_codec(
        {a.codec if a.codec == "opus" else f"{a.codec} {a.sample_rate} Hz {a.channels} channels" for a in audios}
    )
    return replace(audios[0], packets=sum(audio.packets for audio in audios))


def _require_one_codec(found: set[str]) -> None:
    if len(found) > 1:
        raise MediaRejected(
            "mixed-codecs",
            f"The file holds several recordings in different formats ({', '.join(sorted(found))}), "
            "which cannot be joined. Upload them one by one.",
        )
