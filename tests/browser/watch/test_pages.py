"""The pages of the board beside a film of a lesson, on the page and in its pack."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.browser.chromium import Chromium
from tests.browser.watch.conftest import Lesson, Open, Viewer, fetch_pack
from tests.browser.watch.lesson import SECONDS
from tests.conftest import Processes, Sql
from tests.waiting import wait_for
from worker import clock
from worker.player.readable import size_text

_TURN = 6
_LINE = {"points": [[100, 100], [600, 400]], "color": "#1a5fb4", "width": 8}
_STROKE = (
    "UPDATE whiteboard_canvas_data SET created_at = :at, started_at = :at, ended_at = :at WHERE page_id = :page_id"
)
_EVENT = "INSERT INTO whiteboard_events (session_id, kind, page_id, at) VALUES (:session, 'page', :page_id, :at)"
_RECORDED = (
    "UPDATE whiteboard_session_recordings SET recording_type = 'video', recording_date = :at, recording_metadata ="
    ' CAST(\'{"duration_ms": 12000, "audio_codec": "opus"}\' AS jsonb) WHERE id = :id'
)
# The first addresses of the pages have expired.
_EXPIRED = (
    "let asked = 0; const overLink = window.fetch;"
    "window.fetch = async (url, ...given) => {"
    " const response = await overLink(url, ...given);"
    " if (!String(url).endsWith('/pages') || asked++) return response;"
    " return new Response((await response.text()).replaceAll('Authorization=', 'Authorization=0'), response); };"
)
_CURRENT = "document.querySelector('#pageList [aria-current=true]')?.dataset.page"


@pytest.fixture
def tutor(lesson: Lesson) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=lesson.api, headers={"Authorization": f"Bearer {lesson.token}"}) as client:
        yield client


@pytest.fixture
def filmed(lesson: Lesson, processes: Processes, sql: Sql, tutor: httpx2.Client) -> Lesson:
    """A film of a lesson with a board of two pages: the second was turned to in the middle."""
    begin = clock.now() - timedelta(minutes=5)
    sql("DELETE FROM whiteboard_events WHERE session_id = :session", session=lesson.session)
    address = f"/v1/whiteboard/sessions/{lesson.session}"
    assert tutor.post(f"{address}/pages", json={"page_title": "Halves"}).status_code == 201
    for number, page in enumerate(tutor.get(f"{address}/pages").json()["items"]):
        stroke = {"client_id": f"{number}", "stroke_type": "pen", "stroke_data": _LINE}
        response = tutor.post(f"/v1/whiteboard/pages/{page['id']}/strokes", json={"strokes": [stroke]})
        assert response.status_code == 200, response.text
        at = begin + timedelta(seconds=_TURN * number)
        sql(_STROKE, at=at + timedelta(seconds=1), page_id=page["id"])
        sql(_EVENT, session=lesson.session, page_id=page["id"], at=at)
    sql(_RECORDED, id=lesson.recording, at=begin)
    processes.worker(lesson.settings)
    assert tutor.post(f"{address}/snapshot", json={}).status_code == 202

    def are_drawn() -> bool:
        files = tutor.get(f"{address}/snapshots").json()["items"]
        return [file["name"] for file in files].count("thumbnail") == 2

    wait_for(are_drawn, details=processes.logs)
    return lesson


def _pages(filmed: Lesson, tutor: httpx2.Client) -> Any:
    return tutor.get(f"/v1/recordings/{filmed.recording}/pages").json()


def test_pages_are_shown_beside_a_film(filmed: Lesson, open_lesson: Open, tutor: httpx2.Client) -> None:
    filmed.put_film_and_sound()
    pages = _pages(filmed, tutor)
    assert [(turn["start_ms"], turn["page_number"]) for turn in pages["turns"]] == [(0, 1), (_TURN * 1000, 2)]
    viewer = open_lesson(before=_EXPIRED)
    viewer.wait("document.querySelectorAll('#pageList img').length === 2")
    viewer.wait("[...document.querySelectorAll('#pageList img')].every(({ naturalWidth }) => naturalWidth > 0)")
    assert viewer.run(_CURRENT) == "1"
    viewer.run("document.querySelectorAll('#pageList button')[1].click()")
    viewer.wait(f"{_CURRENT} === '2'")
    assert viewer.time() == pytest.approx(_TURN, abs=0.1)
    assert viewer.run("faults") == []


def test_pictures_wait_where_somebody_saves_data(filmed: Lesson, open_lesson: Open, tutor: httpx2.Client) -> None:
    filmed.put_film_and_sound()
    cost = sum(page["thumbnail_bytes"] for page in _pages(filmed, tutor)["pages"])
    viewer = open_lesson(before="localStorage.setItem('watch-saver', 'on');")
    viewer.wait("!document.getElementById('fetchPages').hidden")
    assert viewer.text("fetchPages") == f"Show the pages ({size_text(cost)})"
    assert viewer.run("document.querySelectorAll('#pageList img').length") == 0
    viewer.click("fetchPages")
    viewer.wait(f"Number(localStorage.getItem(`watch-bytes-${{new Date().toISOString().slice(0, 7)}}`)) === {cost}")
    assert viewer.run("document.querySelectorAll('#pageList img').length") == 2
    assert viewer.run("faults") == []


def test_a_pack_of_a_film_shows_the_pages(
    filmed: Lesson, browser: Chromium, processes: Processes, tmp_path: Path
) -> None:
    filmed.put_film_and_sound()
    path = tmp_path / "lesson.html"
    path.write_bytes(fetch_pack(filmed, processes))
    page = browser.page()
    page.cut()
    page.open(path.as_uri())
    viewer = Viewer(page)
    viewer.wait("document.querySelectorAll('#pageList img').length === 2")
    shown = "[...document.querySelectorAll('#pageList img')].findIndex(({ src }) => src === poster.src)"
    assert viewer.run(shown) == 0
    viewer.run(f"seek.value = {_TURN + 1}; seek.dispatchEvent(new Event('change'))")
    viewer.wait(f"{shown} === 1")
    viewer.wait("poster.naturalWidth > 600")
    viewer.run(f"seek.value = {SECONDS - 1}; seek.dispatchEvent(new Event('change'))")
    viewer.click("play")
    viewer.wait("document.getElementById('play').textContent === 'Play' && voice.ended")


def test_the_pages_of_a_film_of_strokes_are_drawn_on_request(lesson: Lesson, open_lesson: Open) -> None:
    lesson.put_strokes()
    size = lesson.put_playback()
    assert size > 0
    viewer = open_lesson(before="localStorage.setItem('watch-way', 'playback');")
    viewer.wait("!document.getElementById('fetchPages').hidden")
    assert viewer.text("fetchPages").startswith("Show the pages (")
    assert viewer.run("document.querySelectorAll('#pageList canvas').length") == 0
    viewer.click("fetchPages")
    viewer.wait("document.querySelectorAll('#pageList canvas').length === 2")
    assert viewer.run("document.getElementById('fetchPages').hidden") is True
    assert viewer.run("faults") == []
