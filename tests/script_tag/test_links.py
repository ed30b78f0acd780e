"""A dead link, a killed browser, a worker that is away: the lesson goes on, and nothing of it is lost or doubled."""

import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.browser.chromium import Chromium
from tests.conftest import Processes, Sql
from tests.script_tag.conftest import BoardPage, Lesson
from tests.waiting import wait_for

LINE = ((20, 20), (60, 60), (90, 30))
# Three minutes of writing by hand: 270 KB as JSON.
WRITE = """(async () => {
  for (let n = 0; n < 200; n += 1) {
    const points = [...Array(90).keys()].map((k) => [100.25 + k + n / 4, 50.75 + ((k * 7) % 31)]);
    const stroke = { stroke_type: 'pen', stroke_data: { points, color: '#000000', width: 3 } };
    await whiteboardManager.saveStroke(stroke);
  }
})()"""
# What is queued, and its board, have times of ten days ago: nobody was online, or the clock was set meanwhile.
_GROW_OLD = """new Promise((resolve) => {
  indexedDB.open('astegni').onsuccess = ({ target: { result: database } }) => {
    const change = database.transaction(['operations', 'boards'], 'readwrite');
    for (const name of change.objectStoreNames) {
      change.objectStore(name).openCursor().onsuccess = ({ target: { result: cursor } }) => {
        cursor?.update({ ...cursor.value, at: cursor.value.at - 864_000_000 });
        cursor?.continue();
      };
    }
    change.oncomplete = () => { database.close(); resolve(); };
  };
})"""
_COUNT_SESSION_REQUESTS = """
window.asked = 0;
const fetched = window.fetch;
window.fetch = (address, ...given) => {
  asked += String(address).includes("/v1/whiteboard/sessions");
  return fetched(address, ...given);
};
0"""
NAMES = "whiteboardManager.currentPage.strokes.map((stroke) => stroke.client_id)"


def _kept(sql: Sql) -> list[str]:
    return [row.client_id for row in sql("SELECT client_id FROM whiteboard_canvas_data ORDER BY stroke_order")]


@pytest.mark.parametrize("cut", ["frozen", "restarted"])
def test_a_link_that_is_cut_for_20_seconds_loses_and_doubles_nothing(
    cut: str, lesson: Lesson, processes: Processes, sql: Sql
) -> None:
    tutor, student = lesson.tutor(), lesson.student()
    lesson.call(tutor, student)
    tutor.draw(*LINE)
    tutor.press("#toggleAllInteraction")
    tutor.send()
    student.send()
    since = tutor.run("Date.now()")
    lesson.process.signal(signal.SIGSTOP if cut == "frozen" else signal.SIGKILL)
    tutor.draw(*LINE)
    # Sent while nobody answers; then more is drawn.
    tutor.wait("astegni.pending().then((rest) => rest.length === 1)")
    tutor.run("void astegni.send()")
    while tutor.run("Date.now()") < since + 20_000:
        tutor.draw(*LINE)
        student.draw((200, 20), (240, 60))
        # As people draw: without it the browser is busy for all of the time.
        tutor.run("new Promise((done) => setTimeout(done, 150))")
    if cut == "frozen":
        lesson.process.signal(signal.SIGCONT)
    else:
        processes.api(lesson.settings, int(lesson.api.rpartition(":")[2]))
    tutor.send()
    student.send()
    drawn = tutor.run(NAMES)
    assert sorted(_kept(sql)) == sorted(drawn)
    assert len(drawn) > 4
    by_tutor = [
        row.client_id
        for row in sql(
            "SELECT client_id FROM whiteboard_canvas_data WHERE profile_type = 'tutor' ORDER BY stroke_order"
        )
    ]
    assert by_tutor == [name for name in drawn if name in set(by_tutor)]
    assert (tutor.errors, student.errors) == ([], [])


