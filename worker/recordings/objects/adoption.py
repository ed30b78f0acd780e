"""Plan the adoption of a recording: what the names of its objects say about it. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from worker.recordings.objects.names import FOLDER, LARGEST_ID
from worker.storage.objects import StoredObject

_NAME = re.compile(
    re.escape(FOLDER) + r"session_(?P<session>[1-9]\d{0,9})/recording_(?P<recording>[1-9]\d{0,9})/"
    r"(?P<digest>[0-9a-f]{12})/(?P<file>source\.\w{2,4}|play/playback(?:-\w+)?\.(?:webm|mp4))",
    re.ASCII,
)
# What objects do not say.
UNKNOWN = ("title", "type", "who recorded it", "captions", "chapters a tutor wrote", "shares")


@dataclass(frozen=True)
class AdoptionPlan:
    """Objects below one prefix, and the one whose bytes become the recording again."""

    recording_id: int
    session_id: int
    object_name: str
    sha1: str
    size: int
    # The time of the earliest upload, since no object says when the recording began.
    uploaded_at: datetime
    objects: int

    @property
    def is_source(self) -> bool:
        """Whether the bytes are the uploaded ones rather than the fast copy."""
        return "/play/" not in self.object_name


def plan_adoption(objects: Sequence[StoredObject]) -> AdoptionPlan | None:
    """The plan for the objects of one recording; None if neither its source nor its fast copy exists with a SHA-1.

    Of several versions of a recording's bytes the latest counts; its source is preferred to its fast copy.
    """
    candidates = [(match, stored) for stored in objects if (match := _NAME.fullmatch(stored.name)) and stored.sha1]
    if not candidates:
        return None
    newest = max(candidates, key=lambda pair: pair[1].uploaded_at)[0]["digest"]
    match, stored = min(
        ((match, stored) for match, stored in candidates if match["digest"] == newest),
        key=lambda pair: (not pair[0]["file"].startswith("source"), pair[1].name),
    )
    recording_id, session_id = int(match["recording"]), int(match["session"])
    if max(recording_id, session_id) > LARGEST_ID:
        return None
    return AdoptionPlan(
        recording_id,
        session_id,
        stored.name,
        stored.sha1 or "",
        stored.size,
        min(each.uploaded_at for each in objects),
        len(objects),
    )
