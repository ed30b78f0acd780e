"""`/recorder.js` behind proxies and captive portals, which answer in place of the API."""

import json

from tests.browser.conftest import Studio

# `answer` is what stands for the API, by {status, type, text}; `asked` has the methods of what it got.
_PROXY = """window.answer = null;
window.asked = [];
const fetched = window.fetch;
window.fetch = async (address, options) => {
  if (!answer || !String(address).includes('/uploads')) return fetched(address, options);
  asked.push(options.method);
  return new Response(answer.text, { status: answer.status, headers: { 'Content-Type': answer.type } });
};"""


def _record_behind(studio: Studio, status: int, text: str, kind: str = "text/html") -> None:
    """Record, and let a proxy answer once something is stored."""
    studio.open(before=_PROXY)
    studio.record()
    studio.wait("studio.recorder.state.storedBytes > 0")
    studio.run(f"answer = {json.dumps({'status': status, 'type': kind, 'text': text})}")


def _assert_one_whole_upload(studio: Studio) -> None:
    studio.run("answer = null")
    receipt = studio.finish()
    assert receipt["gaps"] == []
    assert len(studio.get(f"/v1/uploads?session_id={studio.session}")["items"]) == 1


def test_a_proxy_that_knows_no_path_does_not_lose_the_upload(studio: Studio) -> None:
    _record_behind(studio, 404, "404 page not found", "text/plain")
    studio.wait("asked.includes('HEAD')")
    studio.wait("studio.recorder.state.link === 'busy'")
    _assert_one_whole_upload(studio)


def test_the_page_of_a_captive_portal_is_no_offset(studio: Studio) -> None:
    _record_behind(studio, 200, "<!doctype html>Pay here")
    studio.wait("studio.recorder.state.link === 'offline'")
    studio.wait("asked.includes('HEAD')")
    assert studio.run("studio.recorder.state.link") == "offline"
    _assert_one_whole_upload(studio)


def test_only_the_api_refuses_and_says_why(studio: Studio) -> None:
    _record_behind(studio, 403, "<!doctype html>blocked")
    studio.wait("asked.includes('HEAD')")
    studio.wait("studio.recorder.state.link === 'busy'")
    assert studio.run("studio.recorder.state.warnings") == []
    problem = {"status": 403, "type": "application/problem+json", "text": '{"detail": "The session is closed."}'}
    studio.run(f"answer = {json.dumps(problem)}; studio.recorder.wake()")
    studio.wait("studio.recorder.state.warnings.includes('refused')")
    (warning,) = studio.run("studio.events.filter(([name]) => name === 'warning').map(([, detail]) => detail)")
    assert (warning["kind"], warning["about"]) == ("refused", "The session is closed.")
    studio.run("answer = null; studio.recorder.wake()")
    _assert_one_whole_upload(studio)
