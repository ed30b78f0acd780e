"""A headless Chromium with one page, controlled through two pipes (Chrome DevTools Protocol)."""

import json
import os
import signal
from pathlib import Path
from typing import Any

from tests.waiting import wait_for

# Letters as on a phone: at fractions of a pixel and not bent to the pixels' grid. Nothing is asked of the network.
_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--font-render-hinting=none",
    "--force-color-profile=srgb",
    "--remote-debugging-pipe",
)


class Chromium:
    """One browser with one page open. `home` is a directory of its own. Close it in the end."""

    def __init__(self, program: str, home: Path) -> None:
        commands, self._commands = os.pipe()
        self._answers, answers = os.pipe()
        arguments = [program, *_FLAGS, f"--user-data-dir={home / 'profile'}", "about:blank"]
        # The browser reads commands from descriptor 3 and responds on 4; a process group, to be killed as a whole.
        self._pid = os.posix_spawn(
            program,
            arguments,
            {**os.environ, "HOME": str(home)},
            file_actions=[
                # Away from 3 and 4 first, in case one of the pipes was given these very numbers.
                (os.POSIX_SPAWN_DUP2, commands, 10),
                (os.POSIX_SPAWN_DUP2, answers, 11),
                (os.POSIX_SPAWN_DUP2, 10, 3),
                (os.POSIX_SPAWN_DUP2, 11, 4),
                (os.POSIX_SPAWN_OPEN, 2, str(home / "log"), os.O_WRONLY | os.O_CREAT, 0o600),
            ],
            setpgroup=0,
        )
        os.close(commands)
        os.close(answers)
        self._buffer = b""
        self._calls = 0
        target = self._call("Target.createTarget", {"url": "about:blank"})["targetId"]
        self._session = self._call("Target.attachToTarget", {"targetId": target, "flatten": True})["sessionId"]

    def run(self, script: str) -> Any:
        """The result of a script; a promise is awaited."""
        answer = self._call(
            "Runtime.evaluate",
            {"expression": script, "awaitPromise": True, "returnByValue": True},
            self._session,
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def open(self, url: str) -> None:
        """Open an address and wait until its page is loaded."""
        self._call("Page.navigate", {"url": url}, self._session)
        # No promise: it would be lost with the page that is left.
        wait_for(lambda: self.run("[location.href, document.readyState]") == [url, "complete"])

    def close(self) -> None:
        """Kill the browser and all processes that it started."""
        os.close(self._commands)
        os.close(self._answers)
        os.killpg(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)

    def _call(self, method: str, parameters: dict[str, Any], session: str | None = None) -> Any:
        self._calls += 1
        message = {"id": self._calls, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        _write_all(self._commands, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") == self._calls:
                assert "error" not in answer, answer["error"]
                return answer["result"]

    def _read(self) -> Any:
        while b"\0" not in self._buffer:
            piece = os.read(self._answers, 1 << 20)
            assert piece, "the browser has ended"
            self._buffer += piece
        message, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(message)


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]
