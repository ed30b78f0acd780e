"""Whether packets lie one behind another in their file: where they do not, a reader passed over bytes."""

import math
import re
from dataclasses import dataclass

from worker.media.container import Part
from worker.media.limits import Demuxer

# Between two blocks of a WebM or Matroska stand their own headers and that of a cluster: up to 25 bytes as Chrome,
# OBS and ffmpeg write them.
_MOST_BETWEEN = 64
# How the demuxer of Matroska names the place of an element that cannot be one.
_COMPLAINT = re.compile(r"Element at 0x([0-9a-f]+) ending at|at pos \d+ \(0x([0-9a-f]+)\)")
# How ffprobe writes what there is none of.
UNKNOWN = "N/A"


@dataclass
class Positions:
    """Where the packets of one recording lie, told one after another.

    `between`: so many bytes may lie between two of them; None: any number, as in an MP4. `joints` are places, sorted,
    at which a range of bytes was left out of what the reader sees.
    """

    between: int | None = None
    joints: tuple[int, ...] = ()
    # Where the next packet must begin at the latest.
    _latest: float = math.inf

    def is_behind_skipped(self, position: str, size: str) -> bool:
        """Whether bytes were passed over between the packets before and this one, by ffprobe's words of it."""
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
    """What is known of the places of packets in this recording; None: nothing."""
    joints, left_out = [], 0
    for start, end in () if part.pieces else part.holes:
        joints.append(start - part.offset - left_out)
        left_out += end - start
    # A transparent layer stands between the packets, and has any size.
    is_dense = (part.demuxer or demuxer) == "matroska" and not alpha
    return Positions(_MOST_BETWEEN if is_dense else None, tuple(joints)) if is_dense or joints else None


def positions_of_complaints(complaints: str) -> Positions | None:
    """The damage that ffprobe found in a WebM whose packets may lie anywhere; None: no place of any."""
    places = {int(element or number, 16) for element, number in _COMPLAINT.findall(complaints)}
    return Positions(None, tuple(sorted(places))) if places else None
