"""`/recorder.js` behind proxies and captive portals, which answer in place of the API."""

import json

from tests.browser.conftest import RecorderHarness

# `answer` is what stands for the API, by {status, type, text}; `asked` has the methods of what it got.
_PROXY = """window.answer = null;
window.asked = [];
const fetched = window.fetch;
window.fetch = async (address, options) => {
  if (!answer || !String(address).includes('/uploads')) return fetched(address, options);
  asked.push(options.method);
  return new Response(answer.text, { status: answer.status, headers: { 'Content-Type': answer.type } });
};"""


def _record_behind(harness: RecorderHarness, status: int, text: str, kind: str = "text/html") -> None:
    """Record, and let a proxy answer once something is stored."""
    harness.open(before=_PROXY)
    harness.record()
    harness.wait("harness.recorder.state.storedBytes > 0")
    harness.run(f"answer = {json.dumps({'status': status, 'type': kind, 'text': text})}")


def _assert_one_whole_upload(harness: RecorderHarness) -> None:
    harness.run("answer = null")
    receipt = harness.finish()
    assert receipt["gaps"] == []
    assert len(harness.get(f"/v1/uploads?session_id={harness.session}")["items"]) == 1


def test_a_proxy_that_knows_no_path_does_not_lose_the_upload(harness: RecorderHarness) -> None:
    _record_behind(harness, 404, "404 page not found", "text/plain")
    harness.wait("asked.includes('HEAD')")
    harness.wait("harness.recorder.state.link === 'busy'")
    _assert_one_whole_upload(harness)


def test_the_page_of_a_captive_portal_is_no_offset(harness: RecorderHarness) -> None:
    _record_behind(harness, 200, "<!doctype html>Pay here")
    harness.wait("harness.recorder.state.link === 'offline'")
    harness.wait("asked.includes('HEAD')")
    assert harness.run("harness.recorder.state.link") == "offline"
    _assert_one_whole_upload(harness)


def test_only_the_api_refuses_and_says_why(harness: RecorderHarness) -> None:
    _record_behind(harness, 403, "<!doctype html>blocked")
    harness.wait("asked.includes('HEAD')")
    harness.wait("harness.recorder.state.link === 'busy'")
    assert harness.run("harness.recorder.state.warnings") == []
    problem = {"status": 403, "type": "application/problem+json", "text": '{"detail": "The session is closed."}'}
    harness.run(f"answer = {json.dumps(problem)}; harness.recorder.wake()")
    harness.wait("harness.recorder.state.warnings.includes('refused')")
    (warning,) = harness.run("harness.events.filter(([name]) => name === 'warning').map(([, detail]) => detail)")
    assert (warning["kind"], warning["about"]) == ("refused", "The session is closed.")
    harness.run("answer = null; harness.recorder.wake()")
    _assert_one_whole_upload(harness)
