"""What a page says about a recording, or leaves out, never keeps `/recorder.js` from sending it."""

from tests.browser.conftest import Studio


def test_a_given_recorder_whose_type_the_page_left_to_the_browser(studio: Studio) -> None:
    studio.run(
        f"studio.recorder = new Recorder({{ session: {studio.session}, type: 'screen', "
        "token: () => localStorage.getItem('token') }); studio.watch(studio.recorder);"
        "window.media = new MediaRecorder(studio.stream()); media.start(500); studio.recorder.start(media)"
    )
    studio.wait("studio.recorder.state.storedBytes > 0")
    studio.run("media.stop()")
    studio.wait("studio.recorder.state.phase === 'finished'")
    mime = studio.run("studio.recorder.state.mime")
    assert mime.startswith("video/")
    assert studio.run("studio.recorder.state.receipt.filename").endswith(mime[6:10])


def test_a_title_that_the_api_would_refuse(studio: Studio) -> None:
    studio.record("{ title: 'ሂ'.repeat(300) }")
    studio.wait("studio.recorder.state.storedBytes > 0 || studio.recorder.state.warnings.includes('refused')")
    assert studio.run("studio.recorder.state.warnings") == []
    assert studio.finish()["title"] == "ሂ" * 255
