"""The ASGI application: which address leads to which call."""

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

from devstack.emulator import uploads
from devstack.emulator.bucket_records import DEFAULT_BUCKET, ensure_private_bucket
from devstack.emulator.calls import answer_call, requested_version
from devstack.emulator.downloads import download_by_name
from devstack.emulator.emulator import DAY, Emulator
from devstack.emulator.errors import B2Error, Json, answer, refuse

Upload = Callable[[Emulator, Request, AsyncIterator[bytes], int], Awaitable[Json]]


def create_emulator(
    root: Path, *, bucket: str = DEFAULT_BUCKET, account_seconds: float = DAY, upload_seconds: float = DAY
) -> Starlette:
    """A B2 whose store is the folder `root`, with the private bucket `bucket` in it.

    `account_seconds` and `upload_seconds` are how long account and upload tokens hold. The open store is at
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
                partial(answer_call, emulator),
                methods=["GET", "HEAD", "OPTIONS", "POST"],
            ),
        ],
        exception_handlers=_TELLERS,
        lifespan=lifespan,
    )
    app.state.emulator = emulator
    return app


async def _upload(emulator: Emulator, upload: Upload, request: Request) -> Response:
    body = request.stream()
    try:
        return answer(await upload(emulator, request, body, requested_version(request)))
    except B2Error as error:
        # A client that is still sending would see a broken connection instead of the reason.
        async for _ in body:
            pass
        return refuse(error)


async def _tell_error(_request: Request, error: B2Error) -> Response:
    return refuse(error)


async def _tell_http_error(_request: Request, error: HTTPException) -> Response:
    code = {404: "not_found", 405: "method_not_allowed"}.get(error.status_code, "bad_request")
    return refuse(B2Error(error.status_code, code, error.detail))


async def _tell_failure(_request: Request, _error: Exception) -> Response:
    return refuse(B2Error(500, "internal_error", "The emulator failed; its log says why."))


async def _forget(_request: Request, _error: ClientDisconnect) -> Response:
    """The client is gone: nobody reads this answer."""
    return Response(status_code=400)


# Each takes the exception it is named for, which the type of the table cannot say.
_TELLERS: dict[Any, Any] = {
    B2Error: _tell_error,
    HTTPException: _tell_http_error,
    ClientDisconnect: _forget,
    Exception: _tell_failure,
}
