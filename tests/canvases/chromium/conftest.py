"""A headless Chromium to draw the same boards in, started once for the module that asks for it."""

import base64
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.chromium import Chromium
from worker.canvases.lettering.fonts import FAMILIES, ITALICS, FontFile, font_path

_HERE = Path(__file__).parent


class BoardBrowser(Chromium):
    """A browser that has our fonts and draws boards by board.js."""

    def __init__(self, program: str, home: Path) -> None:
        super().__init__(program, home)
        self.run((_HERE / "board.js").read_text(encoding="utf-8"))
        self.run(f"document.head.appendChild(document.createElement('style')).textContent = {json.dumps(_faces())}; 0")
        self.run("Promise.all([...document.fonts].map(face => face.load())).then(() => 0)")

    def draw(self, board: dict[str, Any]) -> bytes:
        """The PNG that the browser makes of a page."""
        fonts = ", ".join(f'"{family}"' for family in FAMILIES)
        url = self.run(f"drawBoard({json.dumps({'family': fonts, **board})})")
        return base64.b64decode(url.partition(",")[2])


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
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BoardBrowser]:
    """The browser. Skips where Debian's `chromium` is not installed."""
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("NOT COMPARED WITH A BROWSER: `chromium` is not installed (apt-get install chromium)")
    browser = BoardBrowser(program, tmp_path_factory.mktemp("chromium"))
    yield browser
    browser.close()
