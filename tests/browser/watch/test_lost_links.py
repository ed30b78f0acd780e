"""The page while a response, a file or the right to watch is missing, temporarily or permanently."""

import json

import httpx2
import pytest

from tests.browser.chromium import Chromium
from tests.browser.watch.conftest import WATCHED, Lesson, Open, Viewer
from tests.conftest import Sql
from worker.recordings.objects.names import recording_prefix

_MAKING = "UPDATE whiteboard_session_recordings SET is_processing = :making, is_available = NOT :making WHERE id = :id"
# The page's requests pass through `change`, which may lose them or change what comes back.
_LINK = (
    "window.change = (url, get) => get(); window.asked = 0; const overLink = window.fetch;"
    "window.fetch = (url, ...given) => change(String(url), () => overLink(url, ...given));"
)
# The first addresses have expired.
_EXPIRED = (
    _LINK + "window.change = async (url, get) => {{"
    " if (!url.endsWith('{ending}') || asked++) return get();"
    " const response = await get();"
    " return new Response((await response.text()).replaceAll('Authorization=', 'Authorization=0'), response); }};"
)
# As with blocked cookies, or in a web view of another application.
_NO_STORAGE = (
    "for (const name of ['localStorage', 'sessionStorage']) Object.defineProperty(window, name,"
    " { get() { throw new DOMException('denied', 'SecurityError'); } });"
)
_PLAYS = "document.getElementById('voice').currentTime > 0.5"
_BOARD_IS_DRAWN = (
    "board.width > 2 && new Set(board.getContext('2d').getImageData(0, 0, board.width, board.height).data).size > 2"
)


def _alert(viewer: Viewer, text: str) -> None:
    viewer.wait(f"document.getElementById('alerts').textContent.startsWith({json.dumps(text)})")


def _chosen(viewer: Viewer, way: str = "strokes") -> None:
    viewer.wait(f"document.querySelector('[name=mode]:checked')?.value === '{way}'")


def _share(lesson: Lesson, **options: object) -> str:
    headers = {"Authorization": f"Bearer {lesson.token}"}
    response = httpx2.post(f"{lesson.api}/v1/recordings/{lesson.recording}/share", json=options, headers=headers)
    return str(response.json()["url"])


def _lose(lesson: Lesson, name: str) -> None:
    """Remove a file of the lesson from the bucket."""
    for stored in lesson.context.store.list(recording_prefix(lesson.session, lesson.recording)):
        if stored.name.endswith(f"/{name}"):
            lesson.context.store.delete(stored.name)


def _open_share(browser: Chromium, url: str, before: str = "") -> Viewer:
    page = browser.page()
    page.run_before_each_load(WATCHED + before)
    page.open(url)
    return Viewer(page)


def test_progress_goes_on_after_one_lost_answer(lesson: Lesson, open_lesson: Open, sql: Sql) -> None:
    lesson.put_strokes()
    sql(_MAKING, id=lesson.recording, making=True)
    viewer = open_lesson(before=_LINK)
    viewer.wait("!document.getElementById('making').hidden")
    viewer.run(
        f"change = (url, get) => url.endsWith('/recordings/{lesson.recording}') && !asked++"
        " ? Promise.reject(new TypeError('lost')) : get()"
    )
    viewer.wait("asked > 0")
    sql(_MAKING, id=lesson.recording, making=False)
    _chosen(viewer)
    assert viewer.text("alerts") == ""


def test_a_shared_lesson_that_is_being_prepared_plays_when_it_is_ready(
    lesson: Lesson, browser: Chromium, sql: Sql
) -> None:
    lesson.put_strokes()
    sql(_MAKING, id=lesson.recording, making=True)
    viewer = _open_share(browser, _share(lesson))
    viewer.wait("!document.getElementById('making').hidden")
    assert viewer.text("alerts") == ""
    sql(_MAKING, id=lesson.recording, making=False)
    _chosen(viewer)


