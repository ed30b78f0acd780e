"""A cheap client of uploads in pieces: one keep-alive connection, headers written by hand."""

import asyncio
import base64
import time
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit


@dataclass
class TusConnection:
    """One connection of one caller."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    token: str

    @classmethod
    async def open(cls, address: str, token: str) -> Self:
        """Connect."""
        parts = urlsplit(address)
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        return cls(reader, writer, token)

    async def create(self, session_id: int, length: int | None) -> str:
        """Create an upload; returns its path."""
        size = "Upload-Defer-Length: 1" if length is None else f"Upload-Length: {length}"
        metadata = f"session_id {base64.b64encode(str(session_id).encode()).decode()}"
        status, headers = await self._send("POST", "/v1/uploads", f"{size}\r\nUpload-Metadata: {metadata}\r\n", b"")
        if status != 201:
            raise RuntimeError(f"the creation was answered {status}")
        return headers["location"]

    async def patch(self, path: str, offset: int, content: bytes, more: str = "") -> float:
        """Append a piece; returns the seconds until it was acknowledged."""
        began = time.perf_counter()
        lines = f"Upload-Offset: {offset}\r\nContent-Type: application/offset+octet-stream\r\n{more}"
        status, _ = await self._send("PATCH", path, lines, content)
        if status != 204:
            raise RuntimeError(f"a piece was answered {status}")
        return time.perf_counter() - began

    def close(self) -> None:
        """Close the connection."""
        self.writer.close()

    async def _send(self, method: str, path: str, lines: str, content: bytes) -> tuple[int, dict[str, str]]:
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {self.token}\r\nTus-Resumable: 1.0.0\r\n"
            f"Content-Length: {len(content)}\r\n{lines}\r\n"
        )
        self.writer.write(head.encode())
        self.writer.write(content)
        await self.writer.drain()
        first, *rest = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in rest if line)}
        await self.reader.readexactly(int(headers.get("content-length", "0")))
        return int(first.split()[1]), headers
