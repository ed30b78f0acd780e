"""What a page says about a recording, or leaves out, never keeps `/recorder.js` from sending it."""

from tests.browser.conftest import RecorderHarness


def test_a_given_recorder_whose_type_the_page_left_to_the_browser(harness: RecorderHarness) -> None:
    harness.run(
        f"harness.recorder = new Recorder({{ session: {harness.session}, type: 'screen', "
        "token: () => localStorage.getItem('token') }); harness.watch(harness.recorder);"
        "window.media = new MediaRecorder(harness.stream()); media.start(500); harness.recorder.start(media)"
    )
    harness.wait("harness.recorder.state.storedBytes > 0")
    harness.run("media.stop()")
    harness.wait("harness.recorder.state.phase === 'finished'")
    mime = harness.run("harness.recorder.state.mime")
    assert mime.startswith("video/")
    assert harness.run("harness.recorder.state.receipt.filename").endswith(mime[6:10])


def test_a_session_that_the_server_does_not_have_is_refused(harness: RecorderHarness) -> None:
    harness.record("{ session: 999999 }")
    harness.wait("harness.recorder.state.warnings.includes('refused')")


def test_a_title_that_the_api_would_refuse(harness: RecorderHarness) -> None:
    harness.record("{ title: 'ሂ'.repeat(300) }")
    harness.wait("harness.recorder.state.storedBytes > 0 || harness.recorder.state.warnings.includes('refused')")
    assert harness.run("harness.recorder.state.warnings") == []
    assert harness.finish()["title"] == "ሂ" * 255