def test_expired_addresses_are_replaced_and_the_lesson_goes_on(lesson: Lesson, open_lesson: Open) -> None:
    lesson.put_strokes()
    viewer = open_lesson(before=_EXPIRED.format(ending="/playback"))
    _chosen(viewer)
    viewer.run("seek.value = 5; seek.dispatchEvent(new Event('change'))")
    viewer.click("play")
    viewer.wait("voice.currentTime > 5.5")
    viewer.wait(_BOARD_IS_DRAWN)
    assert viewer.text("alerts") == ""
    assert viewer.run("faults") == []


def test_a_share_that_is_revoked_meanwhile_is_said_to_be(lesson: Lesson, browser: Chromium) -> None:
    lesson.put_strokes()
    url = _share(lesson)
    viewer = _open_share(browser, url, _EXPIRED.format(ending=url.rpartition("/")[2]))
    _chosen(viewer)
    headers = {"Authorization": f"Bearer {lesson.token}"}
    httpx2.delete(f"{lesson.api}/v1/recordings/{lesson.recording}/share", headers=headers)
    viewer.click("start")
    _alert(viewer, "This address is no longer valid.")


def test_who_is_signed_out_meanwhile_signs_in_and_goes_on(lesson: Lesson, open_lesson: Open) -> None:
    lesson.put_strokes()
    viewer = open_lesson(before=_EXPIRED.format(ending="/playback"))
    _chosen(viewer)
    viewer.run("localStorage.removeItem('token')")
    viewer.click("start")
    viewer.wait("!document.getElementById('signIn').hidden")
    assert viewer.text("alerts") == ""
    viewer.run(
        f"document.getElementById('token').value = '{lesson.token}'; document.querySelector('#signIn button').click()"
    )
    viewer.wait("document.getElementById('signIn').hidden")
    viewer.click("play")
    viewer.wait(_PLAYS)


def test_a_lost_file_is_said_to_be_and_another_way_plays(lesson: Lesson, open_lesson: Open) -> None:
    lesson.put_strokes()
    lesson.put_playback()
    viewer = open_lesson()
    _chosen(viewer)
    _lose(lesson, lesson.files.audio.name)
    viewer.click("start")
    _alert(viewer, "The file cannot be loaded.")
    viewer.run("document.querySelector('[name=mode][value=playback]').click()")
    viewer.wait("document.getElementById('film').currentTime > 1.5")
    assert viewer.text("alerts") == ""


def test_a_lost_film_is_given_up_for_its_sound(lesson: Lesson, open_lesson: Open) -> None:
    lesson.put_film_and_sound()
    viewer = open_lesson()
    _chosen(viewer, "360p")
    _lose(lesson, lesson.files.film.name)
    viewer.click("start")
    _chosen(viewer, "sound")
    viewer.wait(_PLAYS)


def test_strokes_whose_answer_is_lost_are_asked_for_again(lesson: Lesson, open_lesson: Open) -> None:
    lesson.put_strokes()
    viewer = open_lesson(before=_LINK)
    _chosen(viewer)
    viewer.run(
        "change = (url, get) => /replay/.test(url) && voice.currentTime < 2"
        " ? Promise.reject(new TypeError('lost')) : get()"
    )
    viewer.click("start")
    viewer.wait(_BOARD_IS_DRAWN)


def test_a_shared_part_is_played_again(lesson: Lesson, browser: Chromium) -> None:
    lesson.put_strokes()
    viewer = _open_share(browser, _share(lesson, **{"from": 2, "to": 3}))
    _chosen(viewer)
    viewer.click("play")
    viewer.wait("voice.paused && voice.currentTime >= 3")
    viewer.click("play")
    viewer.wait("voice.currentTime < 3 && voice.currentTime > 2.2")


def _describe(lesson: Lesson) -> None:
    headers = {"Authorization": f"Bearer {lesson.token}"}
    address = f"{lesson.api}/v1/recordings/{lesson.recording}"
    chapters = {"chapters": [{"start_ms": 0, "title": "Halves"}, {"start_ms": 7000, "title": "Quarters"}]}
    assert httpx2.put(f"{address}/chapters", json=chapters, headers=headers).status_code == 200
    captions = b"WEBVTT\n\n00:00.000 --> 00:11.000\nSelam\n"
    assert httpx2.put(f"{address}/captions/am", content=captions, headers=headers).status_code == 200


_CHOOSE = "captions.value = '{0}'; captions.dispatchEvent(new Event('change'))"


