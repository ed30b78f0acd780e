"""`/recorder.js` in a real browser: what it recorded is at the server, whatever happened on the way."""

from tests.browser.conftest import Studio, Watch


def test_a_recording_arrives_while_it_is_made(studio: Studio, watch: Watch) -> None:
    studio.record()
    studio.wait_for_seconds(12)
    state = studio.run("studio.recorder.state")
    assert state["disk"] == "files"
    print(state)
