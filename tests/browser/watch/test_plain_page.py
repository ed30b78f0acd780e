"""`/watch/{id}/plain` in a browser whose script is off: the sound plays, chapters and files are there."""

import httpx2
import pytest

from tests.browser.chromium import Chromium, Page
from tests.browser.watch.conftest import Lesson
from tests.conftest import Sql
from tests.waiting import wait_for
from worker.api.pages.page_assets import version

_MAX_BYTES = 15_000


def test_a_browser_without_script_has_sound_chapters_and_files(lesson: Lesson, browser: Chromium, sql: Sql) -> None:
    sql("UPDATE whiteboard_session_recordings SET recording_title = repeat('አ', 255)")
    lesson.put_strokes()
    lesson.put_playback()
    headers = {"Authorization": f"Bearer {lesson.token}"}
    address = f"{lesson.api}/v1/recordings/{lesson.recording}"
    chapters = [{"start_ms": 300 * n, "title": f"{n} <script>alert(1)</script>"} for n in range(39)]
    assert httpx2.put(f"{address}/chapters", json={"chapters": chapters}, headers=headers).status_code == 200
    url = httpx2.post(f"{address}/plain", headers=headers).json()["url"]
    response = httpx2.get(url, headers={"Accept-Encoding": "identity"})
    assert response.status_code == 200
    assert len(response.content) <= _MAX_BYTES
    assert "script" not in response.headers["content-security-policy"]
    page = browser.page()
    page.call("Emulation.setScriptExecutionDisabled", {"value": True})
    page.call(
        "Emulation.setDeviceMetricsOverride", {"width": 320, "height": 640, "deviceScaleFactor": 1, "mobile": False}
    )
    page.call("Page.navigate", {"url": url})
    # The protocol runs scripts of its own, the page none.
    # The style sheet is loaded, too.
    wait_for(lambda: page.run("document.querySelectorAll('ol li').length === 39 && document.readyState === 'complete'"))
    assert page.run("document.scripts.length") == 0
    assert page.run("document.documentElement.scrollWidth") <= 320
    assert page.run("document.querySelectorAll('ol a').length") > 0
    assert page.run("document.querySelector('link').href") == f"{lesson.api}/plain.css?v={version()}"
    page.run("document.querySelector('audio').play()")
    wait_for(lambda: page.run("document.querySelector('audio').currentTime > 0.5"))
    links = page.run("[...document.querySelectorAll('ul a')].map((link) => link.href)")
    assert len(links) == 2
    assert all(httpx2.get(link).status_code == 200 for link in links)
    page.run("document.querySelector('a[lang=am]').click()")
    wait_for(lambda: page.run("document.documentElement.lang === 'am' && document.querySelectorAll('audio').length"))


def _share(lesson: Lesson, **options: int) -> str:
    address = f"{lesson.api}/v1/recordings/{lesson.recording}/share"
    response = httpx2.post(address, json=options, headers={"Authorization": f"Bearer {lesson.token}"})
    assert response.status_code == 201, response.text
    return str(response.json()["url"])


def test_a_share_has_a_page_without_script(lesson: Lesson, browser: Chromium) -> None:
    lesson.put_strokes()
    lesson.put_playback()
    url = _share(lesson, **{"from": 4, "to": 9})
    page = browser.page()
    page.call("Emulation.setScriptExecutionDisabled", {"value": True})
    page.call("Page.navigate", {"url": url})
    wait_for(lambda: page.run("Boolean(document.querySelector('noscript a'))"))
    page.run("document.querySelector('noscript a').click()")
    # The page that is left has sound, too.
    wait_for(lambda: page.run("location.pathname.endsWith('/plain') && document.readyState === 'complete'"))
    assert page.run("document.scripts.length") == 0
    page.run("document.querySelector('audio').play()")
    wait_for(lambda: page.run("document.querySelector('audio').currentTime > 4"))
    response = httpx2.get(f"{url}/plain", headers={"Accept-Encoding": "identity"})
    assert len(response.content) <= _MAX_BYTES
    assert httpx2.get(f"{url}x/plain").status_code == 404
    secret = url.rpartition("/")[2]
    gone = httpx2.get(f"{url}x/plain?language=am")
    assert secret not in gone.text
    assert gone.headers["content-type"] == "text/html; charset=utf-8"
    assert "ይህ አድራሻ ከእንግዲህ አይሠራም።" in gone.text


def _block_module(page: Page) -> None:
    """As in a browser that knows no modules, or modules but not the syntax of this one (iOS 14)."""
    page.call("Network.enable", {})
    page.call("Network.setBlockedURLs", {"urls": ["*/watch.js*"]})


@pytest.mark.parametrize("is_shared", [False, True])
def test_a_browser_in_which_the_module_does_not_run_is_led_there(
    lesson: Lesson, browser: Chromium, *, is_shared: bool
) -> None:
    lesson.put_strokes()
    page = browser.page()
    token = "" if is_shared else f"localStorage.setItem('token', '{lesson.token}');"
    page.run_before_each_load(f"{token} localStorage.setItem('record-language', 'am')")
    _block_module(page)
    page.call("Page.navigate", {"url": _share(lesson) if is_shared else lesson.url})
    wait_for(lambda: page.run("Boolean(document.querySelector('audio[controls]'))"))
    assert page.run("location.pathname").endswith("/plain")
    assert page.run("document.documentElement.lang") == "am"


def test_a_browser_in_which_the_module_does_not_run_is_told_why_a_lesson_does_not_open(
    lesson: Lesson, browser: Chromium, sql: Sql
) -> None:
    sql("UPDATE whiteboard_session_recordings SET is_processing = true, is_available = false")
    page = browser.page()
    _block_module(page)
    page.run_before_each_load(
        "window.prompts = []; window.prompt = (text) => { prompts.push(text); return prompts.length === 1 ? 'x' : "
        f"'{lesson.token}'; }};"
    )
    page.open(lesson.url)
    wait_for(lambda: page.run("document.getElementById('alerts').textContent").endswith("still being processed."))
    # The first token was refused.
    assert page.run("prompts.length") == 2


def test_a_ticket_opens_one_lesson_only(lesson: Lesson) -> None:
    lesson.put_strokes()
    headers = {"Authorization": f"Bearer {lesson.token}"}
    url = httpx2.post(f"{lesson.api}/v1/recordings/{lesson.recording}/plain", headers=headers).json()["url"]
    other = url.replace(f"/watch/{lesson.recording}/", f"/watch/{lesson.recording + 1}/")
    assert httpx2.get(other).status_code == 401
    assert httpx2.get(url.partition("?")[0]).status_code == 401
