"""Create an upload from the headers of a request, once the rights and limits of its sender are checked."""

from datetime import UTC

from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.datastructures import Headers

from models.uploads import Upload
from worker.access.callers import Caller, UserCaller
from worker.access.session_access import session_to_record
from worker.api.services import Services
from worker.api.uploads.tus_headers import read_metadata, upload_length, write_metadata
from worker.api.uploads.upload_documents import UploadMetadata
from worker.jobs.live import require_room
from worker.jobs.orders.recording_orders import IngestRecording
from worker.logs import get_logger
from worker.uploads.upload_rows import NewUpload

_log = get_logger(__name__)


def create_upload(services: Services, caller: Caller, headers: Headers) -> Upload:
    """Store a new upload, as its headers describe it. Raises the errors of the headers, of rights and of limits."""
    length = upload_length(headers)
    metadata = _metadata(read_metadata(headers))
    uploads = services.uploads
    with services.database.transaction() as session:
        session_to_record(session, caller, metadata.session_id)
        services.counters.require(session, services.rates.upload_bytes, caller.principal, length or 0)
        require_room(session, IngestRecording.kind, principal=caller.principal, most=services.most_live_jobs)
        new = NewUpload(
            id=uploads.new_id(),
            principal=caller.principal,
            recorded_by=caller.user_id if isinstance(caller, UserCaller) else None,
            session_id=metadata.session_id,
            spool_id=services.settings.spool_id,
            base_url=services.settings.upload_base_url,
            recording_type=metadata.type,
            length=length,
            title=metadata.title,
            filename=metadata.filename,
            media_type=metadata.filetype,
            started_at=metadata.started_at,
            clock_offset_ms=metadata.clock_offset_ms,
        )
        upload = uploads.create(session, new)
    # A database restored from a backup does not know the upload; its file remains.
    facts = {"session_id": new.session_id, "recorded_by": new.recorded_by, "type": new.recording_type}
    _log.info("upload_created", upload_id=new.id, **facts)
    return upload


def stated_metadata(upload: Upload) -> str:
    """`Upload-Metadata` as its creator stated it; members that we do not know are not stored."""
    started_at = upload.started_at and upload.started_at.astimezone(UTC).isoformat(timespec="milliseconds")
    return write_metadata(
        {
            "session_id": upload.session_id,
            "title": upload.title,
            "type": upload.recording_type,
            "filename": upload.filename,
            "filetype": upload.media_type,
            "started_at": started_at and started_at.replace("+00:00", "Z"),
            "clock_offset_ms": upload.clock_offset_ms,
        }
    )


def _metadata(values: dict[str, str]) -> UploadMetadata:
    """The known members; clients add their own, like `relativePath`. Raises RequestValidationError."""
    known = {name: value for name, value in values.items() if name in UploadMetadata.model_fields}
    try:
        return UploadMetadata.model_validate(known)
    except ValidationError as error:
        errors = error.errors(include_url=False, include_input=False, include_context=False)
        raise RequestValidationError(
            [{**fault, "loc": ("header", "Upload-Metadata", *fault["loc"])} for fault in errors]
        ) from error
