"""Recordings that a page of the platform makes by the worker's own recorder."""

import signal
from urllib.parse import urlsplit

from tests.conftest import Processes, Sql
from tests.script_tag.conftest import Lesson
from tests.waiting import wait_for

_RECORD = """astegni.recorder({ type: 'screen' }).then((recorder) => {
  window.recorder = recorder;
  return recorder.start(whiteboardManager.canvas.captureStream(5));
})"""
_NOTE_FAILURES = "window.failures = []; console.debug = (...words) => failures.push(words.join(' '))"
_UPLOADS = "SELECT state, session_id, title FROM uploads"


def test_a_page_records_its_session_by_the_recorder(lesson: Lesson, sql: Sql) -> None:
    tutor = lesson.tutor("alone")
    tutor.call_alone()
    tutor.run(_RECORD)
    tutor.wait("recorder.state.storedBytes > 0", "recorder.state")
    tutor.run("recorder.stop()")
    tutor.wait("recorder.state.phase === 'finished'", "recorder.state")
    (upload,) = sql(_UPLOADS)
    (session,) = sql("SELECT id, session_title FROM whiteboard_sessions")
    assert (upload.state, upload.session_id) == ("finished", session.id)
    assert tutor.errors == []


def test_the_next_page_sends_what_a_stopped_recording_has_left(lesson: Lesson, processes: Processes, sql: Sql) -> None:
    tutor = lesson.tutor("alone")
    tutor.call_alone()
    tutor.run(_RECORD)
    tutor.wait("recorder.state.storedBytes > 0", "recorder.state")
    lesson.process.signal(signal.SIGKILL)
    tutor.wait("recorder.state.waitingBytes > 0", "recorder.state")
    tutor.run("recorder.stop()")
    processes.api(lesson.settings, port=urlsplit(lesson.api).port)
    # The module cannot be loaded at first.
    tutor.page.call("Network.enable", {})
    tutor.page.call("Network.setBlockedURLs", {"urls": ["*/recorder.js*"]})
    tutor.page.run_before_each_load(_NOTE_FAILURES)
    tutor.load()
    tutor.wait("failures.concat(logged).some((words) => words.includes('recorder.js'))", "[failures, logged]")
    tutor.page.call("Network.setBlockedURLs", {"urls": []})
    tutor.run("dispatchEvent(new Event('online'))")
    wait_for(lambda: [row.state for row in sql(_UPLOADS)] == ["finished"], details=lambda: tutor.run("logged"))
    assert tutor.errors == []
