"""The states of uploads that are sent in pieces: of one, or of the caller's newest ones of a session."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query
from sqlalchemy.orm import Session

from worker.access.session_access import session_for
from worker.api.http.callers import CallerOf
from worker.api.http.fields import LARGEST_INTEGER, AsText
from worker.api.http.problems import responses
from worker.api.services import ServicesOf
from worker.api.uploads.upload_documents import UploadDocument, UploadId, UploadList
from worker.recordings.reading import ingest_jobs
from worker.uploads.upload_piece import UploadProgress
from worker.uploads.upload_rows import list_uploads

# Uploads in one list; only the newest matter.
_MAX_LISTED = 100

router = APIRouter(prefix="/v1/uploads", tags=["uploads"], responses=responses(401, 403, 404, 422, 503))
SessionId = Annotated[int, Query(ge=1, le=LARGEST_INTEGER), AsText]


@router.get("/{upload_id}", responses=responses(421), summary="Read an upload")
def get_upload(upload_id: UploadId, caller: CallerOf, services: ServicesOf) -> UploadDocument:
    """The state of an upload, the recording that it became, and the gaps that its recorder reported."""
    with services.database.transaction() as session:
        return _documents(session, [services.uploads.read(session, upload_id, caller.principal)])[0]


@router.get("", summary="List uploads")
def get_uploads(session_id: SessionId, caller: CallerOf, services: ServicesOf) -> UploadList:
    """The caller's newest uploads of a session: those that are open or recovered can be continued."""
    with services.database.transaction() as session:
        session_for(session, caller, session_id)
        rows = list_uploads(session, caller.principal, session_id, most=_MAX_LISTED)
        return UploadList(items=_documents(session, [services.uploads.progress(row) for row in rows]))


def _documents(session: Session, progresses: Sequence[UploadProgress]) -> list[UploadDocument]:
    jobs = ingest_jobs(session, [each.upload.recording_id for each in progresses if each.upload.recording_id])
    return [
        UploadDocument(
            id=each.upload.id,
            session_id=each.upload.session_id,
            recording_id=each.upload.recording_id,
            job_id=jobs.get(each.upload.recording_id or 0),
            state=each.upload.state,
            offset=each.offset,
            length=each.upload.length,
            type=each.upload.recording_type,
            title=each.upload.title,
            filename=each.upload.filename,
            started_at=each.upload.started_at,
            marks=each.upload.marks or [],
            gaps=[mark for mark in each.upload.marks or [] if mark["kind"] != "pause"],
            created_at=each.upload.created_at,
        )
        for each in progresses
    ]
