"""Every error as a problem document (RFC 9457), with our `code`, the `instance` and the request's id."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, cast

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from psycopg.errors import DeadlockDetected, LockNotAvailable, QueryCanceled, SerializationFailure
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.exc import DataError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Scope

from worker.api.http.methods import allowed_methods
from worker.database import AWAY
from worker.errors import (
    AstegniError,
    Busy,
    InvalidInput,
    NotFound,
    TooLarge,
    TooManyRequests,
    Unauthorized,
    Unavailable,
    problem,
)
from worker.logs import get_logger

MEDIA_TYPE = "application/problem+json"

_log = get_logger(__name__)

_RETRY_AFTER = 5
# Reported errors of one request; a hostile body may cause thousands.
_MOST_ERRORS = 20
_LONGEST_NAME = 100
_UNSUPPORTED, _NOT_ALLOWED, _CHECKSUM_MISMATCH = 415, 405, 460
# What follows one of these in a path is a secret, and people copy problem documents into reports.
_BEFORE_SECRETS = ("/calendar/", "/shared/")


class Problem(BaseModel):
    """What went wrong (RFC 9457 §3.1). `code` is stable; `detail` is for people."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(examples=["urn:astegni:problem:not-found"])
    title: str
    status: int
    detail: str
    code: str = Field(examples=["not-found"])
    instance: str
    request_id: str


class BodyRefused(HTTPException):
    """An error of ours while a body is read; the framework turns any other exception there into a 400."""

    def __init__(self, error: AstegniError, headers: dict[str, str] | None = None) -> None:
        super().__init__(error.status, error.detail, headers)
        self.error = error


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI description of the problems that a route may return; 429 is added wherever a token is needed."""
    if Unauthorized.status in statuses:
        statuses = (*statuses, TooManyRequests.status)
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": _phrase(status), "content": content} for status in statuses}


def _phrase(status: int) -> str:
    # 460 is of tus 1.0, not of HTTP.
    return "Checksum Mismatch" if status == _CHECKSUM_MISMATCH else HTTPStatus(status).phrase


def problem_response(scope: Scope, error: AstegniError, more: Mapping[str, str] | None = None) -> Response:
    """The response for `error`; its member `retry_after` becomes the header. `more` has additional headers."""
    headers = dict(more or {})
    if isinstance(error, TooManyRequests):
        scope["app"].state.metrics.count_refusal(error.members["limit"])
    if isinstance(error, Unauthorized):
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, Unavailable | Busy):
        headers["Retry-After"] = str(_RETRY_AFTER)
    if "retry_after" in error.members:
        headers["Retry-After"] = str(error.members["retry_after"])
    return _response(scope, error.problem(), headers)


def database_away(error: Exception) -> AstegniError:
    """Log an error of the database (`worker.database.AWAY`) and return the error for the response."""
    cause = getattr(error, "orig", None) or error
    problem = _of_database(cause)
    _log.warning(f"database_{problem.code}", error=type(cause).__name__)
    return problem


def install_problems(api: FastAPI) -> None:
    """Turn every expected error into its problem document. `RequestLog` handles the unexpected ones."""
    api.add_exception_handler(AstegniError, _on_expected)
    api.add_exception_handler(RequestValidationError, _on_invalid)
    api.add_exception_handler(HTTPException, _on_http)
    api.add_exception_handler(DataError, _on_unstorable)
    for kind in AWAY:
        api.add_exception_handler(kind, _on_database)


async def _on_expected(request: Request, error: Exception) -> Response:
    return problem_response(request.scope, cast("AstegniError", error))


async def _on_invalid(request: Request, error: Exception) -> Response:
    errors = cast("RequestValidationError", error).errors()
    if any(fault["loc"][0] == "path" for fault in errors):
        # No row can have such an id, so nothing exists at this path.
        return problem_response(request.scope, NotFound("There is nothing at this address."))
    if errors[0]["loc"] == ("body",) and not is_json(request.headers.get("content-type", "")):
        hint = "Send the body as JSON, with `Content-Type: application/json`."
        document = problem("unsupported-media-type", "Unsupported Media Type", _UNSUPPORTED, hint)
        return _response(request.scope, document, {"Accept": "application/json"})
    # The value itself is never returned: it may be secret, or very large.
    errors = [{"loc": [_name(part) for part in fault["loc"]], "msg": fault["msg"]} for fault in errors[:_MOST_ERRORS]]
    invalid = InvalidInput("The request does not have the form it must have; see `errors`.", errors=errors)
    return problem_response(request.scope, invalid)


async def _on_http(request: Request, error: Exception) -> Response:
    http_error = cast("HTTPException", error)
    if isinstance(http_error, BodyRefused):
        return problem_response(request.scope, http_error.error, http_error.headers)
    if http_error.status_code == TooLarge.status:
        document = TooLarge(http_error.detail).problem()
    else:
        title = HTTPStatus(http_error.status_code).phrase
        document = problem(title.lower().replace(" ", "-"), title, http_error.status_code, http_error.detail)
    headers = dict(http_error.headers or {})
    if http_error.status_code == _NOT_ALLOWED:
        # A path may have several routes; the framework names the methods of one only.
        headers["Allow"] = ", ".join(allowed_methods(request.scope))
    return _response(request.scope, document, headers)


async def _on_unstorable(request: Request, error: Exception) -> Response:
    # Every field is bounded by its column, so this is a bug of ours; the client can still send another value.
    orig = cast("DataError", error).orig
    _log.error("value_not_storable", error=type(orig).__name__, sqlstate=getattr(orig, "sqlstate", None))
    invalid = InvalidInput("A value is too large for, or not of the form of, the place where it is kept.")
    return problem_response(request.scope, invalid)


async def _on_database(request: Request, error: Exception) -> Response:
    return problem_response(request.scope, database_away(error))


def _of_database(cause: BaseException) -> AstegniError:
    match cause:
        case LockNotAvailable() | DeadlockDetected() | SerializationFailure():
            return Busy("Another request is changing the same thing; nothing was changed by this one. Send it again.")
        case QueryCanceled():
            return Busy(
                "The database took too long for this request; nothing was changed. Send it again, or ask for less."
            )
        case _:
            return Unavailable("The database does not answer now; try again.")


def is_json(content_type: str) -> bool:
    """Whether a body of this media type is parsed as JSON."""
    kind, _, subtype = content_type.partition(";")[0].strip().lower().partition("/")
    return kind == "application" and (subtype == "json" or subtype.endswith("+json"))


def _name(part: Any) -> Any:
    return part[:_LONGEST_NAME] if isinstance(part, str) else part


def _instance(scope: Scope) -> str:
    path: str = scope["path"]
    for mark in _BEFORE_SECRETS:
        before, _, secret = path.partition(mark)
        if secret:
            return f"{before}{mark}***"
    return path


def _response(scope: Scope, document: dict[str, Any], headers: dict[str, str]) -> Response:
    request_id = scope.get("state", {}).get("request_id", "")
    full_document = {**document, "instance": _instance(scope), "request_id": request_id}
    # ASCII: names from the client may contain surrogates, which UTF-8 cannot encode.
    body = json.dumps(full_document, ensure_ascii=True)
    return Response(body, status_code=document["status"], headers=headers, media_type=MEDIA_TYPE)
