"""Problem documents (RFC 9457): their form, and how the API's description names them."""

from http import HTTPStatus
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from worker.api.http.problem_response import MEDIA_TYPE
from worker.errors import AstegniError, TooManyRequests, Unauthorized

_CHECKSUM_MISMATCH = 460


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
    # 460 is defined by tus 1.0, not by HTTP.
    return "Checksum Mismatch" if status == _CHECKSUM_MISMATCH else HTTPStatus(status).phrase
