"""`/`: what somebody who is signed in has here, and nothing for anybody else."""

import json
from datetime import timedelta
from pathlib import Path

import httpx2

from tests.browser.chromium import Chromium
from tests.browser.watch.conftest import FLOWER, WATCHED, Lesson, Viewer
from tests.conftest import Sql
from worker import clock
from worker.access.issue_token import issue_operator_token
from worker.api.pages.page_assets import version

_RECORDING = (
    "INSERT INTO whiteboard_session_recordings (session_id, recording_title, recording_type, is_processing,"
    " is_available, error) VALUES (:session, :title, 'video', :processing, false, CAST(:error AS jsonb))"
)


# A link that loses the first requests.
_LOSES = (
    "let lost = 2; const overLink = window.fetch;"
    "window.fetch = (...given) => (lost-- > 0 ? Promise.reject(new TypeError('lost')) : overLink(...given));"
)
# A link over which a list arrives when `release` is called.
_LATE = (
    "window.isLate = false; const overLink = window.fetch;"
    "window.fetch = async (url, ...given) => {"
    " const response = await overLink(url, ...given);"
    " if (!isLate || !/recordings\\?/.test(url)) return response;"
    " isLate = false;"
    " const list = await response.json();"
    " await new Promise((go) => { window.release = go; });"
    " return { ok: true, json: async () => list }; };"
)


def _open(browser: Chromium, lesson: Lesson, token: str | None, before: str = "") -> Viewer:
    page = browser.page()
    page.call(
        "Emulation.setDeviceMetricsOverride", {"width": 320, "height": 640, "deviceScaleFactor": 1, "mobile": False}
    )
    page.call("Emulation.setTimezoneOverride", {"timezoneId": "Africa/Addis_Ababa"})
    kept = f"localStorage.setItem('token', '{token}');" if token else ""
    page.run_before_each_load(f"if (location.protocol === 'http:') {{ {kept} }} {WATCHED} {before}")
    page.open(f"{lesson.api}/")
    return Viewer(page)


def _operator(lesson: Lesson) -> str:
    departments = frozenset({"manage-system-settings"})
    return issue_operator_token(lesson.settings.signing_key, admin_id=3, departments=departments, expires_in=600)


def test_recordings_lessons_and_jobs_are_listed(lesson: Lesson, browser: Chromium) -> None:
    lesson.put_strokes()
    viewer = _open(browser, lesson, lesson.token)
    viewer.wait("document.querySelector('#recordingList a')")
    assert viewer.run("document.querySelector('#recordingList a').href") == lesson.url
    loaded = viewer.run("performance.getEntriesByType('resource').map((file) => file.name)")
    names = ("watch.css", "index.js", "watch-words-en.js")
    assert {f"{lesson.api}/{name}?v={version()}" for name in names} <= set(loaded)
    viewer.wait("!document.getElementById('week').hidden")
    assert viewer.run("document.getElementById('jobs').hidden") is True
    assert viewer.run("document.getElementById('flower').hidden") is True
    assert viewer.run("document.documentElement.scrollWidth") <= 320
    viewer.run("document.querySelector('[data-language=am]').click()")
    viewer.wait("document.getElementById('title').textContent === 'ትምህርቶች'")
    assert viewer.run("faults") == []


def test_recordings_have_posters_and_states(lesson: Lesson, browser: Chromium, sql: Sql, tmp_path: Path) -> None:
    lesson.put_playback()
    poster = tmp_path / "poster.png"
    poster.write_bytes((Path(__file__).parents[3] / "docs" / "pictures" / "board.png").read_bytes())
    lesson.put("poster", poster, "image/png")
    error = json.dumps({"code": "media-rejected", "reason": "empty", "detail": "The file has no bytes."})
    sql(_RECORDING, session=lesson.session, title="Halves", processing=True, error=None)
    sql(_RECORDING, session=lesson.session, title="Thirds", processing=False, error=error)
    viewer = _open(browser, lesson, lesson.token)
    viewer.wait("document.querySelectorAll('#recordingList a').length === 3")
    viewer.wait("document.querySelector('#recordingList img')?.naturalWidth > 0")
    cards = viewer.run("[...document.querySelectorAll('#recordingList a')].map((card) => card.innerText)")
    assert "could not be prepared" in cards[0]
    assert "being prepared" in cards[1]
    assert "prepared" not in cards[2]
    assert viewer.run("faults") == []


