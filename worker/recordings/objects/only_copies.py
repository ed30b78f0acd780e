"""Objects that are the only bytes of a recording which does not play yet: after a restore of the database."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.recordings import Recording
from worker.recordings.objects.names import recording_prefix, session_id_of


def is_only_copy(session: Session, object_name: str) -> bool:
    """Whether a recording that does not play needs this object: its source, or the object it was adopted from.

    A source goes to B2 once its recording plays. If the recording does not, the database was restored, and its job may
    have failed; no row of a rendition names the object then.
    """
    adopted = Recording.recording_metadata["adopted"]["object"].astext
    rows = session.execute(
        select(Recording.id, Recording.session_id, Recording.source_sha1, adopted.label("adopted")).where(
            Recording.session_id == session_id_of(object_name), Recording.is_available.is_(False)
        )
    )
    return any(
        object_name == row.adopted
        or (
            row.source_sha1 is not None
            and object_name.startswith(f"{recording_prefix(row.session_id, row.id)}{row.source_sha1[:12]}/source.")
        )
        for row in rows
    )
