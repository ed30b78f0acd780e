"""The Record button: it records, also a board on which nobody draws, and what it recorded is never lost."""

import signal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2

from tests.browser.chromium import Chromium
from tests.conftest import Processes, Sql
from tests.script_tag.conftest import TUTOR, BoardPage, Lesson
from tests.waiting import wait_for

RECORDED = "SELECT id, session_id, recording_title, is_processing, is_available, duration_seconds FROM"
RECORDINGS = f"{RECORDED} whiteboard_session_recordings"


def _record(page: BoardPage, seconds: int = 3) -> None:
    """Press Record and wait until this many seconds have been recorded."""
    page.press("#recordBtn")
    page.press(".choice-btn[data-mode=system]")
    page.wait(f"whiteboardManager.recordedChunks.length > {seconds}", "whiteboardManager.recordedChunks.length")


# How many bytes the journal of each recording on the browser's disk names. One may be removed meanwhile.
_HELD = """navigator.storage.getDirectory()
  .then((root) => root.getDirectoryHandle('astegni-recordings', { create: true }))
  .then(async (folder) => {
    const held = [];
    for await (const name of folder.keys()) {
      try {
        const journal = await (await (await folder.getDirectoryHandle(name)).getFileHandle('journal')).getFile();
        const entries = (await journal.text()).split('\\n').filter(Boolean).map((line) => JSON.parse(line));
        held.push(Math.max(...entries.map(({ offset = 0, length = 0 }) => offset + length)));
      } catch (error) {
        if (error.name !== 'NotFoundError') throw error;
      }
    }
    return held;
  })"""


def _upload(lesson: Lesson, sql: Sql) -> Any:
    """The tutor's only upload, or None."""
    sessions = sql("SELECT session_id FROM uploads")
    if not sessions:
        return None
    headers = {"Authorization": f"Bearer {lesson.platform.token(TUTOR)}"}
    (upload,) = httpx2.get(f"{lesson.api}/v1/uploads?session_id={sessions[0][0]}", headers=headers).json()["items"]
    return upload


def _wait_for_bytes(lesson: Lesson, sql: Sql) -> None:
    """Wait until the worker has something of a recording that still runs."""
    wait_for(lambda: (_upload(lesson, sql) or {"offset": 0})["offset"])


def test_a_still_board_is_recorded_uploaded_ingested_and_played(lesson: Lesson, processes: Processes, sql: Sql) -> None:
    processes.worker(lesson.settings)
    tutor = lesson.tutor("alone")
    tutor.call_alone()
    tutor.draw((20, 20), (60, 60))
    _record(tutor, seconds=4)
    _wait_for_bytes(lesson, sql)
    tutor.press("#recordBtn")
    wait_for(lambda: sql(RECORDINGS))
    wait_for(
        lambda: sql(f"{RECORDINGS} WHERE is_available"),
        details=lambda: (sql("SELECT kind, state, error FROM jobs"), processes.logs()[-2000:]),
    )
    (recording,) = sql(RECORDINGS)
    assert recording.duration_seconds >= 3
    assert recording.recording_title.startswith("Session with student - ")
    (started,) = sql(
        "SELECT recording_date BETWEEN now() - interval '10 minutes' AND now() FROM whiteboard_session_recordings"
    )
    assert started[0]
    # The platform's call names it to the page; the address that is played is a signed one.
    tutor.run(
        "whiteboardManager.showRecordingInLivePanel('/uploads/raw.webm', { id: whiteboardManager.currentCallId })"
    )
    tutor.wait("document.querySelector('.session-recording-video')?.readyState >= 2")
    played = tutor.run("document.querySelector('.session-recording-video').currentSrc")
    assert "Authorization=" in played
    # Nothing of it is kept in the browser any more.
    tutor.wait(f"({_HELD}).then((held) => !held.length)")
    assert tutor.errors == []


def test_pictures_of_the_others_are_recorded(lesson: Lesson, sql: Sql) -> None:
    tutor = lesson.tutor("alone", "streams")
    tutor.call_alone()
    tutor.send()
    tutor.wait("document.querySelector('#studentVideoGrid video')?.readyState >= 2")
    _record(tutor)
    tutor.press("#recordBtn")
    wait_for(lambda: sql(RECORDINGS))
    (source,) = sql("SELECT (recording_metadata->'source'->>'size_bytes')::int FROM whiteboard_session_recordings")
    # Of a still board it would be a tenth.
    assert source[0] > 3000
    assert tutor.errors == []


