"""Turn whatever error a request ends with into a problem document."""

from http import HTTPStatus
from typing import Any, cast

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DataError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from worker.api.http.database_errors import database_unavailable
from worker.api.http.methods import allowed_methods
from worker.api.http.problem_response import document_response, problem_response
from worker.api.http.problems import BodyRefused
from worker.database import DATABASE_UNAVAILABLE
from worker.errors import AstegniError, InvalidInput, NotFound, TooLarge, problem
from worker.logs import get_logger

_log = get_logger(__name__)

# Reported errors of one request; a hostile body may cause thousands.
_MAX_ERRORS = 20
_LONGEST_NAME = 100
_UNSUPPORTED, _NOT_ALLOWED = 415, 405


def install_problems(api: FastAPI) -> None:
    """Turn every expected error into its problem document. `RequestLog` handles the unexpected ones."""
    api.add_exception_handler(AstegniError, _on_expected)
    api.add_exception_handler(RequestValidationError, _on_invalid)
    api.add_exception_handler(HTTPException, _on_http)
    api.add_exception_handler(DataError, _on_unstorable)
    for kind in DATABASE_UNAVAILABLE:
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
        return document_response(request.scope, document, {"Accept": "application/json"})
    # The value itself is never returned: it may be secret, or very large.
    errors = [{"loc": [_name(part) for part in fault["loc"]], "msg": fault["msg"]} for fault in errors[:_MAX_ERRORS]]
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
    return document_response(request.scope, document, headers)


async def _on_unstorable(request: Request, error: Exception) -> Response:
    # Every field is bounded by its column, so this is a bug of ours; the client can still send another value.
    orig = cast("DataError", error).orig
    _log.error("value_not_storable", error=type(orig).__name__, sqlstate=getattr(orig, "sqlstate", None))
    invalid = InvalidInput("A value is too large for, or not of the form of, the place where it is kept.")
    return problem_response(request.scope, invalid)


async def _on_database(request: Request, error: Exception) -> Response:
    return problem_response(request.scope, database_unavailable(error))


def is_json(content_type: str) -> bool:
    """Whether a body of this media type is parsed as JSON."""
    kind, _, subtype = content_type.partition(";")[0].strip().lower().partition("/")
    return kind == "application" and (subtype == "json" or subtype.endswith("+json"))


def _name(part: Any) -> Any:
    return part[:_LONGEST_NAME] if isinstance(part, str) else part
