"""A headless Chromium to draw the same boards in, started once for the module that asks for it."""

import base64
import json
import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from worker.canvases.lettering.fonts import FAMILIES, ITALICS, FontFile, font_path

_HERE = Path(__file__).parent
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
    """One browser with one page open, spoken to through a pair of pipes (Chrome DevTools Protocol)."""

    def __init__(self, program: str, home: Path) -> None:
        commands, self._commands = os.pipe()
        self._answers, answers = os.pipe()
        arguments = [program, *_FLAGS, f"--user-data-dir={home / 'profile'}", "about:blank"]
        # The browser reads commands from descriptor 3 and answers on 4; a group of its own, to be ended together.
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
        self.run((_HERE / "board.js").read_text(encoding="utf-8"))
        self.run(f"document.head.appendChild(document.createElement('style')).textContent = {json.dumps(_faces())}; 0")
        self.run("Promise.all([...document.fonts].map(face => face.load())).then(() => 0)")

    def run(self, script: str) -> Any:
        """What a script comes to; a promise is waited for."""
        answer = self._call(
            "Runtime.evaluate",
            {"expression": script, "awaitPromise": True, "returnByValue": True},
            self._session,
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def draw(self, board: dict[str, Any]) -> bytes:
        """The PNG that the browser makes of a page."""
        fonts = ", ".join(f'"{family}"' for family in FAMILIES)
        url = self.run(f"drawBoard({json.dumps({'family': fonts, **board})})")
        return base64.b64decode(url.partition(",")[2])

    def close(self) -> None:
        """End the browser and all that it started."""
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


def _faces() -> str:
    """Our fonts as a style sheet, so that no font of the machine is looked at; a browser takes no collections.

    Of those with one weight the browser makes its own bold, as the engine does.
    """
    return "".join(
        f'@font-face {{ font-family: "{family}"; font-weight: {"400 700" if "wght" in file.name else "400"};'
        f" font-style: {style}; src: url(data:font/ttf;base64,{_base64(file)}); }}\n"
        for style, table in (("normal", FAMILIES), ("italic", ITALICS))
        for family, file in table.items()
        if not file.name.endswith(".ttc")
    )


def _base64(file: FontFile) -> str:
    return base64.b64encode(font_path(file).read_bytes()).decode()


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    """The browser. Skips where Debian's `chromium` is not installed."""
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("NOT COMPARED WITH A BROWSER: `chromium` is not installed (apt-get install chromium)")
    browser = Chromium(program, tmp_path_factory.mktemp("chromium"))
    yield browser
    browser.close()
