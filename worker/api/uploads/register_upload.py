"""Register what was uploaded: the row, the order and the response in one transaction."""

from collections.abc import Mapping
from pathlib import PurePath

from fastapi.exceptions import RequestValidationError
from starlette.responses import Response

from worker.access.callers import Caller, UserCaller
from worker.access.session_access import session_to_record
from worker.api.http.idempotent import IdempotentRequest
from worker.api.recordings.recording_documents import Accepted, IgnoredField, UploadedForm, UploadForm
from worker.api.services import Services
from worker.api.uploads.multipart import FormReader
from worker.api.uploads.recording_form import read_form, usable_fields
from worker.errors import AstegniError
from worker.jobs.idempotency import StoredResponse
from worker.recordings.ingest.register import NewRecording, RegistrationResult, register_recording
from worker.uploads.spool_writer import SpoolFile


def register(
    services: Services, caller: Caller, once: IdempotentRequest, form: FormReader, file: SpoolFile
) -> Response:
    """Write the row, the order and the response in one transaction; keep the file only if the row names it.

    If it is unknown whether the database committed, the file is kept too; the sweep deletes it if no row names it.
    """
    registered: RegistrationResult | None = None
    spool = services.context.spool
    try:
        values, ignored = usable_fields(form)
        fields = read_form(values)
        uploaded = UploadedForm.model_validate({**values, "sha1": file.sha1})
        with services.database.transaction() as session:
            session_to_record(session, caller, fields.session_id)

            def make() -> StoredResponse:
                nonlocal registered
                new = _new_recording(caller, fields, form.filename, file, services.settings.spool_id)
                registered = register_recording(session, new)
                return _accepted(registered, ignored)

            response = once.answer(session, uploaded, make)
    except (AstegniError, RequestValidationError):
        spool.remove(file.name)
        raise
    if registered is None or not registered.is_new:
        spool.remove(file.name)
    return response


def _new_recording(
    caller: Caller, fields: UploadForm, filename: str | None, file: SpoolFile, spool_id: str
) -> NewRecording:
    return NewRecording(
        session_id=fields.session_id,
        title=fields.title or PurePath(filename or "").stem or "Recording",
        type=fields.type,
        recorded_by=caller.user_id if isinstance(caller, UserCaller) else None,
        principal=caller.principal,
        spool_id=spool_id,
        spool_name=file.name,
        size_bytes=file.size,
        sha1=file.sha1,
        filename=filename,
        started_at=fields.started_at,
    )


def _accepted(registered: RegistrationResult, ignored: Mapping[str, str]) -> StoredResponse:
    document = Accepted(
        recording_id=registered.recording_id,
        job_id=registered.job_id,
        ignored=[IgnoredField(field=name, reason=reason) for name, reason in ignored.items()],
    )
    follow = f"/v1/jobs/{registered.job_id}" if registered.job_id else f"/v1/recordings/{registered.recording_id}"
    return StoredResponse(202, document.model_dump_json(), {"Location": follow, "Retry-After": "2"})
