"""Uploads of recordings: `POST /v1/recordings`. The form is streamed into the spool, then registered."""

from typing import Any

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from worker.access.callers import Caller
from worker.access.session_access import session_to_record
from worker.api.http.callers import CallerOf
from worker.api.http.idempotent import OnceOf
from worker.api.http.problems import responses
from worker.api.recordings.recording_documents import Accepted, UploadForm
from worker.api.services import Services, ServicesOf
from worker.api.uploads.count_bytes import count_bytes
from worker.api.uploads.multipart import FormReader
from worker.api.uploads.recording_form import read_form
from worker.api.uploads.register_upload import register
from worker.api.uploads.upload_stream import receive_form
from worker.errors import TooLarge
from worker.jobs.live import require_room
from worker.jobs.orders.recording_orders import IngestRecording
from worker.uploads.spool_writer import SpoolWriter

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
    """Upload a recording of a session (as its tutor or opener); `Location` is the job that ingests it.

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
        form = read_form({"session_id": "1", **fields})
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
        await run_in_threadpool(count_bytes, services, caller, sum(receiver.size for receiver in receivers))
    return await run_in_threadpool(register, services, caller, once, form, file)


def _require_upload(services: Services, caller: Caller, size: int) -> None:
    """Raise TooManyRequests at the caller's limit of bytes per day, or of recordings that wait for their ingest."""
    with services.database.transaction() as session:
        services.counters.require(session, services.rates.upload_bytes, caller.principal, size)
        require_room(session, IngestRecording.kind, principal=caller.principal, most=services.most_live_jobs)
