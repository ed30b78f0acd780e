"""Pictures of the pages: those of the README (`make pictures`), and each page on a phone and on a large screen."""

import os
from base64 import b64decode
from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest

from tests.browser.chromium import Chromium, Page
from tests.browser.watch.conftest import Lesson, resize, show_page
from tests.conftest import Processes
from tests.waiting import wait_for
from worker.cli.demo.board import draw_on_board

_USE = (
    "captions.value = 'am'; captions.dispatchEvent(new Event('change')); seek.value = 5;"
    "seek.dispatchEvent(new Event('change')); document.getElementById('start').click()"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the pictures are kept: `PICTURES`, else nowhere."""
    path = Path(os.environ.get("PICTURES", tmp_path / "pictures"))
    path.mkdir(parents=True, exist_ok=True)
    return path


def _shoot(page: Page, path: Path, *, whole: bool) -> None:
    """The window, or the whole page."""
    picture = page.call("Page.captureScreenshot", {"format": "png", "captureBeyondViewport": whole})
    path.write_bytes(b64decode(picture["data"]))
    assert path.stat().st_size > 5_000


@pytest.mark.parametrize("name", ["watch", "index", "record", "plain", "pack"])
def test_pages_are_shown(
    lesson: Lesson, browser: Chromium, address_of: Callable[[str], str], folder: Path, name: str
) -> None:
    page = show_page(lesson, browser, address_of, name, (900, 970))
    if name in ("watch", "pack"):
        page.run(_USE)
        wait_for(lambda: page.run("voice.currentTime > 5.4 && !caption.hidden"))
        page.run("voice.pause()")
    if name == "watch":
        _shoot(page, folder / "watch.png", whole=False)
    for width in (320, 1280):
        resize(page, width)
        _shoot(page, folder / f"{name}-{width}.png", whole=True)


def test_a_board_is_drawn(lesson: Lesson, processes: Processes, folder: Path) -> None:
    processes.worker(lesson.settings)
    with httpx2.Client(base_url=lesson.api, headers={"Authorization": f"Bearer {lesson.token}"}) as tutor:
        draw_on_board(tutor, lesson.session)
        assert tutor.post(f"/v1/whiteboard/sessions/{lesson.session}/snapshot", json={}).status_code == 202
        files = f"/v1/whiteboard/sessions/{lesson.session}/snapshots"
        drawn = wait_for(
            lambda: [file for file in tutor.get(files).json()["items"] if file["name"] == "png" and file["url"]],
            details=processes.logs,
        )
    picture = httpx2.get(drawn[0]["url"])
    assert picture.content.startswith(b"\x89PNG")
    (folder / "board.png").write_bytes(picture.content)
