"""`/record` in a real browser: from a session to the receipt, by keyboard, in two languages, at 320 px."""

from typing import Any

import pytest

from tests.browser.chromium import Page
from tests.browser.conftest import RecorderHarness, Watch
from tests.conftest import Sql
from tests.waiting import wait_for

# A link that loses the responses to requests whose address matches, until `lost` is null.
_LOSES = (
    "window.lost = /{lost}/; window.losses = 0; const overLink = window.fetch;"
    "window.fetch = async (url, ...given) => {{"
    " const response = await overLink(url, ...given);"
    " if (!lost?.test(url)) return response;"
    " losses += 1;"
    " throw new TypeError('lost'); }};"
)

# As with blocked cookies, or in a web view of another application.
_NO_STORAGE = (
    "for (const name of ['localStorage', 'sessionStorage']) Object.defineProperty(window, name,"
    " { get() { throw new DOMException('denied', 'SecurityError'); } });"
)
# A link without uploads, and a server that refuses the recording that it is asked for first.
_WITHOUT_UPLOADS = (
    "const overLink = window.fetch;"
    "window.fetch = async (url, ...given) => {"
    " if (/uploads/.test(url)) throw new TypeError('cut');"
    " return overLink(url, ...given); };"
)
_REFUSES_FIRST = (
    "window.refused = null; const overLink = window.fetch;"
    "window.fetch = async (url, options) => {"
    " const name = /filename [^,]+/.exec(options.headers['Upload-Metadata'])?.[0];"
    " refused ??= name ?? null;"
    " if (!name || name !== refused) return overLink(url, options);"
    " const headers = { 'Content-Type': 'application/problem+json' };"
    ' return new Response(\'{"detail": "It is closed."}\', { status: 403, headers }); };'
)


@pytest.fixture
def record_page(harness: RecorderHarness) -> Page:
    """The page, at the width of a small phone."""
    page = Page(harness.browsers[-1])
    size = {"width": 320, "height": 640, "deviceScaleFactor": 1, "mobile": False}
    page.call("Emulation.setDeviceMetricsOverride", size)
    page.open(f"{harness.api}/record")
    page.run(f"localStorage.setItem('token', '{harness.token}')")
    _reload(harness, page)
    return page


def _reload(harness: RecorderHarness, page: Page) -> None:
    _open(harness, page)
    _wait(page, "document.querySelectorAll('#session option').length")


def _open(harness: RecorderHarness, page: Page, before: str = "") -> None:
    page.open("about:blank")
    page.run_before_each_load(
        "window.faults = []; addEventListener('error', (event) => faults.push(event.message));"
        "addEventListener('unhandledrejection', (event) => faults.push(String(event.reason)));"
        "addEventListener('securitypolicyviolation', (event) => faults.push(event.blockedURI));" + before
    )
    page.open(f"{harness.api}/record")


def _wait(page: Page, condition: str) -> Any:
    return wait_for(
        lambda: page.run(f"Boolean({condition})"),
        pause=0.1,
        details=lambda: (condition, page.run("[document.body.innerText, faults]")),
    )


def _press(page: Page, key: str, code: int) -> None:
    for kind in ("keyDown", "keyUp"):
        text = {"text": "\r"} if key == "Enter" and kind == "keyDown" else {}
        page.call("Input.dispatchKeyEvent", {"type": kind, "key": key, "windowsVirtualKeyCode": code, **text})


def _focus(page: Page, element_id: str) -> None:
    """Go to the element by the tab key."""
    for _ in range(20):
        if page.run("document.activeElement.id") == element_id:
            return
        _press(page, "Tab", 9)
    raise AssertionError(page.run("document.activeElement.outerHTML"))


def _assert_narrow(page: Page) -> None:
    assert page.run("document.documentElement.scrollWidth") <= 320


