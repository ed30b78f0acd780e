"""What is really in an uploaded file: its tracks, its true length, its holes. Reads everything, trusts no header."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from worker.media.binaries import Binaries
from worker.media.container import Part
from worker.media.errors import MediaRejected
from worker.media.header import FORGIVEN, SKELETONS, Container, Header, PartHeader, PartReading, read_header
from worker.media.limits import DEFAULT_LIMITS, Demuxer, Limits
from worker.media.repairs import Repair
from worker.media.runner import never
from worker.media.streams import AudioStream, VideoStream, audio_stream, video_stream
from worker.media.timeline import Gap, Timeline, Track, too_long, zero_length

# One line for each packet, as Timeline reads them.
PACKETS = ["-show_entries", "packet=stream_index,pts_time,dts_time,duration_time,flags", "-of", "csv=p=0"]


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

    container: Container
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

    @property
    def repairs(self) -> tuple[Repair, ...]:
        """What of the recording is missing."""
        gaps = [Repair("gap", at_ms=gap.start_ms, length_ms=gap.length_ms) for gap in self.gaps]
        return (*gaps, *([Repair("cut-off", at_ms=self.duration_ms)] if self.truncated else []))


def probe(
    path: Path, binaries: Binaries, *, limits: Limits = DEFAULT_LIMITS, should_stop: Callable[[], bool] = never
) -> Probe:
    """Read the whole file and say what it is.

    Raises MediaRejected when it is not a recording that can be used, and what the runner raises.
    """
    header = read_header(path, binaries, limits=limits, should_stop=should_stop)
    return read_packets(path, header, binaries, limits=limits, should_stop=should_stop)


def read_packets(
    path: Path,
    header: Header,
    binaries: Binaries,
    *,
    limits: Limits = DEFAULT_LIMITS,
    should_stop: Callable[[], bool] = never,
) -> Probe:
    """Read the file whose beginning is `header` to its end and say what it is. Raises as `probe`."""
    reading = PartReading(header.demuxer, binaries, limits, should_stop)
    is_cut_off = SKELETONS[header.demuxer].is_cut_off
    probed: list[ProbedPart] = []
    rejected = list(header.rejected)
    for part in header.parts:
        try:
            found = _probe_part(path, part, reading)
        except MediaRejected as error:
            if error.reason not in FORGIVEN:
                raise
            rejected.append(error)
        else:
            probed.append(replace(found, truncated=found.truncated or is_cut_off(path, part.part)))
    if not probed:
        raise rejected[0]
    whole = _join(header, probed, limits)
    return replace(whole, truncated=whole.truncated or any(error.reason == "damaged" for error in rejected))


def _probe_part(path: Path, header: PartHeader, reading: PartReading) -> ProbedPart:
    """Every packet of one recording, line by line."""
    tallies = {kind: Track(is_video=kind == "video") for kind in header.tracks}
    timeline = Timeline({str(header.tracks[kind]["index"]): track for kind, track in tallies.items()}, reading.limits)
    reading.read(path, header.part, PACKETS, timeline.read)
    video, audio = tallies.get("video"), tallies.get("audio")
    if not any(track.packets for track in tallies.values()):
        raise zero_length()
    # A single frame without a duration still is one.
    duration_ms = max(1, round(timeline.seconds * 1000))
    claimed_ms = header.duration_ms
    return ProbedPart(
        part=header.part,
        duration_ms=duration_ms,
        header_duration_ms=claimed_ms,
        # A track without a packet is a promise that was not kept: a camera that never started.
        video=video_stream(header.tracks["video"], video) if video is not None and video.packets else None,
        audio=audio_stream(header.tracks["audio"], audio) if audio is not None and audio.packets else None,
        gaps=timeline.gaps_in_ms(),
        # ffmpeg's own Matroska headers tell the length that was; a browser's tell nothing.
        truncated=claimed_ms is not None and claimed_ms > duration_ms + 1000,
    )


def _join(header: Header, parts: list[ProbedPart], limits: Limits) -> Probe:
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
        container=header.container,
        demuxer=header.demuxer,
        video=_joined_video([part.video for part in parts if part.video], duration_ms),
        audio=_joined_audio([part.audio for part in parts if part.audio]),
        duration_ms=duration_ms,
        header_duration_ms=parts[0].header_duration_ms if len(parts) == 1 else None,
        bit_rate=header.size_bytes * 8000 // duration_ms,
        size_bytes=header.size_bytes,
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
