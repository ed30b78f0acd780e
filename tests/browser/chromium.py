"""A headless Chromium, controlled through two pipes (Chrome DevTools Protocol)."""

import contextlib
import json
import os
import select
import signal
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from tests.waiting import TIMEOUT, wait_for

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
    # Several pages are open at once, and each works as if it were looked at.
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
    "--disable-background-timer-throttling",
    # Each window would load two pages for suggestions below the address bar: half the processor time of a new browser.
    "--disable-features=WebUIOmniboxPopup,WebUIOmniboxAimPopup",
    # Each context would start those that come with the browser: a quarter of the time of a new page.
    "--disable-extensions",
    "--disable-component-extensions-with-background-pages",
)


class Page:
    """A tab."""

    def __init__(self, browser: "Chromium", context: str | None = None) -> None:
        self._browser = browser
        self.context = context
        self._before = ""
        where = {"browserContextId": context} if context else {}
        self._target = browser.call("Target.createTarget", {"url": "about:blank", **where})["targetId"]
        self._session = browser.call("Target.attachToTarget", {"targetId": self._target, "flatten": True})["sessionId"]

    def run(self, script: str) -> Any:
        """The result of a script; a promise is awaited."""
        response = self._call(
            "Runtime.evaluate", {"expression": script, "awaitPromise": True, "returnByValue": True, "userGesture": True}
        )
        assert "exceptionDetails" not in response, response["exceptionDetails"]
        return response["result"].get("value")

    def open(self, url: str) -> None:
        """Open an address and wait until its page is loaded."""
        self._call("Page.navigate", {"url": url})
        # No promise: it would be lost with the page that is left.
        wait_for(lambda: self.run("[location.href, document.readyState]") == [url, "complete"])

    def run_before_each_load(self, script: str) -> None:
        """Run the script in front of the scripts of each page that this tab loads; it replaces the last one."""
        if self._before:
            self._call("Page.removeScriptToEvaluateOnNewDocument", {"identifier": self._before})
        self._call("Page.enable", {})
        self._before = self._call("Page.addScriptToEvaluateOnNewDocument", {"source": script})["identifier"]

    def cut(self) -> None:
        """Cut the page's link."""
        self._limit_network(offline=True)

    def reconnect(self, *, bytes_per_second: int = -1, latency: float = 0) -> None:
        """Give the page its link back, with a limit in each direction (-1: none) and milliseconds of latency."""
        self._limit_network(offline=False, bytes_per_second=bytes_per_second, latency=latency)

    def drag(self, points: Sequence[tuple[float, float]]) -> None:
        """Press the mouse at the first point, move it over the others, and release it at the last one."""
        for kind, (x, y) in (("mousePressed", points[0]), *(("mouseMoved", point) for point in points[1:])):
            self._mouse(kind, x, y)
        self._mouse("mouseReleased", *points[-1])

    def click(self, x: float, y: float) -> None:
        """Click there."""
        self._mouse("mousePressed", x, y)
        self._mouse("mouseReleased", x, y)

    def close(self) -> None:
        """Close the tab; none of its handlers delays that."""
        self._browser.call("Target.closeTarget", {"targetId": self._target})

    def call(self, method: str, parameters: dict[str, Any]) -> Any:
        """The result of a command of the protocol for this tab."""
        return self._call(method, parameters)

    def _limit_network(self, *, offline: bool, bytes_per_second: int = -1, latency: float = 0) -> None:
        self._call("Network.enable", {})
        rates = {"latency": latency, "downloadThroughput": bytes_per_second, "uploadThroughput": bytes_per_second}
        self._call("Network.emulateNetworkConditions", {"offline": offline, **rates})

    def _mouse(self, kind: str, x: float, y: float) -> None:
        pressed = {"button": "left", "buttons": int(kind != "mouseReleased"), "clickCount": 1}
        self._call("Input.dispatchMouseEvent", {"type": kind, "x": x, "y": y, **pressed})

    def _call(self, method: str, parameters: dict[str, Any]) -> Any:
        return self._browser.call(method, parameters, self._session)


class Chromium:
    """One browser. `home` is a directory of its own; it may hold the profile of a browser that was killed.

    `run` and `open` use a first page. Close the browser in the end. A command that has no response after `timeout`
    seconds is an AssertionError.
    """

    def __init__(self, program: str, home: Path, *flags: str, timeout: float = TIMEOUT) -> None:
        self._timeout = timeout
        commands, self._commands = os.pipe()
        self._answers, answers = os.pipe()
        arguments = [program, *_FLAGS, *flags, f"--user-data-dir={home / 'profile'}", "about:blank"]
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
        self._contexts: list[str] = []
        self._page = Page(self)

    def page(self) -> Page:
        """Another tab, of a person of its own: it shares neither storage nor cookies with the others."""
        self._contexts.append(self.call("Target.createBrowserContext", {})["browserContextId"])
        return Page(self, self._contexts[-1])

    def close_pages(self) -> None:
        """Close the tabs of `page()`, with all that is stored in them."""
        while self._contexts:
            self.call("Target.disposeBrowserContext", {"browserContextId": self._contexts.pop()})

    def run(self, script: str) -> Any:
        """The result of a script in the first page; a promise is awaited."""
        return self._page.run(script)

    def open(self, url: str) -> None:
        """Open an address in the first page and wait until it is loaded."""
        self._page.open(url)

    @property
    def first_page(self) -> Page:
        """The page whose storage is kept in the profile."""
        return self._page

    def processor_seconds(self) -> float:
        """The processor time that its processes have used; of those that have ended it is missing."""
        ticks = 0
        for process in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):
                # Behind the name, which may hold blanks: the group is the third, user and system time follow.
                words = process.read_text().rpartition(")")[2].split()
                ticks += int(words[11]) + int(words[12]) if int(words[2]) == self._pid else 0
        return ticks / os.sysconf("SC_CLK_TCK")

    def kill_tab(self) -> None:
        """Kill the processes of all pages, like a system that needs their memory; the first page becomes a new tab."""
        killed = []
        for process in psutil.Process(self._pid).children(recursive=True):
            with contextlib.suppress(psutil.Error):
                if "--type=renderer" in process.cmdline():
                    process.kill()
                    killed.append(process)
        # A page in the process that the browser keeps in reserve, and does not yet know to be dead, would hang.
        psutil.wait_procs(killed)
        self._page = Page(self)

    def close(self) -> None:
        """Kill the browser and all processes that it started."""
        os.close(self._commands)
        os.close(self._answers)
        os.killpg(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)

    def call(self, method: str, parameters: dict[str, Any], session: str | None = None) -> Any:
        """The result of a command of the protocol."""
        self._calls += 1
        message = {"id": self._calls, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        _write_all(self._commands, json.dumps(message).encode() + b"\0")
        while True:
            response = self._read()
            if response.get("id") == self._calls:
                assert "error" not in response, response["error"]
                return response["result"]

    def _read(self) -> Any:
        while b"\0" not in self._buffer:
            is_readable, _, _ = select.select([self._answers], [], [], self._timeout)
            assert is_readable, f"the browser has not answered within {self._timeout:g} s"
            piece = os.read(self._answers, 1 << 20)
            assert piece, "the browser has ended"
            self._buffer += piece
        message, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(message)


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]
