"""The ASGI application: its routes and its error responses."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from devstack.emulator.api import uploads
from devstack.emulator.api.calls import handle_call, requested_version
from devstack.emulator.api.downloads import download_by_name
from devstack.emulator.emulator import DAY, Emulator
from devstack.emulator.errors import B2Error, Json, error_response, json_response
from devstack.emulator.store.bucket_records import DEFAULT_BUCKET, ensure_private_bucket

Upload = Callable[[Emulator, Request, AsyncIterator[bytes], int], Awaitable[Json]]


def create_emulator(
    root: Path, *, bucket: str = DEFAULT_BUCKET, account_seconds: float = DAY, upload_seconds: float = DAY
) -> Starlette:
    """A B2 with its store in the folder `root`, which has the private bucket `bucket`.

    Account and upload tokens are valid for `account_seconds` and `upload_seconds`. The open store is
    `app.state.emulator` and is closed with the application. Raises AlreadyInUse when the folder is in use.
    """
    emulator = Emulator(root, account_seconds=account_seconds, upload_seconds=upload_seconds)
    ensure_private_bucket(emulator, bucket)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        emulator.close()

    upload_file = partial(_upload, emulator, uploads.upload_file)
    upload_part = partial(_upload, emulator, uploads.upload_part)
    app = Starlette(
        routes=[
            Route(
                "/file/{bucket}/{name:path}", partial(download_by_name, emulator), methods=["GET", "HEAD", "OPTIONS"]
            ),
            Route("/b2api/v{version:int}/b2_upload_file/{target}/{pod}", upload_file, methods=["POST"]),
            Route("/b2api/v{version:int}/b2_upload_part/{target}/{pod}", upload_part, methods=["POST"]),
            Route(
                "/b2api/v{version:int}/{call}",
                partial(handle_call, emulator),
                methods=["GET", "HEAD", "OPTIONS", "POST"],
            ),
        ],
        exception_handlers=_ERROR_HANDLERS,
        lifespan=lifespan,
    )
    app.state.emulator = emulator
    return app


async def _upload(emulator: Emulator, upload: Upload, request: Request) -> Response:
    body = request.stream()
    try:
        return json_response(await upload(emulator, request, body, requested_version(request)))
    except B2Error as error:
        # A client that is still sending would see a reset connection instead of the error.
        async for _ in body:
            pass
        return error_response(error)


async def _on_b2_error(_request: Request, error: B2Error) -> Response:
    return error_response(error)


async def _on_http_error(_request: Request, error: HTTPException) -> Response:
    code = {404: "not_found", 405: "method_not_allowed"}.get(error.status_code, "bad_request")
    return error_response(B2Error(error.status_code, code, error.detail))


async def _on_failure(_request: Request, _error: Exception) -> Response:
    return error_response(B2Error(500, "internal_error", "The emulator failed; its log says why."))


async def _on_disconnect(_request: Request, _error: ClientDisconnect) -> Response:
    """The client has disconnected; nothing reads this response."""
    return Response(status_code=400)


# Each handler takes the type that is its key, which the type of a dict cannot express.
_ERROR_HANDLERS: dict[Any, Any] = {
    B2Error: _on_b2_error,
    HTTPException: _on_http_error,
    ClientDisconnect: _on_disconnect,
    Exception: _on_failure,
}
