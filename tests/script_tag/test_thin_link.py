"""A lesson of voice and strokes over an uplink of 48 kbit/s that breaks three times.

`make thin-link` runs it at full length, three minutes with breaks of 10 s, and prints when the lesson was whole.
"""

import os
import sys
from collections.abc import Iterator

import pytest

from tests.chaos.harness.proxy import Proxy
from tests.conftest import Processes, Sql
from tests.script_tag.conftest import BoardPage, Lesson
from tests.waiting import TIMEOUT, wait_for

SECONDS = float(os.environ.get("THIN_LINK_SECONDS", "24"))
BREAKS = 3
BREAK_SECONDS = SECONDS / 18
BYTES_PER_SECOND = 48_000 / 8
_RECORD = """Promise.all([
  astegni.recorder({ type: 'board' }), navigator.mediaDevices.getUserMedia({ audio: true }),
]).then(([recorder, voice]) => {
  window.recorder = recorder;
  return recorder.start(voice);
})"""
_STOP = """(async () => {
  const begun = performance.now();
  await recorder.stop();
  while (recorder.state.phase !== 'finished' || (await astegni.pending()).length) {
    astegni.send();
    await new Promise((resolve) => { setTimeout(resolve, 50); });
  }
  return (performance.now() - begun) / 1000;
})()"""
_FILM = "SELECT duration_seconds, is_available FROM whiteboard_session_recordings WHERE id = :id"


@pytest.fixture
def link(lesson: Lesson) -> Iterator[Proxy]:
    """The tutor's link to the API."""
    with Proxy(int(lesson.api.rpartition(":")[2])) as proxy:
        proxy.uplink = BYTES_PER_SECOND
        yield proxy


def _teach_until(tutor: BoardPage, second: float) -> None:
    """Draw a line every two seconds, until so much has been recorded."""
    while tutor.run("recorder.state.recordedMs") < second * 1000:
        tutor.draw((20, 20), (60, 60), (90, 30), (140, 70))
        tutor.run("new Promise((resolve) => { setTimeout(resolve, 1800); })")


def test_a_lesson_of_voice_and_strokes_is_whole_soon_after_its_end(
    lesson: Lesson, link: Proxy, processes: Processes, sql: Sql
) -> None:
    processes.worker(lesson.settings)
    tutor = lesson.tutor("alone", tag=f"http://127.0.0.1:{link.port}/astegni.js")
    tutor.call_alone()
    tutor.run(_RECORD)
    part = SECONDS / (BREAKS + 1)
    for number in range(1, BREAKS + 1):
        _teach_until(tutor, number * part)
        link.refuse()
        _teach_until(tutor, number * part + BREAK_SECONDS)
        link.refuse(False)
    _teach_until(tutor, SECONDS)
    whole_after = tutor.run(_STOP)
    sys.stdout.write(f"{SECONDS:g} s of voice and strokes: whole {whole_after:.1f} s after the end\n")
    state = tutor.run("recorder.state")
    assert (state["receipt"]["gaps"], state["receipt"]["offset"]) == ([], state["recordedBytes"])
    assert state["recordedMs"] >= SECONDS * 1000
    drawn = tutor.run("whiteboardManager.currentPage.strokes.map((stroke) => stroke.client_id)")
    kept = sql("SELECT client_id FROM whiteboard_canvas_data ORDER BY stroke_order")
    assert [row.client_id for row in kept] == drawn
    recording = state["receipt"]["recording_id"]
    (row,) = wait_for(
        lambda: [row for row in sql(_FILM, id=recording) if row.is_available],
        within=TIMEOUT + SECONDS,
        details=lambda: (sql(_FILM, id=recording), processes.logs()[-2000:]),
    )
    assert abs(row.duration_seconds - SECONDS) < 10
    assert tutor.errors == []
    # Only at full length: a short lesson says nothing about it, and a busy machine is slow.
    if "THIN_LINK_SECONDS" in os.environ:
        assert whole_after <= 10
