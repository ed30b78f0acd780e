"""What a file is by its first bytes, and the recordings that lie one after another in it."""

from dataclasses import dataclass
from pathlib import Path

from worker.media.errors import MediaRejected
from worker.media.limits import Demuxer

EBML_MAGIC = b"\x1a\x45\xdf\xa3"
OGG_MAGIC = b"OggS"
_CLUSTER = b"\x1f\x43\xb6\x75"
# A Timecode element follows a Cluster's size, so a Cluster found in the middle of nowhere can be trusted.
_TIMECODE = 0xE7
# Boxes that a fragmented MP4 continues with when its first chunk is gone.
_CONTINUATIONS = (b"moof", b"mdat", b"styp", b"sidx")
_SNIFFED = 1024 * 1024

# Reloads of one lesson's page. Each part is remuxed by a run of its own, so the number is bounded.
MAX_PARTS = 200


@dataclass(frozen=True)
class Part:
    """One recording inside a file: the range of its bytes."""

    offset: int
    length: int

    def address(self, path: Path) -> str:
        """What ffmpeg opens to read just this: the file itself, or a range of it (ffmpeg protocol `subfile`)."""
        if self.length == path.stat().st_size:
            return str(path.absolute())
        return f"subfile,,start,{self.offset},end,{self.offset + self.length},,:{path.absolute()}"


def detect_demuxer(path: Path) -> Demuxer:
    """The demuxer for this file, by its bytes and never by its name or MIME type; MediaRejected when there is none."""
    with path.open("rb") as file:
        head = file.read(_SNIFFED)
    if not head:
        raise MediaRejected("empty", "The file is empty. Record the lesson again, or upload the right file.")
    if head.startswith(EBML_MAGIC):
        return "matroska"
    if head[4:8] == b"ftyp":
        return "mov"
    if head.startswith(OGG_MAGIC):
        return "ogg"
    if head[4:8] in _CONTINUATIONS or _has_cluster(head):
        raise MediaRejected(
            "missing-init",
            "The beginning of the recording is missing, and without it nothing can be played. "
            "Send the upload again from its first chunk.",
        )
    raise MediaRejected(
        "not-a-recording",
        "This is not a WebM, Matroska, MP4 or Ogg recording. Upload the file that the browser's recorder made.",
    )


def _has_cluster(head: bytes) -> bool:
    """Whether a Matroska Cluster begins somewhere in these bytes (RFC 9559 §5.1.3)."""
    at = head.find(_CLUSTER)
    while at >= 0:
        # Its size takes 1 to 8 bytes, as the leading zero bits of the first one say.
        size_at = at + len(_CLUSTER)
        timecode_at = size_at + 9 - head[size_at].bit_length() if size_at < len(head) else len(head)
        if timecode_at < len(head) and head[timecode_at] == _TIMECODE:
            return True
        at = head.find(_CLUSTER, at + 1)
    return False
