"""Uploads of recordings: `POST /v1/recordings`. The form is streamed into the spool, then registered."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import PurePath
from typing import Any

from fastapi import APIRouter, Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from worker.access.callers import Caller, UserCaller
from worker.access.visibility import session_to_record
from worker.api.http.callers import CallerOf
from worker.api.http.idempotent import IdempotentRequest, OnceOf
from worker.api.http.problems import responses
from worker.api.recordings.recording_documents import (
    Accepted,
    IgnoredField,
    UploadedForm,
    UploadForm,
)
from worker.api.services import Services, ServicesOf
from worker.api.uploads.multipart import FormReader
from worker.api.uploads.upload_stream import receive_form
from worker.database import AWAY
from worker.errors import AstegniError, TooLarge
from worker.jobs.idempotency import Answer
from worker.jobs.live import require_room
from worker.jobs.recording_orders import IngestRecording
from worker.recordings.register import NewRecording, RegistrationResult, register_recording
from worker.uploads.spool_writer import SpoolFile, SpoolWriter

router = APIRouter(prefix="/v1/recordings", tags=["recordings"], responses=responses(401, 403, 404, 422, 503))


# Boundaries and text fields around the file.
_FORM_OVERHEAD = 100_000
_FORM: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file", "session_id"],
                    "properties": {
                        "file": {"type": "string", "format": "binary"},
                        **UploadForm.model_json_schema()["properties"],
                    },
                }
            }
        },
    }
}


@router.post(
    "",
    status_code=202,
    response_model=Accepted,
    responses=responses(409, 413, 507),
    openapi_extra=_FORM,
    summary="Upload a recording",
)
async def post_recording(request: Request, caller: CallerOf, once: OnceOf, services: ServicesOf) -> Response:
    """Upload a recording of a session (its tutor, or who opened it); `Location` is the job that ingests it.

    The same bytes sent again for the same session and type are the same recording: the response names it and its job.
    """
    spool, limit = services.context.spool, services.settings.upload_max_bytes
    declared = request.headers.get("content-length", "")
    expected = int(declared[:19]) if declared.isdecimal() else None
    size = limit if expected is None else min(expected, limit)
    receivers: list[SpoolWriter] = []

    def begin(fields: dict[str, str]) -> SpoolWriter:
        # As early as possible: nobody should send eight gigabytes to learn that the session is not theirs. An invalid
        # field before the file is also refused here.
        form = _form({"session_id": "1", **fields})
        if "session_id" in fields:
            with services.database.transaction() as session:
                session_to_record(session, caller, form.session_id)
        receivers.append(spool.receive(limit=limit, expected=None if expected is None else size))
        return receivers[-1]

    def reader() -> FormReader:
        _require_upload(services, caller, size)
        if expected is not None and expected > limit + _FORM_OVERHEAD:
            raise TooLarge(f"The file is larger than {limit} bytes, the most that is taken.")
        return FormReader(
            request.headers.get("content-type", ""),
            file_field="file",
            field_names=UploadForm.model_fields,
            on_file=begin,
        )

    try:
        form, file = await receive_form(request, services.open_uploads.hold(caller.principal, size), reader)
    finally:
        await run_in_threadpool(_count_bytes, services, caller, sum(receiver.size for receiver in receivers))
    return await run_in_threadpool(_register, services, caller, once, form, file)


def _require_upload(services: Services, caller: Caller, size: int) -> None:
    """Raise TooManyRequests at the caller's limit of bytes per day, or of recordings that wait for their ingest."""
    with services.database.transaction() as session:
        services.counters.require(session, services.rates.upload_bytes, caller.principal, size)
        require_room(session, IngestRecording.kind, principal=caller.principal, most=services.most_live_jobs)


def _count_bytes(services: Services, caller: Caller, size: int) -> None:
    """Count the received bytes, however the upload ended; while the database is unavailable they are not counted."""
    with suppress(*AWAY), services.database.statement() as statement:
        services.counters.add(statement, services.rates.upload_bytes, caller.principal, size)


def _register(
    services: Services, caller: Caller, once: IdempotentRequest, form: FormReader, file: SpoolFile
) -> Response:
    """Write the row, the order and the response in one transaction; keep the file only if the row names it.

    If it is unknown whether the database committed, the file is kept too; the sweep deletes it if no row names it.
    """
    registered: RegistrationResult | None = None
    spool = services.context.spool
    try:
        values, ignored = _usable(form)
        fields = _form(values)
        uploaded = UploadedForm.model_validate({**values, "sha1": file.sha1})
        with services.database.transaction() as session:
            session_to_record(session, caller, fields.session_id)

            def make() -> Answer:
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


def _form(fields: dict[str, str]) -> UploadForm:
    try:
        return UploadForm.model_validate(fields)
    except ValidationError as error:
        raise RequestValidationError(
            error.errors(include_url=False, include_input=False, include_context=False)
        ) from error


def _usable(form: FormReader) -> tuple[dict[str, str], dict[str, str]]:
    """The fields to use, and the ignored ones with reasons: invalid optional fields after the file.

    The bytes have already been received, and refusing the upload because of a title would lose them.
    """
    fields, ignored = dict(form.fields), dict(form.ignored)
    try:
        UploadForm.model_validate(fields)
    except ValidationError as error:
        for fault in error.errors(include_url=False, include_input=False, include_context=False):
            name = str(fault["loc"][0]) if fault["loc"] else ""
            if name in form.behind and not UploadForm.model_fields[name].is_required():
                fields.pop(name, None)
                ignored[name] = f"{fault['msg']}."
    return fields, ignored


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


def _accepted(registered: RegistrationResult, ignored: Mapping[str, str]) -> Answer:
    document = Accepted(
        recording_id=registered.recording_id,
        job_id=registered.job_id,
        ignored=[IgnoredField(field=name, reason=reason) for name, reason in ignored.items()],
    )
    follow = f"/v1/jobs/{registered.job_id}" if registered.job_id else f"/v1/recordings/{registered.recording_id}"
    return Answer(202, document.model_dump_json(), {"Location": follow, "Retry-After": "2"})
