"""True times of a recording, from its packets: headers of browser recordings hold none, or a wrong one."""

from dataclasses import dataclass, field

from worker.media.errors import MediaRejected
from worker.media.limits import Limits

# A hole longer than this, where neither picture nor sound is, means that a chunk was lost.
GAP_SECONDS = 1.0
_MAX_GAPS = 1000
# How ffprobe writes a time that there is none of.
_UNKNOWN = "N/A"


@dataclass(frozen=True)
class Gap:
    """A hole in the recording, in milliseconds from its beginning."""

    start_ms: int
    length_ms: int


@dataclass
class Track:
    """The running tally of one track; times are seconds as they stand in the file."""

    is_video: bool
    packets: int = 0
    keys: int = 0
    first: float = 0.0
    last: float = 0.0
    end: float = 0.0
    last_key: float = 0.0
    key_interval: float = 0.0
    # Packets that an edit list of MP4 says are never shown; they are in no other figure.
    hidden: int = 0

    def add(self, start: float, end: float, *, key: bool) -> None:
        """Count one packet."""
        if not self.packets:
            self.first = self.last_key = start
        elif start < self.first:
            self.first = start
        self.packets += 1
        self.last = max(self.last, start) if self.packets > 1 else start
        self.end = max(self.end, end) if self.packets > 1 else end
        if key:
            self.keys += 1
            self.key_interval = max(self.key_interval, start - self.last_key)
            self.last_key = start

    @property
    def longest_key_interval(self) -> float:
        """The longest stretch between points where playing can begin, the last one to the end included."""
        return max(self.key_interval, self.end - self.last_key)

    @property
    def packet_rate(self) -> float:
        """Packets per second on average; 0 for a single one."""
        return (self.packets - 1) / (self.last - self.first) if self.last > self.first else 0.0


@dataclass
class Timeline:
    """All that a pass over the packets of a recording tells, in constant memory.

    `tracks` maps the stream's index to its tally; packets of other streams are passed over. Feed it with the lines
    of `ffprobe -show_entries packet=stream_index,pts_time,dts_time,duration_time,flags -of csv=p=0`.
    """

    tracks: dict[str, Track]
    limits: Limits
    gaps: list[tuple[float, float]] = field(default_factory=list)
    _packets: int = 0
    _covered: float | None = None

    def read(self, lines: list[str]) -> None:
        """Count these packets; raises MediaRejected when they are too many or last too long."""
        for line in lines:
            self._read_packet(line)
        self._packets += len(lines)
        if self._packets > self.limits.max_packets:
            raise MediaRejected(
                "too-many-frames",
                f"The recording has more than {self.limits.max_packets} frames. Record at a lower frame rate.",
            )
        if self.seconds > self.limits.max_seconds:
            raise too_long(self.limits)

    def _read_packet(self, line: str) -> None:
        fields = line.split(",", 5)
        if len(fields) < 5:
            return
        index, pts, dts, duration, flags = fields[:5]
        track = self.tracks.get(index)
        if track is None:
            return
        if "D" in flags:
            track.hidden += 1
            return
        key = "K" in flags
        # Pictures before the first key frame cannot be shown, and a copy leaves them out.
        if track.is_video and not track.packets and not key:
            return
        when = dts if pts == _UNKNOWN else pts
        if when == _UNKNOWN:
            return
        start = float(when)
        end = start if duration == _UNKNOWN else start + float(duration)
        track.add(start, end, key=key)
        self._cover(start, end)

    def _cover(self, start: float, end: float) -> None:
        if self._covered is None:
            self._covered = end
            return
        if start - self._covered > GAP_SECONDS and len(self.gaps) < _MAX_GAPS:
            self.gaps.append((self._covered, start - self._covered))
        self._covered = max(self._covered, end)

    @property
    def first(self) -> float:
        """When the earliest track begins."""
        return min((track.first for track in self.tracks.values() if track.packets), default=0.0)

    @property
    def seconds(self) -> float:
        """From the first packet of either track to the end of the last one."""
        return max((track.end for track in self.tracks.values() if track.packets), default=0.0) - self.first

    def gaps_in_ms(self) -> tuple[Gap, ...]:
        """The holes, counted from the beginning of the recording."""
        return tuple(Gap(round((at - self.first) * 1000), round(length * 1000)) for at, length in self.gaps)


def too_long(limits: Limits) -> MediaRejected:
    """The rejection of a recording that lasts longer than these limits allow."""
    longest = (
        f"{limits.max_seconds / 3600:g} hours" if limits.max_seconds >= 3600 else f"{limits.max_seconds:g} seconds"
    )
    return MediaRejected("too-long", f"The recording is longer than {longest}. Cut it and upload the parts one by one.")


def zero_length() -> MediaRejected:
    """The rejection of a recording without a single packet."""
    return MediaRejected(
        "zero-length", "The recording holds no picture and no sound: it was stopped before anything was recorded."
    )
