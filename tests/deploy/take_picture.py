"""The picture of the dashboard in docs/operations.md (`make pictures`): some minutes of a working installation."""

import time
from base64 import b64decode
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest

from tests.browser.chromium import Chromium
from tests.conftest import School
from tests.deploy.conftest import Watched
from tests.deploy.dashboard_page import WIDTH, dashboard_page
from tests.waiting import wait_for
from worker.cli.demo.board import draw_on_board
from worker.cli.demo.client import post, put
from worker.cli.demo.reminder import make_lesson

_SECONDS = 360
_PAUSE = 4.0
_MINUTES_BEFORE = 10
PICTURE = Path(__file__).parents[2] / "docs" / "pictures" / "dashboard.png"


@pytest.fixture
def browser(chromium_program: str, tmp_path: Path) -> Iterator[Chromium]:
    home = tmp_path / "browser"
    home.mkdir()
    browser = Chromium(chromium_program, home)
    yield browser
    browser.close()


def test_the_dashboard_is_shown(watched: Watched, school: School, browser: Chromium, tmp_path: Path) -> None:
    start = time.time()
    with watched.client(school.tutor) as tutor, watched.client(school.student) as student:
        while time.time() < start + _SECONDS:
            _teach(watched, tutor, student, school.booking_id)
            time.sleep(_PAUSE)
    page_file = tmp_path / "dashboard.html"
    page_file.write_text(dashboard_page(watched.prometheus, start + 60, time.time()))
    page = browser.page()
    size = {"width": WIDTH, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    page.call("Emulation.setDeviceMetricsOverride", size)
    page.open(page_file.as_uri())
    picture = page.call("Page.captureScreenshot", {"format": "png", "captureBeyondViewport": True})
    PICTURE.write_bytes(b64decode(picture["data"]))


def _teach(watched: Watched, tutor: httpx2.Client, student: httpx2.Client, booking_id: int) -> None:
    """A recording, strokes and their picture, a lesson and its reminder, and requests that are refused."""
    watched.upload(tutor)
    session_id = post(tutor, "/v1/whiteboard/sessions", {"booking_id": booking_id})["id"]
    draw_on_board(tutor, session_id)
    post(tutor, f"/v1/whiteboard/sessions/{session_id}/snapshot", {})
    soon = timedelta(minutes=_MINUTES_BEFORE, seconds=3)
    before = _newest(student)
    lesson = make_lesson(tutor, booking_id, starts_in=soon)
    alarm = {"minutes_before": _MINUTES_BEFORE, "channels": ["in_app"]}
    put(student, f"/v1/schedules/{lesson}/alarms", {"alarms": [alarm]})
    # Lessons of one tutor must not overlap.
    wait_for(lambda: _newest(student) != before)
    post(tutor, f"/v1/schedules/{lesson}/cancel", {})
    student.get(f"/v1/recordings/{2**31}")


def _newest(person: httpx2.Client) -> int | None:
    items = person.get("/v1/me/notifications").json()["items"]
    return items[0]["id"] if items else None
