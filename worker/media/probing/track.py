"""One track of a recording, as its packets show it."""

import math
from dataclasses import dataclass


@dataclass
class Track:
    """The running tally of one track; times are seconds of the file."""

    is_video: bool
    packets: int = 0
    keys: int = 0
    first: float = 0.0
    last: float = 0.0
    end: float = 0.0
    last_key: float = 0.0
    key_interval: float = 0.0
    # Its pictures may be stored in another order than they are shown (B-frames): only decoding times tell that order.
    reorders: bool = False
    # The latest decoding time.
    order: float = -math.inf
    # Packets that an edit list of MP4 hides; they are in no other count.
    hidden: int = 0

    def add(self, start: float, end: float, *, key: bool) -> None:
        """Count one packet."""
        if not self.packets:
            self.first = self.last_key = start
        elif start < self.first:
            self.first = start
        self.packets += 1
        # The end of the packet shown last: the durations of others derive from decoding times, and may be anything.
        if self.packets == 1 or start >= self.last:
            self.last, self.end = start, end
        if key:
            self.keys += 1
            self.key_interval = max(self.key_interval, start - self.last_key)
            self.last_key = start

    @property
    def longest_key_interval(self) -> float:
        """The longest stretch between points where playback can start, including the last one to the end."""
        return max(self.key_interval, self.end - self.last_key)

    @property
    def packet_rate(self) -> float:
        """Packets per second on average; 0 for a single one."""
        return (self.packets - 1) / (self.last - self.first) if self.last > self.first else 0.0