def test_the_weeks_lessons_have_their_reminders(lesson: Lesson, browser: Chromium) -> None:
    begin = (clock.now() + timedelta(days=2)).replace(hour=9, minute=0, second=0, microsecond=0)
    body = {
        "booking_id": lesson.booking,
        "schedule_date": begin.date().isoformat(),
        "start_time": "09:00",
        "end_time": "10:00",
        "timezone": "UTC",
    }
    alarms = {"alarms": [{"minutes_before": 15}, {"minutes_before": 60}, {"minutes_before": 4320}]}
    with httpx2.Client(base_url=lesson.api, headers={"Authorization": f"Bearer {lesson.token}"}) as tutor:
        response = tutor.post("/v1/schedules", json=body)
        assert response.status_code == 201, response.text
        week = {"from": clock.now().isoformat(), "to": (clock.now() + timedelta(days=7)).isoformat()}
        [schedule] = tutor.get("/v1/schedules", params=week).json()["items"]
        assert tutor.put(f"/v1/schedules/{schedule['id']}/alarms", json=alarms).status_code == 200
        # Not booked by anybody.
        slot = body | {"booking_id": None, "start_time": "11:00", "end_time": "12:00"}
        assert tutor.post("/v1/schedules", json=slot).status_code == 201
    viewer = _open(browser, lesson, lesson.token)
    viewer.wait("document.querySelector('#weekList small')")
    assert viewer.run("document.querySelectorAll('#weekList li').length") == 1
    shown = viewer.text("weekList")
    assert schedule["student_name"] in shown
    # An hour and a quarter of an hour before; the alarm of the past is not named.
    times = shown.partition("reminders: ")[2].split("; ")
    assert len(times) == 2
    assert all(f":{minute}" in time for time, minute in zip(times, ("00", "45"), strict=True))
    assert viewer.run("faults") == []


def test_an_operator_sees_unfinished_jobs_flower_and_the_documentation(
    lesson: Lesson, browser: Chromium, sql: Sql
) -> None:
    for _ in range(3):
        sql("INSERT INTO jobs (kind, run_at) VALUES ('recordings.pack', now() + interval '1 day')")
    viewer = _open(browser, lesson, _operator(lesson))
    viewer.wait("!document.getElementById('jobs').hidden")
    assert "recordings.pack · queued: 3" in viewer.text("jobList")
    assert viewer.run("document.getElementById('flower').checkVisibility()") is True
    assert viewer.run("document.getElementById('flower').href") == FLOWER
    assert viewer.run("document.querySelector('[data-word=docsLink]').href") == f"{lesson.api}/docs"
    assert httpx2.get(f"{lesson.api}/docs").status_code == 200
    assert viewer.run("faults") == []


def test_without_a_token_it_asks_for_one(lesson: Lesson, browser: Chromium) -> None:
    viewer = _open(browser, lesson, None)
    viewer.wait("!document.getElementById('signIn').hidden")


def test_what_a_bad_link_loses_is_said_and_asked_for_again(lesson: Lesson, browser: Chromium) -> None:
    viewer = _open(browser, lesson, lesson.token, _LOSES)
    viewer.wait("document.getElementById('alerts').textContent.startsWith('The server cannot be reached')")
    viewer.wait("document.querySelector('#recordingList a') && !document.getElementById('week').hidden")
    viewer.wait("document.getElementById('alerts').textContent === ''")


def test_a_list_that_comes_late_is_not_shown_beside_a_newer_one(lesson: Lesson, browser: Chromium) -> None:
    viewer = _open(browser, lesson, lesson.token, _LATE)
    viewer.wait("document.querySelector('#recordingList a')")
    viewer.run("isLate = true; document.querySelector('[data-language=am]').click()")
    viewer.wait("window.release")
    viewer.run("document.querySelector('[data-language=en]').click()")
    viewer.wait("document.querySelector('#recordingList a') && document.title === 'Lessons'")
    viewer.run("release(); new Promise((done) => setTimeout(done))")
    assert viewer.run("document.querySelectorAll('#recordingList a').length") == 1
