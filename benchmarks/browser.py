"""Headless Chromium with one page, controlled through two pipes (Chrome DevTools Protocol)."""

import base64
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.ready_page import as_shapes
from worker.canvases.lettering.fonts import FAMILIES, font_path
from worker.canvases.stored.pages import DrawnPage

_SCRIPT = Path(__file__).with_name("canvas.js")
_FONTS = ("Arimo", "Noto Sans Ethiopic")
# Its processes continue to work after the response; the next contender would pay for that.
_TIDYING = 0.5
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


class Browser:
    """One tab; `run` evaluates in it."""

    def __init__(self, commands: int, answers: int) -> None:
        self._commands, self._answers = os.fdopen(commands, "wb", buffering=0), os.fdopen(answers, "rb")
        self._buffer = b""
        self._calls = 0
        target = self._call("Target.createTarget", {"url": "about:blank"})["targetId"]
        self._tab = self._call("Target.attachToTarget", {"targetId": target, "flatten": True})["sessionId"]
        self.run(_SCRIPT.read_text())
        self.run(f"loadFonts({json.dumps({family: _font(family) for family in _FONTS})})")

    def run(self, script: str) -> Any:
        """The result of a script; a promise is awaited."""
        wanted = {"expression": script, "awaitPromise": True, "returnByValue": True}
        answer = self._call("Runtime.evaluate", wanted, self._tab)
        if "exceptionDetails" in answer:
            raise RuntimeError(str(answer["exceptionDetails"]))
        return answer["result"].get("value")

    def prepare(self, page: DrawnPage) -> None:
        """Pass the shapes of a page to the browser in advance, so that `draw` only draws them."""
        colour = page.background
        wanted = {
            "shapes": as_shapes(page),
            "width": page.width,
            "height": page.height,
            "background": f"rgb({colour.red}, {colour.green}, {colour.blue})",
            "families": ", ".join(f'"{family}"' for family in _FONTS),
        }
        self.run(f"globalThis.page = {json.dumps(wanted)}; 0")

    def draw(self) -> tuple[float, bytes]:
        """Draw the prepared page: seconds within the browser until its PNG was ready, and the PNG."""
        answer = self.run("draw(globalThis.page)")
        time.sleep(_TIDYING)
        return answer["milliseconds"] / 1000, base64.b64decode(answer["png"])

    def close(self) -> None:
        """Close the browser."""
        self._commands.close()
        self._answers.close()

    def _call(self, method: str, parameters: dict[str, Any], session: str | None = None) -> Any:
        self._calls += 1
        message = {"id": self._calls, "method": method, "params": parameters}
        if session is not None:
            message["sessionId"] = session
        left = memoryview(json.dumps(message).encode() + b"\0")
        while left:
            left = left[self._commands.write(left) :]
        while (answer := self._read()).get("id") != self._calls:
            pass
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        return answer["result"]

    def _read(self) -> Any:
        while b"\0" not in self._buffer:
            piece = self._answers.read1(1 << 20)
            if not piece:
                raise RuntimeError("the browser has ended")
            self._buffer += piece
        message, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(message)


@contextmanager
def running_browser() -> Iterator[Browser | None]:
    """The browser; None where Debian's `chromium` is not installed."""
    program = shutil.which("chromium")
    if program is None:
        yield None
        return
    with TemporaryDirectory(prefix="astegni-browser-", ignore_cleanup_errors=True) as home:
        its_commands, commands = os.pipe()
        answers, its_answers = os.pipe()
        # It reads commands from descriptor 3 and responds on 4. A session of its own, to be killed as a group.
        arrange = f'exec "$@" 3<&{its_commands} 4>&{its_answers}'
        process = subprocess.Popen(
            ["/bin/bash", "-c", arrange, "chromium", program, *_FLAGS, f"--user-data-dir={home}", "about:blank"],
            pass_fds=(its_commands, its_answers),
            env={**os.environ, "HOME": home},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        os.close(its_commands)
        os.close(its_answers)
        browser = None
        try:
            browser = Browser(commands, answers)
            yield browser
        finally:
            if browser is not None:
                browser.close()
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _font(family: str) -> str:
    return base64.b64encode(font_path(FAMILIES[family]).read_bytes()).decode()
