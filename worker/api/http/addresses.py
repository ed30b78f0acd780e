"""Absolute addresses of this API, as clients outside reach it."""

from starlette.requests import Request

from worker.settings import Settings

_HTTP = 80


def public_address(request: Request, settings: Settings, path: str) -> str:
    """The absolute address of `path`: below PUBLIC_BASE_URL, else at the socket that accepted the connection.

    Never built from Host or X-Forwarded-*: a client controls those, and the result is a secret address that people
    open.
    """
    return f"{settings.public_base_url or _bound_address(request)}{path}"


def _bound_address(request: Request) -> str:
    host, port = request.scope["server"]
    named = f"[{host}]" if ":" in host else host
    return f"http://{named}" if port == _HTTP else f"http://{named}:{port}"