def test_a_lesson_is_recorded_by_keyboard_and_watched(
    harness: RecorderHarness, record_page: Page, watch: Watch
) -> None:
    _assert_narrow(record_page)
    record_page.run("document.querySelector('[value=camera]').click()")
    _focus(record_page, "start")
    _press(record_page, "Enter", 13)
    _wait(record_page, "!document.getElementById('live').hidden")
    _wait(record_page, "parseInt(document.getElementById('stored').textContent)")
    _assert_narrow(record_page)
    assert record_page.run("document.activeElement.id") == "pause"
    _press(record_page, "Enter", 13)
    _wait(record_page, "document.getElementById('phase').textContent === 'Paused'")
    _press(record_page, "Enter", 13)
    _wait(record_page, "document.getElementById('phase').textContent === 'Recording'")
    _focus(record_page, "stop")
    _press(record_page, "Enter", 13)
    _wait(record_page, "document.getElementById('receiptTitle').textContent === 'Everything recorded has arrived'")
    assert record_page.run("document.getElementById('held').textContent") == "0 KB"
    assert record_page.run("document.getElementById('gaps').textContent") == "0 s"
    _wait(record_page, "document.getElementById('watch').href")
    _assert_narrow(record_page)
    (upload,) = harness.get(f"/v1/uploads?session_id={harness.session}")["items"]
    assert (upload["type"], [mark["kind"] for mark in upload["marks"]]) == ("video", ["pause"])
    assert watch(upload["recording_id"]).duration > 1
    assert record_page.run("faults") == []


def test_what_a_reload_has_left_is_offered_and_sent(harness: RecorderHarness, record_page: Page) -> None:
    record_page.run("document.querySelector('[value=voice]').click(); document.getElementById('start').click()")
    _wait(record_page, "parseInt(document.getElementById('stored').textContent)")
    record_page.run("document.querySelector('[data-language=am]').click()")
    _wait(record_page, "document.documentElement.lang === 'am'")
    record_page.close()
    page = Page(harness.browsers[-1])
    _reload(harness, page)
    _wait(page, "!document.getElementById('left').hidden")
    assert page.run("document.querySelector('h1').textContent") == "ትምህርት ይቅረጹ"
    page.run("document.getElementById('sendLeft').click()")
    _wait(page, "document.getElementById('receiptTitle').textContent === 'የተቀዳው ሁሉ ደርሷል'")
    (upload,) = harness.get(f"/v1/uploads?session_id={harness.session}")["items"]
    assert upload["state"] == "finished"
    assert page.run("faults") == []


def test_what_the_server_refuses_does_not_hold_back_the_rest(
    harness: RecorderHarness, record_page: Page, sql: Sql
) -> None:
    for _recording in range(2):
        page = Page(harness.browsers[-1])
        _open(harness, page, _WITHOUT_UPLOADS)
        _wait(page, "document.querySelectorAll('#session option').length")
        page.run("document.querySelector('[value=voice]').click(); document.getElementById('start').click()")
        _wait(page, "parseInt(document.getElementById('waiting').textContent)")
        page.close()
    _open(harness, record_page, _REFUSES_FIRST)
    _wait(record_page, "document.querySelectorAll('#leftList li').length === 2")
    record_page.run("document.getElementById('sendLeft').click()")
    wait_for(lambda: [row.state for row in sql("SELECT state FROM uploads")] == ["finished"])
    _wait(record_page, "document.getElementById('alerts').textContent.endsWith('It is closed.')")
    _wait(record_page, "!document.getElementById('save').hidden")
    assert record_page.run("faults") == []


