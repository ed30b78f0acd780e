"""Reject what is certainly no recording by its first bytes, before the rest is sent."""

from worker.media.containers.kinds import demuxer_of
from worker.media.containers.unknown_kinds import UnknownFormat, is_document
from worker.media.errors import MediaRejected

# The decision on this many bytes does not change when more follow.
ENOUGH = 1024


def refuse_other_files(head: bytes, more_follow: bool) -> None:
    """Raise MediaRejected for the start of a picture, an archive, a page, a text, or a format that is not read.

    Other unknown bytes pass: a recording may follow them, and the ingest searches for it.
    """
    try:
        demuxer_of(head)
    except UnknownFormat:
        if is_document(head) and (len(head) >= ENOUGH or not more_follow):
            raise
    except MediaRejected:
        if head:
            raise
