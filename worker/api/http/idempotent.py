"""Execute a creating POST once: its `Idempotency-Key`, if any, and the response that every repeat gets."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Depends, Header, Request
from pydantic import BaseModel
from sqlalchemy.orm import Session
from starlette.responses import Response

from worker.api.http.callers import CallerOf
from worker.jobs.idempotency import StoredResponse, checked_key, find_response, fingerprint, remember

REPLAYED = "Idempotency-Replayed"


@dataclass(frozen=True)
class IdempotentRequest:
    """Who sends which request with which key (None: the client sent none)."""

    principal: str
    key: str | None
    method: str
    # Path and query.
    address: str

    def answer(self, session: Session, body: BaseModel, make: Callable[[], StoredResponse]) -> Response:
        """The response of `make`, or the stored response for the same key, byte by byte.

        Raises InvalidInput for the key of another request, Conflict while the first request is still running.
        """
        if self.key is None:
            return _response(make(), replayed=False)
        # The fields that were sent, in the model's order: whitespace and the order of keys do not matter.
        body_fingerprint = fingerprint(self.method, self.address, body.model_dump_json(exclude_unset=True))
        stored = find_response(session, self.principal, self.key, body_fingerprint)
        if stored is not None:
            return _response(stored, replayed=True)
        response = make()
        remember(session, self.principal, self.key, body_fingerprint, response)
        return _response(response, replayed=False)


def created(location: str, document: BaseModel) -> StoredResponse:
    """201 with the address of the new resource."""
    return StoredResponse(201, document.model_dump_json(), {"Location": location})


def once_of(
    request: Request,
    caller: CallerOf,
    idempotency_key: Annotated[
        str | None,
        Header(
            pattern=r"^[\x21-\x7e]{1,255}$",
            description="Any new text of 1 to 255 visible ASCII characters; repeats of the request get the first "
            "answer for a day.",
            examples=["4f7c2a2e-one-click"],
        ),
    ] = None,
) -> IdempotentRequest:
    """The request's Idempotency-Key, scoped to its sender. Raises InvalidInput if the key is malformed."""
    key = None if idempotency_key is None else checked_key(idempotency_key)
    # The order of parameters does not matter, the parameters do: `skip_conflicts=true` makes a different request.
    address = urlencode(sorted(request.query_params.multi_items()))
    return IdempotentRequest(caller.principal, key, request.method, f"{request.url.path}?{address}")


OnceOf = Annotated[IdempotentRequest, Depends(once_of)]


def _response(stored: StoredResponse, *, replayed: bool) -> Response:
    headers = {**stored.headers, **({REPLAYED: "true"} if replayed else {})}
    return Response(stored.body, status_code=stored.status, headers=headers, media_type="application/json")
