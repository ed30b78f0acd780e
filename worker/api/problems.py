"""Every error as a problem document (RFC 9457), with our `code`, the `instance` and the request's id."""

import json
from http import HTTPStatus
from typing import Any, cast

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Scope

from worker.errors import AstegniError, InvalidInput, NotFound, TooLarge, Unauthorized, Unavailable, problem
from worker.logs import get_logger

MEDIA_TYPE = "application/problem+json"

_log = get_logger(__name__)

_RETRY_AFTER = 5
# Errors of one request that are told; a hostile body may hold thousands.
_MOST_ERRORS = 20
_LONGEST_NAME = 100
# What follows in an address is a secret that opens somebody's calendar, and problems are copied into reports.
_CALENDARS = "/calendar/"


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


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI part that says which problems a route answers with."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": HTTPStatus(status).phrase, "content": content} for status in statuses}


def problem_response(scope: Scope, error: AstegniError) -> Response:
    """The answer that says `error`; `retry_after` among its members becomes the header."""
    headers: dict[str, str] = {}
    if isinstance(error, Unauthorized):
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, Unavailable):
        headers["Retry-After"] = str(_RETRY_AFTER)
    if "retry_after" in error.members:
        headers["Retry-After"] = str(error.members["retry_after"])
    return _response(scope, error.problem(), headers)


def install_problems(api: FastAPI) -> None:
    """Answer every expected error with its problem document. The unexpected ones are the request log's."""
    api.add_exception_handler(AstegniError, _on_expected)
    api.add_exception_handler(RequestValidationError, _on_invalid)
    api.add_exception_handler(HTTPException, _on_http)
    for kind in (OperationalError, InterfaceError, PoolTimeout):
        api.add_exception_handler(kind, _on_database)


async def _on_expected(request: Request, error: Exception) -> Response:
    return problem_response(request.scope, cast("AstegniError", error))


async def _on_invalid(request: Request, error: Exception) -> Response:
    found = cast("RequestValidationError", error).errors()
    if any(one["loc"][0] == "path" for one in found):
        # An id that no row can have is an address where nothing is.
        return problem_response(request.scope, NotFound("There is nothing at this address."))
    # The value itself is never repeated: it may be a secret, or huge.
    errors = [{"loc": [_name(part) for part in one["loc"]], "msg": one["msg"]} for one in found[:_MOST_ERRORS]]
    said = InvalidInput("The request does not have the form it must have; see `errors`.", errors=errors)
    return problem_response(request.scope, said)


async def _on_http(request: Request, error: Exception) -> Response:
    said = cast("HTTPException", error)
    if said.status_code == TooLarge.status:
        document = TooLarge(said.detail).problem()
    else:
        title = HTTPStatus(said.status_code).phrase
        document = problem(title.lower().replace(" ", "-"), title, said.status_code, said.detail)
    return _response(request.scope, document, dict(said.headers or {}))


async def _on_database(request: Request, error: Exception) -> Response:
    _log.warning("database_unavailable", error=type(getattr(error, "orig", None) or error).__name__)
    return problem_response(request.scope, Unavailable("The database does not answer now; try again."))


def _name(part: Any) -> Any:
    return part[:_LONGEST_NAME] if isinstance(part, str) else part


def _instance(scope: Scope) -> str:
    path: str = scope["path"]
    before, _, secret = path.partition(_CALENDARS)
    return f"{before}{_CALENDARS}***" if secret else path


def _response(scope: Scope, document: dict[str, Any], headers: dict[str, str]) -> Response:
    request_id = scope.get("state", {}).get("request_id", "")
    said = {**document, "instance": _instance(scope), "request_id": request_id}
    # ASCII: names of the client's own making may hold halves of characters that UTF-8 has no bytes for.
    body = json.dumps(said, ensure_ascii=True)
    return Response(body, status_code=document["status"], headers=headers, media_type=MEDIA_TYPE)
