"""The HTTP client of the demo's users, and the error with which the demo fails."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx2 as httpx

from worker.errors import AstegniError


class DemoFailed(AstegniError):
    """A step of the demo failed."""

    code, title = "demo-failed", "The demo failed"


@contextmanager
def client_of(address: str, token: str) -> Iterator[httpx.Client]:
    """A client that sends `token` with each request."""
    with httpx.Client(base_url=address, headers={"Authorization": f"Bearer {token}"}, timeout=60) as client:
        yield client


def get(client: httpx.Client, path: str) -> dict[str, Any]:
    """The response to GET. Raises DemoFailed for an error."""
    return _checked(client.get(path))


def post(client: httpx.Client, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """The response to POST. Raises DemoFailed for an error."""
    return _checked(client.post(path, json=body))


def put(client: httpx.Client, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """The response to PUT. Raises DemoFailed for an error."""
    return _checked(client.put(path, json=body))


def _checked(response: httpx.Response) -> dict[str, Any]:
    body: dict[str, Any] = response.json()
    if response.is_error:
        raise DemoFailed(f"{response.request.url.path} answered {response.status_code}: {body.get('detail')}")
    return body
