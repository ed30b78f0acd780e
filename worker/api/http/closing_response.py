"""The last response of a connection that is closed at once, in bytes: no request of it reaches the application."""

import json
from http import HTTPStatus

from worker.errors import AstegniError


class MalformedRequest(AstegniError):
    """What the client sent is no request of HTTP/1.1."""

    code, title, status = "malformed-request", "Malformed request", 400


class HeaderTooLarge(AstegniError):
    """The header or the trailer fields of the request are too long; the limit is in the detail."""

    code, title, status = "header-too-large", "Header too large", 431


class TooSlow(AstegniError):
    """The client has sent too little for too long."""

    code, title, status, retryable = "too-slow", "Request timeout", 408, True


def closing_response(error: AstegniError) -> bytes:
    """The response (HTTP/1.1) with the problem document of this error; it closes the connection."""
    body = json.dumps(error.problem()).encode()
    retry = f"Retry-After: {error.members['retry_after']}\r\n" if "retry_after" in error.members else ""
    head = (
        f"HTTP/1.1 {error.status} {HTTPStatus(error.status).phrase}\r\nContent-Type: application/problem+json\r\n"
        f"{retry}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + body
