"""Bytes of no known kind: the sentence that rejects them, and whether they are the middle of a recording."""

import codecs

from worker.media.errors import MediaRejected
from worker.media.limits import Demuxer

_CLUSTER = b"\x1f\x43\xb6\x75"
# A Timecode element follows a Cluster's size; that tells a Cluster from four bytes that occur by chance.
_TIMECODE = 0xE7
# Boxes that come next in a fragmented MP4 whose first chunk is missing.
_CONTINUATIONS = frozenset({b"moof", b"styp", b"sidx"})


class UnknownFormat(MediaRejected):
    """The first bytes are of no known kind; a recording may still follow them."""


def refuse(head: bytes) -> Demuxer:
    if lacks_beginning(head):
        raise UnknownFormat(
            "missing-init",
            "The beginning of the recording is missing, and without it nothing can be played. "
            "Send the upload again from its first chunk.",
        )
    if _is_page(head):
        raise UnknownFormat(
            "not-a-recording",
            "This is a web page, not a recording: the download of the recording failed. Fetch it again and upload it.",
        )
    if _is_text(head[:1024]):
        raise UnknownFormat("not-a-recording", "This is a text, not a recording. Upload the file the recorder made.")
    raise UnknownFormat(
        "not-a-recording",
        "This is not a WebM, Matroska, MP4 or Ogg recording. Upload the file that the recorder made.",
    )


def is_document(head: bytes) -> bool:
    """Whether these are the first bytes of a web page or of a text."""
    return _is_page(head) or _is_text(head[:1024])


def lacks_beginning(head: bytes) -> bool:
    """Whether these bytes are from the middle of a recording."""
    return head[4:8] in _CONTINUATIONS or _has_cluster(head)


def _is_page(head: bytes) -> bool:
    start = head[:1024].lstrip(b"\xef\xbb\xbf \r\n\t").lower()
    return start.startswith((b"<!doctype", b"<html", b"<?xml", b"<head", b"<body"))


def _is_text(head: bytes) -> bool:
    return len(head) > 3 and all(byte >= 0x20 or byte in b"\t\r\n" for byte in head) and _is_utf8(head)


def _is_utf8(head: bytes) -> bool:
    try:
        # The last character may be incomplete.
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
    return True


def _has_cluster(head: bytes) -> bool:
    """Whether a Matroska Cluster begins somewhere in these bytes (RFC 9559 §5.1.3)."""
    at = head.find(_CLUSTER)
    while at >= 0:
        # The size takes 1 to 8 bytes: one more than the first byte has leading zero bits.
        size_at = at + len(_CLUSTER)
        timecode_at = size_at + 9 - head[size_at].bit_length() if size_at < len(head) else len(head)
        if timecode_at < len(head) and head[timecode_at] == _TIMECODE:
            return True
        at = head.find(_CLUSTER, at + 1)
    return False
