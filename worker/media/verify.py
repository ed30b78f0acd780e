"""Whether the fast copy is the recording: all its packets are read and counted, and its two ends are looked at.

A list of every packet would tell no more of what is compared here, and takes ffprobe three times as long to print.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from worker.media import boxes, ebml
from worker.media.binaries import Binaries
from worker.media.container import Part, detect_demuxer
from worker.media.errors import MediaRejected, OutputDamaged
from worker.media.header import PartHeader, PartReading, container_of
from worker.media.limits import Demuxer, Limits
from worker.media.playable import playable_form
from worker.media.probe import PACKETS, Probe
from worker.media.runner import never
from worker.media.streams import AudioStream, VideoStream
from worker.media.timeline import Timeline, Track

# The copy's length may differ from the truth by less than anyone can see or hear.
TOLERANCE_MS = 100
# Both tracks have begun by then, reordered frames and the hidden lead-in of an MP4 included.
_FIRST_PACKETS = 200
# Looked at from here to the end: a copy that is cut off shows it, and the last packet of each track is most likely in.
_TAIL_SECONDS = 5.0


@dataclass(frozen=True)
class Copy:
    """A fast copy that was found whole. Milliseconds, bytes, `bit_rate` bits per second of the whole file.

    `video` and `audio` are those of the recording, all of whose packets it holds, in the size that the copy states.
    """

    video: VideoStream | None
    audio: AudioStream | None
    duration_ms: int
    size_bytes: int

    @property
    def bit_rate(self) -> int:
        """Of the whole file."""
        return self.size_bytes * 8000 // self.duration_ms


@dataclass(frozen=True)
class _Reading:
    """What was found in the copy: packets that are shown of each kind, and how long it really is."""

    header: PartHeader
    packets: dict[str, int]
    duration_ms: int


def verify_copy(copy: Path, probed: Probe, binaries: Binaries, *, should_stop: Callable[[], bool] = never) -> Copy:
    """Read the copy as if a stranger had sent it and compare it with the recording that was to be copied.

    Raises OutputDamaged and what the runner raises.
    """
    limits = Limits(max_seconds=math.inf)
    try:
        demuxer = detect_demuxer(copy)
        found = _read(copy, PartReading(demuxer, binaries, limits, should_stop))
    except MediaRejected as error:
        raise OutputDamaged(f"The copy of the recording cannot be read: {error.detail}") from error
    faults = [*_missing(found, probed), *_wrong_lengths(found, probed), *_misfits(copy, demuxer, probed)]
    if faults:
        raise OutputDamaged(f"The copy of the recording is not right: {'; '.join(faults)}.")
    picture = found.header.tracks.get("video")
    video = (
        probed.video and replace(probed.video, width=picture["width"], height=picture["height"]) if picture else None
    )
    return Copy(video, probed.audio, found.duration_ms, found.header.part.length)


def _read(copy: Path, reading: PartReading) -> _Reading:
    part = reading.header(copy, Part(0, copy.stat().st_size))
    tallies = {kind: Track(is_video=kind == "video") for kind in part.tracks}
    timeline = Timeline({str(part.tracks[kind]["index"]): track for kind, track in tallies.items()}, reading.limits)

    def look(interval: str) -> None:
        reading.read(copy, part.part, ["-read_intervals", interval, *PACKETS], timeline.read)

    look(f"%+#{_FIRST_PACKETS}")
    # Taken now: in a short copy, or one with a single key frame, the look at the end begins at the beginning.
    hidden = {kind: tally.hidden for kind, tally in tallies.items()}
    look(f"{max(0.0, (part.duration_ms or 0) / 1000 - _TAIL_SECONDS):.3f}%")
    counts = _count(copy, part, reading)
    packets = {kind: counts[str(part.tracks[kind]["index"])] - hidden[kind] for kind in tallies}
    return _Reading(part, packets, max(1, round(timeline.seconds * 1000)))


def _count(copy: Path, header: PartHeader, reading: PartReading) -> dict[str, int]:
    """Packets by the index of their track."""
    lines: list[str] = []
    words = ["-count_packets", "-show_entries", "stream=index,nb_read_packets", "-of", "csv=p=0"]
    reading.read(copy, header.part, words, lines.extend)
    rows = [line.split(",") for line in lines]
    # `N/A`: not one.
    return {index: int(count) if count.isdigit() else 0 for index, count, *_ in (row for row in rows if len(row) > 1)}


def _missing(found: _Reading, original: Probe) -> list[str]:
    """What the copy lacks, in words."""
    faults: list[str] = []
    for kind, name, stream in (("video", "picture", original.video), ("audio", "sound", original.audio)):
        track = found.header.tracks.get(kind)
        codec = track["codec_name"] if track else None
        if codec != (stream and stream.codec):
            faults.append(f"its {name} is {codec}, not {stream and stream.codec}")
    if original.video and found.packets.get("video", 0) < original.video.frames:
        faults.append(f"it has {found.packets.get('video', 0)} of {original.video.frames} frames")
    if original.audio and found.packets.get("audio", 0) < original.audio.packets:
        faults.append(f"it has {found.packets.get('audio', 0)} of {original.audio.packets} packets of sound")
    return faults


def _wrong_lengths(found: _Reading, original: Probe) -> list[str]:
    # A single picture without a duration: WebM then states no length at all.
    stated = 0 if found.header.duration_ms is None else found.header.duration_ms
    return [
        f"its {name} length is {length} ms, not {original.duration_ms} ms"
        for name, length in (("real", found.duration_ms), ("stated", stated))
        if abs(length - original.duration_ms) > TOLERANCE_MS
    ]


def _misfits(copy: Path, demuxer: Demuxer, original: Probe) -> list[str]:
    """What a player would stumble over."""
    container, wanted = container_of(copy, demuxer), playable_form(original).container
    in_front = boxes.moov_is_in_front if demuxer == "mov" else ebml.cues_are_in_front
    return [
        *([] if container == wanted else [f"it is {container}, not {wanted}"]),
        *([] if in_front(copy) else ["its index is not in front"]),
    ]
