"""A cheap client: one connection, the multipart form encoded once, the file sent by the kernel."""

import http.client
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

_BOUNDARY = "figures-boundary-of-a-form"
_TIMEOUT = 300.0
_CHUNK = 1 << 16


@dataclass(frozen=True)
class Sent:
    """A response, and the times (`time.perf_counter`) of the first byte sent, the last byte sent and the response."""

    status: int
    body: Any
    began: float
    last_byte: float
    answered: float

    @property
    def seconds(self) -> float:
        """Seconds from the first byte to the response."""
        return self.answered - self.began


class Client:
    """One keep-alive connection of one caller."""

    def __init__(self, address: str, token: str | None = None) -> None:
        parts = urlsplit(address)
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=_TIMEOUT)
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def request(self, method: str, path: str, body: Any = None) -> Sent:
        """Send a request whose body, if any, is JSON; bytes are JSON already."""
        content = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        headers = self._headers if content is None else {**self._headers, "Content-Type": "application/json"}
        began = time.perf_counter()
        self._connection.request(method, path, content, headers)
        return self._answer(began, time.perf_counter())

    def get(self, path: str) -> Any:
        """The document at `path`."""
        return self._expect(self.request("GET", path), 200)

    def post(self, path: str, body: Any = None, status: int = 201) -> Any:
        """The response to a POST."""
        return self._expect(self.request("POST", path, body or {}), status)

    def upload(self, path: str, file: Path | bytes, *, session_id: int) -> Sent:
        """Send a recording as a multipart form; a file is sent by `sendfile`."""
        size = len(file) if isinstance(file, bytes) else file.stat().st_size
        head, tail = _form(session_id)
        connection = self._connection
        began = time.perf_counter()
        connection.putrequest("POST", path)
        for name, value in self._headers.items():
            connection.putheader(name, value)
        connection.putheader("Content-Type", f"multipart/form-data; boundary={_BOUNDARY}")
        connection.putheader("Content-Length", str(len(head) + size + len(tail)))
        if isinstance(file, bytes):
            connection.endheaders(head + file + tail)
        else:
            connection.endheaders(head)
            with file.open("rb") as content:
                connection.sock.sendfile(content)
            connection.send(tail)
        return self._answer(began, time.perf_counter())

    def drain(self, path: str) -> int:
        """Read the document at `path` and discard it; returns its size in bytes."""
        self._connection.request("GET", path, headers=self._headers)
        response = self._connection.getresponse()
        size = 0
        while chunk := response.read(_CHUNK):
            size += len(chunk)
        if response.status != 200:
            raise RuntimeError(f"{path} was answered {response.status}")
        return size

    def _answer(self, began: float, last_byte: float) -> Sent:
        response = self._connection.getresponse()
        content = response.read()
        answered = time.perf_counter()
        return Sent(response.status, json.loads(content) if content else None, began, last_byte, answered)

    def send_piece(self, path: str, file: Path) -> Sent:
        """Send a whole file as the only piece of an upload (tus 1.0), by `sendfile`."""
        connection = self._connection
        began = time.perf_counter()
        connection.putrequest("PATCH", path)
        headers = {"Tus-Resumable": "1.0.0", "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
        for name, value in (self._headers | headers | {"Content-Length": str(file.stat().st_size)}).items():
            connection.putheader(name, value)
        connection.endheaders()
        with file.open("rb") as content:
            connection.sock.sendfile(content)
        return self._answer(began, time.perf_counter())

    @staticmethod
    def _expect(sent: Sent, status: int) -> Any:
        if sent.status != status:
            raise RuntimeError(f"answered {sent.status} and not {status}: {sent.body}")
        return sent.body


def _form(session_id: int) -> tuple[bytes, bytes]:
    field = f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="session_id"\r\n\r\n{session_id}\r\n'
    disposition = 'Content-Disposition: form-data; name="file"; filename="lesson.webm"'
    head = f"{field}--{_BOUNDARY}\r\n{disposition}\r\nContent-Type: video/webm\r\n\r\n"
    return head.encode(), f"\r\n--{_BOUNDARY}--\r\n".encode()
