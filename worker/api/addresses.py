"""Absolute addresses of this API, as the outside reaches it."""

from starlette.requests import Request

from worker.settings import Settings

_HTTP = 80


def public_address(request: Request, settings: Settings, path: str) -> str:
    """The absolute address of `path`: below PUBLIC_BASE_URL, else at the socket that took the connection.

    Never from Host or X-Forwarded-*: a client writes those, and what is made here is a secret that others follow.
    """
    return f"{settings.public_base_url or _bound_address(request)}{path}"


def _bound_address(request: Request) -> str:
    host, port = request.scope["server"]
    named = f"[{host}]" if ":" in host else host
    return f"http://{named}" if port == _HTTP else f"http://{named}:{port}"
