"""The true times of a recording, from its packets: browsers write no duration into headers, or a wrong one."""

from collections import deque
from dataclasses import dataclass, field

from worker.media.errors import MediaRejected, too_long
from worker.media.limits import Limits
from worker.media.probing.skipped import UNKNOWN, Positions
from worker.media.probing.track import Track

# A longer hole, without picture or sound, means that a chunk was lost: browsers write chunks of a second, and sound
# without a pause.
GAP_SECONDS = 0.5
_MAX_GAPS = 1000
# A longer hole in running sound is no lost chunk: the laptop slept while its clock continued. Without sound (or when it
# had ended before) a board on which nothing is drawn looks like a laptop that sleeps, unless the hole is longer than
# the second value.
JUMP_SECONDS = 60.0
SILENT_JUMP_SECONDS = 1800.0
_RUNNING_SECONDS = 2.0
_MAX_JUMPS = 20
# In a recording without sound, a picture may be missing where none comes for this long.
_PAUSE_SECONDS = 0.9
_MAX_PLACES = 20
# Damage within this many seconds is reported once.
_SAME_DAMAGE = 1.0
# The length of several packets of sound.
_HOLE = 0.1
# The sound and the picture of a chunk start and end at slightly different times.
_EDGE = 0.2
# How many pictures may come before the sound that belongs to them: two seconds at 60 a second, in a fragment of MP4.
_RECENT_PICTURES = 120


@dataclass(frozen=True)
class Gap:
    """A hole in the recording, in milliseconds from its start."""

    start_ms: int
    length_ms: int


