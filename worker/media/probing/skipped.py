"""Whether packets follow one another in their file; where they do not, the reader skipped bytes."""

import math
import re
from dataclasses import dataclass

from worker.media.containers.container import Part
from worker.media.limits import Demuxer

# Between two blocks of a WebM or Matroska are only their own headers and a cluster's: up to 25 bytes as Chrome, OBS and
# ffmpeg write them.
_MAX_BETWEEN = 64
# Messages of ffmpeg's Matroska demuxer that give the position of an invalid element.
_COMPLAINT = re.compile(r"Element at 0x([0-9a-f]+) ending at|at pos \d+ \(0x([0-9a-f]+)\)")
# ffprobe's word for a missing value.
UNKNOWN = "N/A"


@dataclass
class Positions:
    """The positions of a recording's packets, in order.

    `between`: the maximum of bytes between two of them; None: any number, as in an MP4. `joints` are sorted positions,
    in what the reader sees, at which a range of the file was left out.
    """

    between: int | None = None
    joints: tuple[int, ...] = ()
    # The latest position at which the next packet may begin.
    _latest: float = math.inf

    def is_behind_skipped(self, position: str, size: str) -> bool:
        """Whether bytes were skipped before this packet, from its position and size as ffprobe prints them."""
        if position == UNKNOWN:
            return False
        at = int(position)
        skipped = at > self._latest
        if self.joints and at >= self.joints[0]:
            self.joints = tuple(joint for joint in self.joints if at < joint)
            skipped = True
        if self.between is not None:
            self._latest = at + int(size) + self.between
        return skipped


def positions_of(part: Part, demuxer: Demuxer, *, alpha: bool) -> Positions | None:
    """The rules for positions of packets in this recording; None: there are none."""
    joints, left_out = [], 0
    for start, end in () if part.pieces else part.holes:
        joints.append(start - part.offset - left_out)
        left_out += end - start
    # A transparent layer is stored between the packets, and may have any size.
    is_dense = (part.demuxer or demuxer) == "matroska" and not alpha
    return Positions(_MAX_BETWEEN if is_dense else None, tuple(joints)) if is_dense or joints else None


def positions_of_complaints(complaints: str) -> Positions | None:
    """The positions of damage in ffprobe's error messages; None: they contain none."""
    places = {int(element or number, 16) for element, number in _COMPLAINT.findall(complaints)}
    return Positions(None, tuple(sorted(places))) if places else None
