"""The peer of an upload: uvicorn and the minimal code that stores a body on disk and computes its SHA-1.

`python -m benchmarks.peers.bare_upload FOLDER` prints its port once it is listening.
"""

import hashlib
import os
import secrets
import socket
import sys
from pathlib import Path
from typing import Any

import uvicorn


class Keep:
    """ASGI: writes every body to a file in `folder`, synced, and responds with 202 and its SHA-1."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        digest = hashlib.sha1(usedforsecurity=False)
        with (self._folder / secrets.token_hex(16)).open("xb", buffering=0) as file:
            more = True
            while more:
                message = await receive()
                body = message.get("body", b"")
                digest.update(body)
                file.write(body)
                more = message.get("more_body", False)
            os.fsync(file.fileno())
        reply = f'{{"sha1": "{digest.hexdigest()}"}}'.encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(reply)).encode())]
        await send({"type": "http.response.start", "status": 202, "headers": headers})
        await send({"type": "http.response.body", "body": reply})


def main(folder: Path) -> None:
    """Serve until killed, with the settings of worker/api/server.py."""
    with socket.create_server(("127.0.0.1", 0), backlog=256) as listener:
        # As on uvicorn's own listener: without it there are 40 ms between the head and the body of a response.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        print(listener.getsockname()[1], flush=True)
        config = uvicorn.Config(Keep(folder), lifespan="off", log_config=None, access_log=False, server_header=False)
        uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
