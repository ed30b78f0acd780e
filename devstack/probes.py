"""How to tell from outside that a process is ready."""

import http.client
from collections.abc import Callable
from pathlib import Path


def answers(host: str, port: int, path: str) -> Callable[[], bool]:
    """Ready when GET `path` answers 200; asked directly, without any proxy of the environment."""

    def ask() -> bool:
        connection = http.client.HTTPConnection(host, port, timeout=5)
        try:
            connection.request("GET", path)
            return connection.getresponse().status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    return ask


def shows(sign: Path) -> Callable[[], bool]:
    """Ready when the file exists that the process touches when it is (worker/processes/liveness.py)."""
    return sign.exists
