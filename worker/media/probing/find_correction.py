"""Find the correction of timestamps that go back, in one pass over the packets. Pure."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from worker.media.probing.correction import Correction, Packet
from worker.media.probing.repairs import Repair
from worker.media.probing.skipped import UNKNOWN
from worker.media.probing.track import Track

# How many packets are remembered, and how many upcoming ones are compared with them.
_REMEMBERED = 4000
_COMPARED = 30
_MOSTLY = 0.8
# Seconds by which a late chunk may begin before the hole that it fills.
_HOLE = 0.4
# Limits the length of bitstream filter expressions; a file that goes back more often is not corrected.
_MAX_EDITS = 20


def correct(packets: Sequence[Packet]) -> Correction | None:
    """The correction that makes time increase; None when none is needed or no simple one exists."""
    walk = _Walk(packets)
    for place in range(len(packets)):
        walk.step(place)
        if walk.edits > _MAX_EDITS:
            return None
    return walk.correction() if walk.edits else None


def correct_lines(lines: Sequence[str], tracks: Mapping[str, Track]) -> tuple[Correction | None, list[str]]:
    """As `correct`, for packets as ffprobe lists them (`PACKETS`); also returns the kept packets' lines, corrected.

    `tracks` are the tallies of the first pass, by stream index; packets of other streams are ignored.
    """
    rows = [fields for line in lines if (fields := line.split(",", 7))[0] in tracks and len(fields) >= 7]
    rows = [fields for fields in rows if fields[1] != UNKNOWN or fields[2] != UNKNOWN]
    packets = [_packet(fields, tracks[fields[0]]) for fields in rows]
    correction = correct(packets)
    if correction is None:
        return None, []
    counts: dict[int, int] = {}
    corrected: list[str] = []
    for packet, (index, _, _, duration, size, _, flags, *_) in zip(packets, rows, strict=True):
        number = counts.get(packet.stream, 0)
        counts[packet.stream] = number + 1
        shift = correction.shift(packet.stream, number)
        if shift is not None:
            order = UNKNOWN if packet.order is None else f"{packet.order + shift:.6f}"
            corrected.append(f"{index},{packet.at + shift:.6f},{order},{duration},{size},N/A,{flags}")
    return correction, corrected


def _packet(fields: list[str], track: Track) -> Packet:
    index, pts, dts, duration, size = fields[:5]
    stored = pts if dts == UNKNOWN and not track.reorders else dts
    return Packet(
        stream=int(index),
        at=float(dts if pts == UNKNOWN else pts),
        duration=0.0 if duration == UNKNOWN else float(duration),
        size=int(size),
        is_video=track.is_video,
        order=None if stored == UNKNOWN else float(stored),
    )


@dataclass
class _Walk:
    """The state of one pass over the packets."""

    packets: Sequence[Packet]
    edits: int = 0
    shift: float = 0.0
    # The end of what was accepted, over all streams.
    reached: float | None = None
    last: dict[int, float] = field(default_factory=dict)
    counts: dict[int, int] = field(default_factory=dict)
    drops: dict[int, list[tuple[int, int]]] = field(default_factory=dict)
    moves: dict[int, list[tuple[int, float]]] = field(default_factory=dict)
    repairs: list[Repair] = field(default_factory=list)
    _seen: deque[tuple[int, float, int]] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))
    _holes: list[tuple[float, float]] = field(default_factory=list)
    # Streams in which a repeated or late chunk is being dropped.
    _left_out: set[int] = field(default_factory=set)

    def step(self, place: int) -> None:
        packet = self.packets[place]
        number = self.counts.get(packet.stream, 0)
        self.counts[packet.stream] = number + 1
        if self._goes_back(packet):
            if packet.stream not in self._left_out:
                self._begin_edit(place, packet)
            if packet.stream in self._left_out:
                self._drop(packet.stream, number)
                return
            # The clock restarted, and this is the first packet since then.
            for stream in self.last:
                start = number if stream == packet.stream else self.counts[stream]
                self.moves.setdefault(stream, []).append((start, self.shift))
        self._left_out.discard(packet.stream)
        self._accept(packet)

    def _goes_back(self, packet: Packet) -> bool:
        last = self.last.get(packet.stream)
        if last is None or packet.order is None:
            return False
        at = packet.order + self.shift
        # The last packet of a repeated chunk is the last one that was accepted before it.
        return at <= last if packet.stream in self._left_out else at < last

    def _begin_edit(self, place: int, packet: Packet) -> None:
        self.edits += 1
        at = packet.at + self.shift
        reached = self.reached or 0.0
        if self._came_before(self.packets[place : place + _COMPARED]):
            self._left_out = set(self.last)
            self.repairs.append(Repair("repeated", at_ms=round(reached * 1000), length_ms=round((reached - at) * 1000)))
        elif any(start - _HOLE <= at < end for start, end in self._holes):
            self._left_out = set(self.last)
        else:
            self.shift += reached - at
            jump_ms = round((at - reached) * 1000)
            self.repairs.append(Repair("clock-jump", at_ms=round(reached * 1000), length_ms=jump_ms))

    def _came_before(self, upcoming: Sequence[Packet]) -> bool:
        """Whether these packets came before. Only pictures decide: packets of silence are all alike."""
        earlier = set(self._seen)
        # After a short repeated chunk, the upcoming packets are new.
        upcoming = [other for other in upcoming if other.at + self.shift <= (self.reached or 0.0)]
        known = [(other.stream, other.at, other.size) in earlier for other in upcoming]
        pictures = [is_known for is_known, other in zip(known, upcoming, strict=True) if other.is_video]
        return sum(known) >= _MOSTLY * len(known) and sum(pictures) >= _MOSTLY * len(pictures)

    def _drop(self, stream: int, number: int) -> None:
        drops = self.drops.setdefault(stream, [])
        if drops and drops[-1][1] == number:
            drops[-1] = drops[-1][0], number + 1
        else:
            drops.append((number, number + 1))

    def _accept(self, packet: Packet) -> None:
        at = packet.at + self.shift
        self._seen.append((packet.stream, packet.at, packet.size))
        if self.reached is not None and at - self.reached > _HOLE:
            self._holes.append((self.reached, at))
        if packet.order is not None:
            order = packet.order + self.shift
            self.last[packet.stream] = max(order, self.last.get(packet.stream, order))
        self.reached = max(self.reached or at, at + packet.duration)

    def correction(self) -> Correction:
        return Correction(self.drops, self.moves, tuple(self.repairs))
