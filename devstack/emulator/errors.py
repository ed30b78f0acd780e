"""Errors as B2 responds with them: an HTTP status, a stable code and a sentence."""

from collections.abc import Mapping
from typing import Any

from starlette.responses import JSONResponse

Json = dict[str, Any]


class B2Error(Exception):
    """An error response in B2's shape, `{status, code, message}` (Backblaze: error handling and status codes)."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


def bad_request(message: str) -> B2Error:
    """400: a value is missing or invalid."""
    return B2Error(400, "bad_request", message)


def bad_auth_token(message: str = "Invalid authorization token") -> B2Error:
    """401: the credentials or the token were not issued here."""
    return B2Error(401, "bad_auth_token", message)


def unauthorized(message: str) -> B2Error:
    """401: the token is valid, but does not allow this."""
    return B2Error(401, "unauthorized", message)


def not_found(message: str) -> B2Error:
    """404: no such file or bucket to download from."""
    return B2Error(404, "not_found", message)


def json_response(document: Json, status: int = 200, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """A JSON response as B2 sends it; never cached, since most hold a token."""
    return JSONResponse(
        document,
        status,
        {"Cache-Control": "max-age=0, no-cache, no-store", **(headers or {})},
        media_type="application/json;charset=utf-8",
    )


def error_response(error: B2Error, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """The response to a call that failed with `error`."""
    document = {"status": error.status, "code": error.code, "message": error.message}
    return json_response(document, error.status, headers)
