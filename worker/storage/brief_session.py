"""HTTP for what must not wait long for Backblaze: `astegni doctor`, and the start of a worker."""

from typing import Any

import requests


class BriefSession(requests.Session):
    """A session that waits at most `seconds` for a connection, and for each part of a response.

    b2sdk would wait for a minute. The account tries each request three times.
    """

    def __init__(self, seconds: float = 5.0) -> None:
        super().__init__()
        self._seconds = seconds

    def request(self, *args: Any, **options: Any) -> requests.Response:
        """Send a request."""
        return super().request(*args, **{**options, "timeout": self._seconds})
