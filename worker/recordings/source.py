"""The recording of a job: read and marked before the work, locked when the result is written."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from models.recordings import Recording
from worker.errors import Conflict
from worker.recordings.objects.names import recording_prefix


class DuplicateUpload(Conflict):
    """After this recording failed, the same bytes were uploaded again and became another recording."""

    code, title = "sent-again", "Uploaded again"


@dataclass(frozen=True)
class UploadedSource:
    """Uploaded bytes and the recording they belong to."""

    recording_id: int
    session_id: int
    sha1: str
    # File in the spool; None when the bytes are gone.
    spool_name: str | None
    # The container that the ingest found (`webm`, `matroska`, `mp4`, `ogg`); None before the ingest.
    container: str | None
    # How many times the bytes were extended.
    version: int = 0

    @property
    def prefix(self) -> str:
        """The prefix of this recording's objects; ends in `/`."""
        return recording_prefix(self.session_id, self.recording_id)


def find_source(session: Session, recording_id: int) -> UploadedSource | None:
    """The recording's bytes; None when the recording was deleted."""
    row = session.get(Recording, recording_id)
    if row is None:
        return None
    source = (row.recording_metadata or {}).get("source", {})
    return UploadedSource(
        row.id, row.session_id, row.source_sha1 or "", row.spool_name, source.get("container"), version_of(row)
    )


def version_of(recording: Recording) -> int:
    """How many times the bytes of the recording were extended (worker/recordings/ingest/extend.py)."""
    version: int = (recording.recording_metadata or {}).get("source", {}).get("version", 0)
    return version


def playback_version_of(recording: Recording) -> int:
    """The version of the bytes from which the fast copy was made: an earlier one until an extension is ingested.

    Renditions and pictures are made from the fast copy, so their jobs are about this version.
    """
    version: int = (recording.recording_metadata or {}).get("playback_version", version_of(recording))
    return version


def lags_behind(recording: Recording) -> bool:
    """Whether the fast copy was made from fewer bytes than the recording has."""
    return recording.is_available and "playback_version" in (recording.recording_metadata or {})


def lock_recording(session: Session, recording_id: int) -> Recording | None:
    """Lock the row until the transaction ends; returns None when the recording was deleted."""
    return session.scalar(
        select(Recording)
        .where(Recording.id == recording_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )


def find_live_duplicate(session: Session, recording_id: int, session_id: int, type_: str, sha1: str) -> int | None:
    """Another live recording of the same bytes in this session and type, or None."""
    return session.scalar(
        select(Recording.id).where(
            Recording.id != recording_id,
            Recording.session_id == session_id,
            Recording.recording_type == type_,
            Recording.source_sha1 == sha1,
            Recording.is_processing | Recording.is_available,
        )
    )


def mark_processing(session: Session, recording_id: int) -> None:
    """Mark the recording as being processed, also for a retry after a failure.

    Raises DuplicateUpload when its bytes have become another recording since then.
    """
    recording = lock_recording(session, recording_id)
    if recording is None or recording.is_available:
        return
    try:
        with session.begin_nested():
            recording.is_processing, recording.error = True, None
            recording.updated_at = func.now()
    except IntegrityError as error:
        raise DuplicateUpload(
            f"The bytes of recording {recording_id} were uploaded again: see the newer recording of the session."
        ) from error


def delete_row(session: Session, recording_id: int) -> None:
    """Delete the recording and, with it, its renditions."""
    session.execute(delete(Recording).where(Recording.id == recording_id))


def named_spool_files(session: Session) -> set[str]:
    """The files, in any spool, that recordings name."""
    return set(session.scalars(select(Recording.spool_name).where(Recording.spool_name.is_not(None))))


def count_spooled(session: Session) -> dict[str, int]:
    """For each spool, the number of recordings whose uploaded bytes are only there; spools without any are absent."""
    query = (
        select(Recording.spool_id, func.count()).where(Recording.spool_name.is_not(None)).group_by(Recording.spool_id)
    )
    return {spool_id: number for spool_id, number in session.execute(query) if spool_id is not None}


def unplayable_since(session: Session, spool_id: str, kept_since: datetime) -> Sequence[int]:
    """Recordings with bytes in this spool that never became playable and have not changed since `kept_since`."""
    return session.scalars(
        select(Recording.id).where(
            Recording.spool_id == spool_id,
            Recording.spool_name.is_not(None),
            Recording.is_processing.is_(False),
            Recording.is_available.is_(False),
            Recording.updated_at < kept_since,
        )
    ).all()


def clear_spool_names(session: Session, recording_ids: Sequence[int]) -> None:
    """Clear the spool files of these recordings."""
    session.execute(update(Recording).where(Recording.id.in_(recording_ids)).values(spool_name=None))
