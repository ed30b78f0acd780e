"""The fork server for other programs, e.g. the `astegni` of shell scripts: its requests on a Unix socket."""

import contextlib
import json
import os
import signal
import socketserver
import threading
from pathlib import Path
from typing import Any, Self

from tests.forking.forked_process import ForkServer


class CommandServer:
    """Passes requests of devstack/fork_server.py on. A program must not `collect` a process that has not ended."""

    def __init__(self, server: ForkServer, path: Path) -> None:
        self._server = server
        self._running: set[int] = set()
        commands = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                for line in self.rfile:
                    self.wfile.write(json.dumps(commands.respond(json.loads(line))).encode() + b"\n")

        self._listener = socketserver.ThreadingUnixStreamServer(str(path), Handler)
        self._listener.daemon_threads = True
        threading.Thread(target=self._listener.serve_forever, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Kill what is still running, as a script leaves it that was killed itself."""
        self._listener.shutdown()
        self._listener.server_close()
        for pid in self._running:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)

    def respond(self, request: dict[str, Any]) -> dict[str, Any]:
        """The fork server's response."""
        response = self._server.ask(**request)
        if request["do"] == "start":
            self._running.add(response["pid"])
        elif request["do"] == "collect":
            self._running.discard(request["pid"])
        return response