@dataclass
class Timeline:
    """The result of one pass over the packets of a recording, in constant memory.

    `tracks` maps stream indexes to tallies; packets of other streams are ignored. `read` takes the lines of `ffprobe
    -show_entries packet=stream_index,pts_time,dts_time,duration_time,size,pos,flags -of csv=p=0`.
    """

    tracks: dict[str, Track]
    limits: Limits
    # Whether every packet is read. Otherwise a hole is neither a gap nor a jump of the clock.
    whole: bool = True
    # None: the positions of packets in the file prove nothing.
    positions: Positions | None = None
    gaps: list[tuple[float, float]] = field(default_factory=list)
    # Where the clock jumped, in the file's own time, and how far. All other times have these jumps subtracted.
    jumps: list[tuple[float, float]] = field(default_factory=list)
    # Where packets may be missing or in the wrong order.
    places: list[float] = field(default_factory=list)
    # Where the reader skipped bytes.
    skipped: list[float] = field(default_factory=list)
    # Short holes in the sound, caused by an inexact clock or by lost bytes.
    holes: list[float] = field(default_factory=list)
    went_back: bool = False
    _is_behind_skipped: bool = False
    # Times of the last pictures.
    _pictures: deque[float] = field(default_factory=lambda: deque(maxlen=_RECENT_PICTURES))
    packets: int = 0
    _covered: float | None = None

    def read(self, lines: list[str]) -> None:
        """Count these packets; raises MediaRejected when they are too many or last too long."""
        for line in lines:
            self._read_packet(line)
        self.packets += len(lines)
        if self.packets > self.limits.max_packets:
            raise MediaRejected(
                "too-many-frames",
                f"The recording has more than {self.limits.max_packets} frames. Record at a lower frame rate.",
            )
        if self.seconds > self.limits.max_seconds:
            raise too_long(self.limits)

    def _read_packet(self, line: str) -> None:
        # Runs for every packet of a recording, so other methods are called only in rare cases.
        fields = line.split(",", 7)
        if len(fields) < 7:
            return
        index, pts, dts, duration, size, position, flags = fields[:7]
        if self.positions is not None and self.positions.is_behind_skipped(position, size):
            self._is_behind_skipped = True
        track, time = self.tracks.get(index), dts if pts == UNKNOWN else pts
        if track is None or time == UNKNOWN:
            return
        if "D" in flags:
            track.hidden += 1
            return
        key = "K" in flags
        # Pictures before the first key frame cannot be shown, and a copy leaves them out.
        if not key and track.is_video and not track.packets:
            return
        start = self._on_running_clock(float(time))
        if self._is_behind_skipped:
            self._add_skipped(track, start)
        order = start if dts == time else self._order(track, start, dts)
        end = start if duration == UNKNOWN else start + float(duration)
        self._add(track, start, end, order, key=key)

    def _on_running_clock(self, start: float) -> float:
        if self.jumps or (self._covered is not None and start - self._covered > JUMP_SECONDS):
            self._close_jump(start)
            return self.without_jumps(start)
        return start

    def _add(self, track: Track, start: float, end: float, order: float, *, key: bool) -> None:
        if order >= track.order:
            track.order = order
        else:
            self.went_back = True
            self._add_place(track.last)
        if track.is_video:
            self._pictures.append(start)
            if self.gaps:
                self.gaps = [gap for gap in self.gaps if not _is_inside(start, gap)]
        elif start - track.end > _HOLE:
            self._find_gap(track, start)
        track.add(start, end, key=key)
        if self._covered is None or end > self._covered:
            self._cover(start, end)

    def _order(self, track: Track, start: float, dts: str) -> float:
        """The time by which a packet shown at `start` is stored; the track's last such time if unknown."""
        if dts != UNKNOWN:
            return self.without_jumps(float(dts)) if self.jumps else float(dts)
        return track.order if track.reorders else start

    def _add_skipped(self, track: Track, start: float) -> None:
        """Record that bytes were skipped before the packet at `start`; they may be the end of the packet before it."""
        self._is_behind_skipped = False
        before = start if self._covered is None else self._covered
        if len(self.skipped) < _MAX_PLACES and not any(abs(before - other) < _SAME_DAMAGE for other in self.skipped):
            self.skipped.append(before)
        self._add_place(track.last, apart=_EDGE)
        self._add_place(start, apart=_EDGE)

    def without_jumps(self, at: float) -> float:
        """A time of the file with the jumps of its clock subtracted."""
        return at - sum(length for edge, length in self.jumps if at >= edge)

    def _close_jump(self, start: float) -> None:
        if not self.whole or self._covered is None or len(self.jumps) >= _MAX_JUMPS:
            return
        hole = self.without_jumps(start) - self._covered
        sounds = [track for track in self.tracks.values() if not track.is_video]
        is_running = any(track.packets and self._covered - track.end <= _RUNNING_SECONDS for track in sounds)
        if hole > (JUMP_SECONDS if is_running else SILENT_JUMP_SECONDS):
            # In the middle of the hole, so that rounding affects neither side.
            self.jumps.append((start - hole / 2, hole))
            self._add_place(self._covered)

    def _cover(self, start: float, end: float) -> None:
        if self._covered is not None and start - self._covered > _PAUSE_SECONDS:
            self._add_place(start)
        self._covered = end

    def _find_gap(self, track: Track, start: float) -> None:
        """Record a hole in the sound before `start`: a gap if there is no picture in it either.

        Pictures may be stored before or after the hole. A picture alone may stand still for as long as nothing is
        drawn; sound comes without a pause.
        """
        if not self.whole or not track.packets:
            return
        gap = track.end, start - track.end
        if gap[1] <= GAP_SECONDS:
            if len(self.holes) < _MAX_PLACES:
                self.holes.append(start)
        elif len(self.gaps) < _MAX_GAPS and not any(_is_inside(picture, gap) for picture in self._pictures):
            self.gaps.append(gap)
            self._add_place(start)

    def _add_place(self, place: float, apart: float = GAP_SECONDS) -> None:
        if len(self.places) < _MAX_PLACES and not any(abs(place - other) < apart for other in self.places):
            self.places.append(place)

    @property
    def first(self) -> float:
        """The start of the earliest track."""
        return min((track.first for track in self.tracks.values() if track.packets), default=0.0)

    @property
    def seconds(self) -> float:
        """Seconds from the first packet of either track to the end of the last one."""
        return max((track.end for track in self.tracks.values() if track.packets), default=0.0) - self.first

    def gaps_in_ms(self) -> tuple[Gap, ...]:
        """The gaps, counted from the start of the recording."""
        return tuple(Gap(round((at - self.first) * 1000), round(length * 1000)) for at, length in self.gaps)

    def skipped_in_ms(self) -> tuple[int, ...]:
        """Where bytes were skipped outside gaps, counted from the start of the recording."""
        near = [
            at
            for at in self.skipped
            if not any(start - _SAME_DAMAGE < at < start + length + _SAME_DAMAGE for start, length in self.gaps)
        ]
        return tuple(max(0, round((at - self.first) * 1000)) for at in near)

    def jumps_in_ms(self) -> tuple[Gap, ...]:
        """The jumps of the clock, counted from the start of the recording."""
        # An edge is half a jump after the last packet before it.
        jumps = [(self.without_jumps(edge) + length / 2 - self.first, length) for edge, length in self.jumps]
        return tuple(Gap(round(at * 1000), round(length * 1000)) for at, length in jumps)


def _is_inside(at: float, gap: tuple[float, float]) -> bool:
    """Whether a picture begins inside this hole, and not at one of its edges."""
    start, length = gap
    return start + _EDGE < at < start + length - _EDGE


# One line per packet, as Timeline reads them.
PACKETS = ["-show_entries", "packet=stream_index,pts_time,dts_time,duration_time,size,pos,flags", "-of", "csv=p=0"]
