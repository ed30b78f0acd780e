"""Insert the row of an adopted recording under the id in its objects' names."""

from datetime import datetime

from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from models.recordings import Recording
from worker.errors import Conflict
from worker.recordings.objects.adoption import AdoptionPlan

# A later recording must not get the id of one whose objects are still on B2.
_SKIP_IDS = text(
    """
    SELECT setval(sequence, greatest(:id, (SELECT last_value FROM pg_sequences WHERE format('%I.%I', schemaname,
                  sequencename)::regclass = sequence)))
      FROM CAST(pg_get_serial_sequence('whiteboard_session_recordings', 'id') AS regclass) AS sequence
    """
)
_NEXT_ID = text("SELECT nextval(pg_get_serial_sequence('whiteboard_session_recordings', 'id'))")


def why_not_adopted(session: Session, plan: AdoptionPlan) -> str | None:
    """Why this recording cannot be adopted: another one of its session has the same bytes; None when it can."""
    same = select(Recording.id).where(
        Recording.session_id == plan.session_id,
        Recording.source_sha1 == plan.sha1,
        Recording.is_processing | Recording.is_available,
    )
    duplicate = session.scalar(same.limit(1))
    return None if duplicate is None else f"recording {duplicate} of its session has the same bytes"


def is_adopted(session: Session, plan: AdoptionPlan) -> bool:
    """Whether a recording was adopted of this object, perhaps under another id."""
    adopted = Recording.recording_metadata["adopted"]["object"].astext
    recordings = select(Recording.id).where(Recording.session_id == plan.session_id, adopted == plan.object_name)
    return session.scalar(recordings.limit(1)) is not None


def next_recording_id(session: Session) -> int:
    """An unused recording id."""
    next_id: int = session.scalars(_NEXT_ID).one()
    return next_id


def insert_adopted(session: Session, plan: AdoptionPlan, *, spool_id: str) -> None:
    """Insert the row, which is processing until its bytes are ingested. Raises Conflict when it exists already.

    Its title stays NULL and nobody is recorded as its author: objects do not say.
    """
    session.add(
        Recording(
            id=plan.recording_id,
            session_id=plan.session_id,
            source_sha1=plan.sha1,
            recording_date=plan.uploaded_at,
            spool_id=spool_id,
            is_processing=True,
            recording_metadata=adopted_metadata(plan),
        )
    )
    try:
        session.flush()
    except IntegrityError as error:
        raise Conflict(f"Recording {plan.recording_id} was made by somebody else meanwhile.") from error
    skip_recording_ids(session, plan.recording_id)


def adopted_metadata(plan: AdoptionPlan) -> dict[str, object]:
    """The metadata of an adopted recording before its ingest."""
    return {
        "recorded_by": None,
        "digest": plan.sha1,
        "source": {"filename": None, "size_bytes": plan.size},
        "adopted": {"object": plan.object_name, "uploaded_at": _iso(plan.uploaded_at)},
    }


def skip_recording_ids(session: Session, up_to: int) -> None:
    """Give later recordings ids above `up_to`."""
    session.execute(_SKIP_IDS, {"id": up_to})


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
