"""Timestamps that go back in a file: a chunk was sent twice or too late, or the clock restarted at zero.

ffmpeg's muxers do not distinguish these cases; they shift every such packet to after the one before it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from worker.media.probing.repairs import Repair


@dataclass(frozen=True)
class Packet:
    """One packet in the order of the file; times are seconds."""

    stream: int
    at: float
    duration: float
    size: int
    is_video: bool
    # Its decoding time, by which packets are stored; None: unknown, so that its position proves nothing.
    order: float | None


@dataclass(frozen=True)
class Correction:
    """The changes to the packets of each stream, by packet number from 0.

    `drops` holds ranges `[from, until)`; `moves` holds (number, seconds): packets from that number on are that much
    later than the file states.
    """

    drops: Mapping[int, Sequence[tuple[int, int]]]
    moves: Mapping[int, Sequence[tuple[int, float]]]
    repairs: tuple[Repair, ...] = ()

    def shift(self, stream: int, number: int) -> float | None:
        """By how many seconds this packet is moved; None: it is dropped."""
        if any(start <= number < end for start, end in self.drops.get(stream, ())):
            return None
        return next((by for start, by in reversed(self.moves.get(stream, ())) if number >= start), 0.0)

    def filters(self, stream: int) -> list[str]:
        """The changes as bitstream filters for an input of ffmpeg; empty when the stream is unchanged."""
        filters: list[str] = []
        moves = self.moves.get(stream, ())
        if moves:
            steps = zip([0.0, *(by for _, by in moves)], moves, strict=False)
            terms = "".join(f"+gte(N,{start})*{by - before:.6f}/TB" for before, (start, by) in steps)
            filters.append(f"setts=ts='TS{terms}'")
        drops = self.drops.get(stream, ())
        if drops:
            filters.append(f"noise=drop='{'+'.join(f'between(n,{start},{end - 1})' for start, end in drops)}'")
        return filters
