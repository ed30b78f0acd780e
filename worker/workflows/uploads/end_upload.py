"""End a resumable upload: its bytes become a recording, or extend the one that they had become."""

import secrets
from datetime import timedelta
from pathlib import Path

from sqlalchemy import func
from sqlalchemy.orm import Session

from models.uploads import Upload
from worker import clock
from worker.after_commit import after_commit
from worker.logs import get_logger
from worker.recordings.ingest.extend import extend_recording
from worker.recordings.ingest.register import NewRecording, register_recording
from worker.recordings.source import lock_recording
from worker.storage.file_digest import sha1_of
from worker.uploads.digests import Digest
from worker.uploads.locked_upload import LockedUpload
from worker.uploads.upload_errors import UploadGone
from worker.uploads.upload_rows import lock_upload, recording_of, terminate
from worker.workflows.context import WorkerContext

_log = get_logger(__name__)


def finish_upload(context: WorkerContext, upload_id: str, digest: Digest | None = None) -> None:
    """Register the recording of an upload that is whole; idempotent, and does nothing while bytes are missing.

    `digest` is that of all bytes, if it is known.

    The file gets a second name in the spool. Its first name is removed after the commit, or by the sweep if the process
    crashes in between.
    """
    file = context.spool.upload(upload_id)
    # A different name at each attempt: after a failed one the file may have been replaced by a copy (`own_inode`).
    name = secrets.token_hex(16)
    try:
        # No byte can follow the last one, so the digest needs no lock.
        size = file.size()
        sha1 = digest.hexdigest() if digest is not None and digest.offset == size else sha1_of(file.path)
        with file.locked() as locked, context.database.transaction() as session:
            upload = _lock_open(session, upload_id)
            if upload is None or upload.length != size:
                return
            locked.share_as(context.spool.target(name))
            _record(context, session, upload, size=size, sha1=sha1, spool_name=name)
            upload.state = "finished"
    except UploadGone:
        # Another request has finished the upload.
        return
    file.remove()
    _log.info("upload_finished", upload_id=upload_id, bytes=size)


def recover_upload(context: WorkerContext, upload_id: str, *, idle: float) -> str:
    """Register what has arrived of an upload to which nothing was added for `idle` seconds; returns its state.

    Its file stays, so that it can be continued. Raises UploadGone when the file of an open upload is missing; after
    SPOOL_RETENTION the file is no longer expected, and the upload is terminated.
    """
    file = context.spool.upload(upload_id)
    try:
        if file.idle_seconds() < idle:
            return "open"
        size, sha1 = file.size(), sha1_of(file.path)
        with file.locked() as locked:
            if file.size() != size:
                return "open"
            state = _recover(context, upload_id, locked, size, sha1)
    except UploadGone:
        state = _give_up(context, upload_id)
        if state == "open":
            raise
    if state in {"finished", "terminated"}:
        file.remove()
    return state


def _give_up(context: WorkerContext, upload_id: str) -> str:
    """End an upload whose file has been missing for long; returns its state, which usually another process has set.

    A spool that is not mounted must not end uploads: their bytes come back with it.
    """
    age = timedelta(seconds=context.settings.spool_retention)
    with context.database.transaction() as session:
        upload = lock_upload(session, upload_id)
        if upload is None:
            return "terminated"
        if upload.state == "open" and upload.updated_at < clock.now() - age:
            terminate(session, upload_id)
            return "terminated"
        return upload.state


def terminate_upload(context: WorkerContext, upload_id: str) -> None:
    """Remove the bytes of an upload; a recording made from them stays."""
    file = context.spool.upload(upload_id)
    try:
        with file.locked() as locked:
            locked.take_turn()
            with context.database.transaction() as session:
                terminate(session, upload_id)
    except UploadGone:
        with context.database.transaction() as session:
            terminate(session, upload_id)
    file.remove()


def _recover(context: WorkerContext, upload_id: str, locked: LockedUpload, size: int, sha1: str) -> str:
    with context.database.transaction() as session:
        upload = _lock_open(session, upload_id)
        if upload is None:
            return "open"
        # A request that is still waiting for its client can store nothing more.
        locked.take_turn()
        whole = upload.length == size
        if whole or size > upload.recorded_bytes:
            name = secrets.token_hex(16)
            locked.share_as(context.spool.target(name))
            _record(context, session, upload, size=size, sha1=sha1, spool_name=name, is_recovered=not whole)
            upload.state = "finished" if whole else "recovered"
        else:
            upload.state = "recovered" if upload.recorded_bytes else "terminated"
            upload.updated_at = func.now()
        _log.info("upload_abandoned", upload_id=upload_id, bytes=size, state=upload.state)
        return upload.state


def _lock_open(session: Session, upload_id: str) -> Upload | None:
    """Lock the row of an open upload and, before it, that of its recording; None when the upload has ended."""
    recording_id = recording_of(session, upload_id)
    if recording_id is not None:
        # The lock order of deleting a recording: its row first, then the rows that name it.
        lock_recording(session, recording_id)
    upload = lock_upload(session, upload_id)
    return upload if upload is not None and upload.state == "open" else None


def _record(
    context: WorkerContext,
    session: Session,
    upload: Upload,
    *,
    size: int,
    sha1: str,
    spool_name: str,
    is_recovered: bool = False,
) -> None:
    new = NewRecording(
        session_id=upload.session_id,
        title=upload.title or Path(upload.filename or "").stem or "Recording",
        type=upload.recording_type,
        recorded_by=upload.recorded_by,
        principal=upload.principal,
        spool_id=upload.spool_id,
        spool_name=spool_name,
        size_bytes=size,
        sha1=sha1,
        filename=upload.filename,
        started_at=upload.started_at,
        clock_offset_ms=upload.clock_offset_ms,
        marks=upload.marks,
        is_recovered=is_recovered,
    )
    if upload.recording_id is None:
        result = register_recording(session, new)
    else:
        result = extend_recording(session, upload.recording_id, new)
    if not result.is_new:
        # Another recording has the same bytes.
        after_commit(session, lambda: context.spool.remove(spool_name))
    upload.recording_id, upload.recorded_bytes, upload.updated_at = result.recording_id, size, func.now()
