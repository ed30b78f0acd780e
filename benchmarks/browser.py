"""The page in which Chromium draws boards, beside our own engine."""

import base64
import json
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.peers.ready_page import as_shapes
from tests.browser.chromium import Chromium
from worker.canvases.board import DrawnPage
from worker.canvases.lettering.fonts import FAMILIES, font_path

_SCRIPT = Path(__file__).with_name("canvas.js")
_FONTS = ("Arimo", "Noto Sans Ethiopic")
# Its processes continue to work after the response; the next contender would pay for that.
_TIDYING = 0.5


class Browser(Chromium):
    """A browser that has the fonts and draws prepared pages by canvas.js."""

    def __init__(self, program: str, home: Path) -> None:
        super().__init__(program, home)
        self.run(_SCRIPT.read_text())
        self.run(f"loadFonts({json.dumps({family: _font(family) for family in _FONTS})})")

    def prepare(self, page: DrawnPage) -> None:
        """Pass the shapes of a page to the browser in advance, so that `draw` only draws them."""
        colour = page.background
        prepared = {
            "shapes": as_shapes(page),
            "width": page.width,
            "height": page.height,
            "background": f"rgb({colour.red}, {colour.green}, {colour.blue})",
            "families": ", ".join(f'"{family}"' for family in _FONTS),
        }
        self.run(f"globalThis.page = {json.dumps(prepared)}; 0")

    def draw(self) -> tuple[float, bytes]:
        """Draw the prepared page: seconds within the browser until its PNG was ready, and the PNG."""
        result = self.run("draw(globalThis.page)")
        time.sleep(_TIDYING)
        return result["milliseconds"] / 1000, base64.b64decode(result["png"])


@contextmanager
def running_browser() -> Iterator[Browser | None]:
    """The browser; None where Debian's `chromium` is not installed."""
    program = shutil.which("chromium")
    if program is None:
        yield None
        return
    with TemporaryDirectory(prefix="astegni-browser-", ignore_cleanup_errors=True) as home:
        browser = Browser(program, Path(home))
        try:
            yield browser
        finally:
            browser.close()


def _font(family: str) -> str:
    return base64.b64encode(font_path(FAMILIES[family]).read_bytes()).decode()