def test_the_end_of_the_call_stops_the_recorder_first(lesson: Lesson, sql: Sql) -> None:
    tutor = lesson.tutor("alone")
    tutor.call_alone()
    tutor.send()
    _record(tutor)
    tutor.press("#startVideoSessionBtn")
    wait_for(lambda: sql(RECORDINGS))
    wait_for(lambda: [row.status for row in sql("SELECT status FROM whiteboard_sessions")] == ["completed"])
    assert tutor.run("whiteboardManager.isRecording") is False


def _downloads(lesson: Lesson, folder: Path, page: BoardPage) -> None:
    lesson.browser.call(
        "Browser.setDownloadBehavior",
        {"behavior": "allow", "downloadPath": str(folder), "browserContextId": page.page.context},
    )


def test_a_recording_that_the_worker_refuses_is_downloaded(lesson: Lesson, tmp_path: Path, sql: Sql) -> None:
    tutor, student = lesson.tutor(), lesson.student()
    _downloads(lesson, tmp_path, student)
    lesson.call(student, tutor)
    tutor.send()
    student.send()
    _record(student)
    student.press("#recordBtn")
    file = wait_for(lambda: next(tmp_path.glob("whiteboard-recording-*.webm"), None))
    assert file.stat().st_size > 500
    student.wait(f"({_HELD}).then((held) => !held.length)")
    assert (student.errors, sql("SELECT 1 FROM uploads"), sql(RECORDINGS)) == ([], [], [])


def test_what_a_dead_worker_did_not_get_is_sent_when_it_is_back(lesson: Lesson, processes: Processes, sql: Sql) -> None:
    tutor = lesson.tutor("alone")
    tutor.call_alone()
    _record(tutor)
    _wait_for_bytes(lesson, sql)
    lesson.process.signal(signal.SIGKILL)
    chunks = tutor.run("whiteboardManager.recordedChunks.length")
    tutor.wait(f"whiteboardManager.recordedChunks.length > {chunks + 2}")
    tutor.press("#recordBtn")
    processes.api(lesson.settings, port=urlsplit(lesson.api).port)
    wait_for(lambda: sql(RECORDINGS))
    tutor.wait(f"({_HELD}).then((held) => !held.length)")
    assert (tutor.errors, lesson.platform.uploads) == ([], [])


def test_without_the_worker_the_platform_gets_the_recording(lesson: Lesson) -> None:
    tutor = lesson.tutor("alone")
    lesson.process.signal(signal.SIGKILL)
    tutor.call_alone()
    _record(tutor)
    tutor.press("#recordBtn")
    (upload,) = wait_for(lambda: lesson.platform.uploads)
    assert upload["bytes"] > 500


def test_what_a_killed_browser_has_recorded_is_sent_by_the_next(
    lesson: Lesson, chromium_program: str, tmp_path: Path, sql: Sql
) -> None:
    first = Chromium(chromium_program, tmp_path)
    try:
        tutor = lesson.tutor("alone", page=first.first_page)
        tutor.call_alone()
        _record(tutor)
        _wait_for_bytes(lesson, sql)
        # The last seconds are only on the browser's disk.
        lesson.process.signal(signal.SIGSTOP)
        (before,) = wait_for(lambda: tutor.run(f"({_HELD}).catch(() => null)"))
        (held,) = wait_for(lambda: tutor.run(f"({_HELD}).then((held) => held[0] > {before} && held).catch(() => null)"))
    finally:
        first.close()
    lesson.process.signal(signal.SIGCONT)
    second = Chromium(chromium_program, tmp_path)
    try:
        again = BoardPage(second.first_page, tutor.url)
        wait_for(lambda: sql(RECORDINGS), details=lambda: again.run("logged"))
        again.wait(f"({_HELD}).then((left) => !left.length)")
    finally:
        second.close()
    upload = _upload(lesson, sql)
    assert (upload["state"], upload["gaps"]) == ("finished", [])
    assert upload["offset"] >= held


def test_a_new_recording_does_not_wait_for_the_upload_of_the_last(lesson: Lesson, sql: Sql) -> None:
    tutor = lesson.tutor("alone")
    tutor.call_alone()
    tutor.send()
    _record(tutor)
    lesson.process.signal(signal.SIGSTOP)
    tutor.press("#recordBtn")
    tutor.wait("!whiteboardManager.isRecording && whiteboardManager.mediaRecorder.state === 'inactive'")
    _record(tutor)
    lesson.process.signal(signal.SIGCONT)
    wait_for(lambda: sql(RECORDINGS))
    tutor.press("#recordBtn")
    wait_for(lambda: len(sql(RECORDINGS)) == 2)