def test_without_a_token_it_asks_for_one_and_keeps_it_out_of_the_address(
    harness: RecorderHarness, record_page: Page
) -> None:
    record_page.run("localStorage.removeItem('token')")
    record_page.open("about:blank")
    record_page.open(f"{harness.api}/record")
    _wait(record_page, "!document.getElementById('signIn').hidden")
    for pasted in ("ሰላም", f"Bearer {harness.token}"):
        record_page.run(f"document.getElementById('token').value = '{pasted}'")
        record_page.run("document.querySelector('#signIn button').click()")
        _wait(record_page, "!document.getElementById('signIn').hidden || document.querySelectorAll('option').length")
        assert record_page.run("document.getElementById('alerts').textContent") == ""
    _wait(record_page, "document.querySelectorAll('#session option').length")
    assert record_page.run("location.href") == f"{harness.api}/record"
    assert record_page.run("localStorage.getItem('token')") is None


def test_a_browser_that_may_store_nothing_signs_in(harness: RecorderHarness, record_page: Page) -> None:
    _open(harness, record_page, _NO_STORAGE)
    _wait(record_page, "!document.getElementById('signIn').hidden")
    record_page.run(
        f"document.getElementById('token').value = '{harness.token}\u200b';"
        "document.querySelector('#signIn button').click()"
    )
    _wait(record_page, "document.querySelectorAll('#session option').length")
    assert record_page.run("faults") == []


def test_a_screen_is_not_shared_when_the_microphone_is_denied(record_page: Page) -> None:
    record_page.run("""
        window.shared = document.createElement('canvas').captureStream();
        navigator.mediaDevices.getDisplayMedia = async () => shared;
        navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('no', 'NotAllowedError'); };
        document.querySelector('[value=screen]').click();
        document.getElementById('start').click();
    """)
    _wait(record_page, "document.querySelector('#alerts .warning')")
    assert record_page.run("shared.getTracks().map(({ readyState }) => readyState)") == ["ended"]
    assert record_page.run("document.getElementById('live').hidden")


def test_sessions_that_a_bad_link_loses_are_requested_again(harness: RecorderHarness, record_page: Page) -> None:
    _open(harness, record_page, _LOSES.format(lost="sessions"))
    _wait(record_page, "document.getElementById('alerts').textContent.startsWith('The server cannot be reached')")
    record_page.run("lost = null; 0")
    _wait(record_page, "document.querySelectorAll('#session option').length")
    assert record_page.run("[document.getElementById('alerts').textContent, faults]") == ["", []]


def _record_voice(page: Page) -> None:
    _wait(page, "document.querySelectorAll('#session option').length")
    page.run("document.querySelector('[value=voice]').click(); document.getElementById('start').click()")
    _wait(page, "parseInt(document.getElementById('stored').textContent)")
    page.run("document.getElementById('stop').click()")
    _wait(page, "losses")


def test_the_address_of_a_lesson_is_shown_after_a_lost_response(harness: RecorderHarness, record_page: Page) -> None:
    _open(harness, record_page, _LOSES.format(lost="v1.recordings"))
    _record_voice(record_page)
    record_page.run("lost = null; 0")
    _wait(record_page, "document.getElementById('watch').checkVisibility()")
    (upload,) = harness.get(f"/v1/uploads?session_id={harness.session}")["items"]
    address = f"{harness.api}/watch/{upload['recording_id']}"
    assert record_page.run(
        "[document.getElementById('watch').href, document.getElementById('address').textContent]"
    ) == [
        address,
        address,
    ]
    assert record_page.run("faults") == []


def test_a_recording_that_cannot_be_prepared_is_named(harness: RecorderHarness, record_page: Page, sql: Sql) -> None:
    _open(harness, record_page, _LOSES.format(lost="v1.recordings"))
    _record_voice(record_page)
    wait_for(lambda: sql("SELECT 1 FROM whiteboard_session_recordings WHERE is_available"))
    sql(
        "UPDATE whiteboard_session_recordings"
        """ SET is_available = false, is_processing = false, error = '{"detail": "It is damaged."}'"""
    )
    record_page.run("lost = null; 0")
    _wait(record_page, "document.getElementById('alerts').textContent")
    assert record_page.run("document.getElementById('alerts').textContent") == (
        "The recording has arrived, but could not be prepared. It is damaged."
    )