def test_what_was_written_during_an_outage_is_sent_over_a_thin_link(lesson: Lesson, sql: Sql) -> None:
    tutor = lesson.tutor("alone")
    tutor.call_alone()
    tutor.send()
    tutor.page.cut()
    tutor.run(WRITE)
    tutor.wait("astegni.pending().then((rest) => rest.length === 200)")
    names = tutor.run("astegni.pending().then((rest) => rest.map(({ stroke }) => stroke.client_id))")
    tutor.page.reconnect(bytes_per_second=48_000 // 8)
    tutor.run("void astegni.send()")
    wait_for(lambda: _kept(sql), details=lambda: tutor.run("logged"))
    tutor.page.reconnect()
    tutor.send()
    assert _kept(sql) == names
    assert tutor.errors == []


def test_a_slow_answer_is_not_asked_for_with_each_stroke(lesson: Lesson, sql: Sql) -> None:
    tutor = lesson.tutor("alone")
    tutor.call_alone()
    tutor.send()
    tutor.page.reconnect(latency=400)
    for _ in range(3):
        tutor.draw(*LINE)
        tutor.send()
    asked = "performance.getEntriesByType('resource').filter(({ name }) => name.endsWith('/v1/time')).length"
    assert tutor.run(asked) == 3
    assert len(_kept(sql)) == 3


def test_a_killed_browser_sends_the_rest_when_the_page_is_opened_again(
    lesson: Lesson, chromium_program: str, tmp_path: Path, sql: Sql
) -> None:
    first = Chromium(chromium_program, tmp_path)
    try:
        tutor = lesson.tutor("alone", page=first.first_page)
        tutor.call_alone()
        tutor.draw(*LINE)
        tutor.send()
        lesson.process.signal(signal.SIGSTOP)
        for _ in range(3):
            tutor.draw(*LINE)
        tutor.press("#undoBtn")
        tutor.wait("astegni.pending().then((rest) => rest.length === 4)")
        names = tutor.run(NAMES)
    finally:
        first.close()
    lesson.process.signal(signal.SIGCONT)
    second = Chromium(chromium_program, tmp_path)
    try:
        again = BoardPage(second.first_page, tutor.url)
        again.send()
    finally:
        second.close()
    rows = sql("SELECT client_id, is_deleted FROM whiteboard_canvas_data ORDER BY stroke_order")
    assert [row.client_id for row in rows if not row.is_deleted] == names
    assert [row.is_deleted for row in rows] == [False, False, False, True]


def test_what_could_not_be_sent_for_ten_days_is_sent(lesson: Lesson, sql: Sql) -> None:
    tutor = lesson.tutor("alone")
    tutor.call_alone()
    tutor.send()
    lesson.process.signal(signal.SIGSTOP)
    tutor.draw(*LINE)
    tutor.wait("astegni.pending().then((rest) => rest.length)")
    names = tutor.run(NAMES)
    tutor.run(_GROW_OLD)
    lesson.process.signal(signal.SIGCONT)
    tutor.load()
    tutor.send()
    assert _kept(sql) == names


def test_a_page_that_waits_for_its_session_asks_less_and_less_often(lesson: Lesson) -> None:
    tutor = lesson.tutor("alone")
    lesson.process.signal(signal.SIGKILL)
    tutor.run(_COUNT_SESSION_REQUESTS)
    tutor.call_alone()
    before = tutor.run("asked")
    # It gives up after three seconds.
    tutor.run("whiteboardManager.addNewPage()")
    assert tutor.run("asked") - before <= 4


def _dead(lesson: Lesson) -> None:
    lesson.process.signal(signal.SIGKILL)


def _frozen(lesson: Lesson) -> None:
    lesson.process.signal(signal.SIGSTOP)


@pytest.mark.parametrize("away", [_dead, _frozen])
def test_a_lesson_without_the_worker_is_what_it_was(away: Callable[[Lesson], None], lesson: Lesson, sql: Sql) -> None:
    tutor, student = lesson.tutor(), lesson.student()
    away(lesson)
    lesson.call(tutor, student)
    tutor.press("#toggleAllInteraction")
    tutor.draw(*LINE)
    tutor.draw(*LINE)
    student.wait("whiteboardManager.currentPage.strokes.length === 2")
    tutor.press("#undoBtn")
    student.wait("whiteboardManager.currentPage.strokes.length === 1")
    tutor.press("#addPageBtn")
    tutor.press("#startVideoSessionBtn")
    student.wait("!whiteboardManager.isVideoSessionActive")
    assert [row["stroke_type"] for row in lesson.platform.strokes] == ["pen", "pen"]
    wait_for(lambda: all(call["ended"] for call in lesson.platform.calls.values()))
    assert (tutor.errors, student.errors) == ([], [])
    assert sql("SELECT 1 FROM whiteboard_sessions") == []


def test_a_page_without_the_script_works_on(lesson: Lesson) -> None:
    tutor = lesson.tutor("alone", tag=f"{lesson.api}/not-there.js")
    tutor.call_alone()
    tutor.draw(*LINE)
    wait_for(lambda: [row["stroke_type"] for row in lesson.platform.strokes] == ["pen"])


@pytest.mark.parametrize("cors", [()])
def test_an_origin_that_the_worker_does_not_know_changes_nothing(lesson: Lesson, sql: Sql) -> None:
    tutor = lesson.tutor("alone")
    tutor.call_alone()
    tutor.draw(*LINE)
    tutor.run("astegni.send()")
    assert tutor.run("astegni.pending().then((rest) => rest.map((one) => one.kind))") == ["open", "stroke"]
    wait_for(lambda: [row["stroke_type"] for row in lesson.platform.strokes] == ["pen"])
    assert (tutor.errors, sql("SELECT 1 FROM whiteboard_sessions")) == ([], [])