@pytest.mark.parametrize("lost", ["Promise.reject(new TypeError('lost'))", "new Response('', { status: 401 })"])
def test_captions_and_chapters_whose_answer_was_lost_or_has_expired_come_later(
    lesson: Lesson, open_lesson: Open, lost: str
) -> None:
    lesson.put_strokes()
    _describe(lesson)
    once = (
        "window.gone = new Set(); change = (url, get) => {"
        " const name = /(captions.am|chapters)[.]vtt/.exec(url)?.[1];"
        f" if (!name || gone.has(name)) return get(); gone.add(name); return {lost}; }};"
    )
    viewer = open_lesson(before=_LINK + once)
    viewer.wait("document.querySelector('#captions option[value=am]')")
    viewer.run(_CHOOSE.format("am"))
    viewer.wait("document.getElementById('caption').textContent === 'Selam'")
    viewer.wait("document.querySelectorAll('#chapterList button').length === 2")
    assert viewer.run("gone.size") == 2
    assert viewer.run("faults") == []


def test_captions_that_arrive_after_they_were_switched_off_are_not_shown(lesson: Lesson, open_lesson: Open) -> None:
    lesson.put_strokes()
    _describe(lesson)
    held = (
        "change = async (url, get) => { if (!url.includes('captions')) return get();"
        " await new Promise((go) => { window.go = go; });"
        " const response = await get(); const read = response.text.bind(response);"
        " response.text = async () => { const text = await read(); setTimeout(() => { window.isRead = true; });"
        " return text; }; return response; };"
    )
    viewer = open_lesson(before=_LINK + held)
    viewer.wait("document.querySelector('#captions option[value=am]')")
    viewer.run(_CHOOSE.format("am"))
    viewer.wait("window.go")
    viewer.run(_CHOOSE.format(""))
    viewer.run("go()")
    viewer.wait("window.isRead")
    assert viewer.text("caption") == ""
    # They are here: to choose them again costs nothing.
    viewer.run("change = () => Promise.reject(new TypeError('lost'))")
    viewer.run(_CHOOSE.format("am"))
    viewer.wait("document.getElementById('caption').textContent === 'Selam'")


def test_a_browser_that_may_store_nothing_plays_a_shared_lesson(lesson: Lesson, browser: Chromium) -> None:
    lesson.put_strokes()
    viewer = _open_share(browser, _share(lesson), _NO_STORAGE)
    _chosen(viewer)
    viewer.click("start")
    viewer.wait(_PLAYS)
    assert viewer.run("faults") == []


def test_a_pasted_token_may_have_characters_that_no_header_carries(lesson: Lesson, open_lesson: Open) -> None:
    lesson.put_strokes()
    viewer = open_lesson(token=False)
    for pasted in ("ቁልፍ", f"{lesson.token}\u200b"):
        viewer.wait("!document.getElementById('signIn').hidden")
        assert viewer.text("alerts") == ""
        viewer.run(
            f"document.getElementById('token').value = {json.dumps(pasted)};"
            "document.querySelector('#signIn button').click()"
        )
    _chosen(viewer)


def test_a_file_to_keep_opens_after_its_address_has_expired(lesson: Lesson, open_lesson: Open) -> None:
    lesson.put_playback()
    lesson.put("download", lesson.files.film, "video/mp4", "avc1.4d401e")
    viewer = open_lesson(before=_EXPIRED.format(ending="/playback"))
    viewer.wait("document.querySelector('#fileList a')")
    viewer.run("document.querySelector('#fileList a').click()")
    viewer.wait("document.contentType === 'video/mp4'")


def test_a_pack_is_waited_for_after_a_lost_response(lesson: Lesson, open_lesson: Open) -> None:
    lesson.put_strokes()
    viewer = open_lesson(before=_LINK)
    _chosen(viewer)
    viewer.run(
        "change = (url, get) => url.includes('/pack') && !asked++ ? Promise.reject(new TypeError('lost')) : get()"
    )
    viewer.click("packOrder")
    viewer.wait("asked")
    viewer.run("new Promise((done) => setTimeout(done))")
    assert viewer.text("packStatus") == "The file is being made …"
