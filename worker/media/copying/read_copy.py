"""Read a fast copy: all packets are counted, those at both ends are listed."""

from dataclasses import dataclass
from pathlib import Path

from worker.media.containers.container import Part
from worker.media.probing.header import PartHeader, PartReading
from worker.media.probing.packet_timeline import PACKETS, Timeline
from worker.media.probing.playable import PlayableForm
from worker.media.probing.track import Track

# The maximum deviation of the copy's duration: less than anyone sees or hears.
TOLERANCE_MS = 100
# Enough for both tracks to have begun, even with reordered frames and the hidden lead-in of an MP4.
_FIRST_PACKETS = 200
# The last seconds reveal a copy that was cut off, and usually include the last packet of each track.
_TAIL_SECONDS = 5.0


@dataclass(frozen=True)
class CopyReading:
    """What was read from the copy: the shown packets of each track, and its real duration.

    `begun_ms` ends at the start of the last picture. Where the recorder states no duration for each picture of a WebM,
    ffmpeg guesses one from the frame rate: half a second or more for a still board.
    """

    header: PartHeader
    packets: dict[str, int]
    duration_ms: int
    begun_ms: int

    def differs(self, expected_ms: int, form: PlayableForm) -> bool:
        """Whether the duration differs from the expected one."""
        is_guessed = form.container == "webm" and form.video_encoder is None
        durations = (self.duration_ms, self.begun_ms) if is_guessed else (self.duration_ms,)
        return min(abs(duration_ms - expected_ms) for duration_ms in durations) > TOLERANCE_MS


def read_copy(copy: Path, reading: PartReading) -> CopyReading:
    """Read the copy. Raises MediaRejected when it cannot be read."""
    part = reading.header(copy, Part(0, copy.stat().st_size), count=True)
    tallies = {kind: Track(is_video=kind == "video") for kind in part.tracks}
    timeline = Timeline(
        {str(part.tracks[kind]["index"]): track for kind, track in tallies.items()}, reading.limits, whole=False
    )
    counts = {kind: int(part.tracks[kind].get("nb_read_packets", 0)) for kind in tallies}
    beginning, end = _ends(copy, part, reading, sum(counts.values()))
    timeline.read(beginning)
    # Before the tail is read: in a short copy, or one with a single key frame, the tail starts at the beginning.
    packets = {kind: counts[kind] - tally.hidden for kind, tally in tallies.items()}
    timeline.read(end)
    ends = (tally.last if tally.is_video else tally.end for tally in tallies.values() if tally.packets)
    excess = max(tally.end for tally in tallies.values()) - max(ends, default=0.0)
    return CopyReading(
        part, packets, max(1, round(timeline.seconds * 1000)), max(1, round((timeline.seconds - excess) * 1000))
    )


def _ends(copy: Path, header: PartHeader, reading: PartReading, count: int) -> tuple[list[str], list[str]]:
    """The first packets of a copy of `count` packets, and those of its last seconds, as ffprobe lists them."""
    lines: list[str] = []
    tail = max(0.0, (header.duration_ms or 0) / 1000 - _TAIL_SECONDS)
    intervals = f"%+#{_FIRST_PACKETS},{tail:.3f}%"
    reading.read(copy, header.part, ["-read_intervals", intervals, *PACKETS], lines.extend)
    first = min(_FIRST_PACKETS, count)
    return lines[:first], lines[first:]
