"""`/`: what somebody who is signed in has here, and nothing for anybody else."""

from tests.browser.chromium import Chromium
from tests.browser.watch.conftest import WATCHED, Lesson, Viewer
from worker.access.tokens import issue_operator_token


def _open(browser: Chromium, lesson: Lesson, token: str | None) -> Viewer:
    page = browser.page()
    page.call(
        "Emulation.setDeviceMetricsOverride", {"width": 320, "height": 640, "deviceScaleFactor": 1, "mobile": False}
    )
    kept = f"localStorage.setItem('token', '{token}');" if token else ""
    page.run_before_each_load(f"if (location.protocol === 'http:') {{ {kept} }} {WATCHED}")
    page.open(f"{lesson.api}/")
    return Viewer(page)


def test_recordings_lessons_and_jobs_are_listed(lesson: Lesson, browser: Chromium) -> None:
    lesson.put_strokes()
    viewer = _open(browser, lesson, lesson.token)
    viewer.wait("document.querySelector('#recordingList a')")
    assert viewer.run("document.querySelector('#recordingList a').href") == lesson.url
    viewer.wait("!document.getElementById('week').hidden")
    assert viewer.run("document.getElementById('jobs').hidden") is True
    assert viewer.run("document.documentElement.scrollWidth") <= 320
    viewer.run("document.querySelector('[data-language=am]').click()")
    viewer.wait("document.getElementById('title').textContent === 'ትምህርቶች'")
    assert viewer.run("faults") == []


def test_an_operator_sees_unfinished_jobs(lesson: Lesson, browser: Chromium) -> None:
    key = lesson.settings.signing_key
    departments = frozenset({"manage-system-settings"})
    viewer = _open(browser, lesson, issue_operator_token(key, admin_id=3, departments=departments, expires_in=600))
    viewer.wait("!document.getElementById('jobs').hidden")


def test_without_a_token_it_asks_for_one(lesson: Lesson, browser: Chromium) -> None:
    viewer = _open(browser, lesson, None)
    viewer.wait("!document.getElementById('signIn').hidden")
    assert viewer.run("document.getElementById('recordings').hidden") is True
