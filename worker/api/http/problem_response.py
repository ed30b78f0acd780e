"""The response for an error: a problem document (RFC 9457) with our `code`, the `instance` and the request's id."""

import json
from collections.abc import Mapping
from typing import Any

from starlette.responses import Response
from starlette.types import Scope

from worker.errors import AstegniError, Busy, TooManyRequests, Unauthorized, Unavailable

MEDIA_TYPE = "application/problem+json"
_RETRY_AFTER = 5
# What follows one of these in a path is a secret, and people copy problem documents into reports.
_BEFORE_SECRETS = ("/calendar/", "/shared/")


def problem_response(scope: Scope, error: AstegniError, more: Mapping[str, str] | None = None) -> Response:
    """The response for `error`; its members `retry_after` and `location` become headers, and so does `more`."""
    headers = dict(more or {})
    if isinstance(error, TooManyRequests):
        scope["app"].state.metrics.count_refusal(error.members["limit"])
    if isinstance(error, Unauthorized):
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, Unavailable | Busy):
        headers["Retry-After"] = str(_RETRY_AFTER)
    if "retry_after" in error.members:
        headers["Retry-After"] = str(error.members["retry_after"])
    if "location" in error.members:
        headers["Location"] = error.members["location"]
    return document_response(scope, error.problem(), headers)


def _instance(scope: Scope) -> str:
    path: str = scope["path"]
    for mark in _BEFORE_SECRETS:
        before, _, secret = path.partition(mark)
        if secret:
            return f"{before}{mark}***"
    return path


def document_response(scope: Scope, document: dict[str, Any], headers: dict[str, str]) -> Response:
    """The response for a problem document, which gets what it lacks: the address and the id of the request."""
    request_id = scope.get("state", {}).get("request_id", "")
    full_document = {**document, "instance": _instance(scope), "request_id": request_id}
    # ASCII: names from the client may contain surrogates, which UTF-8 cannot encode.
    body = json.dumps(full_document, ensure_ascii=True)
    return Response(body, status_code=document["status"], headers=headers, media_type=MEDIA_TYPE)
