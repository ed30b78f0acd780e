"""`/recorder.js` where a browser lacks what it prefers: locks, files, workers, WebM, a picture."""

from tests.browser.chromium import Page
from tests.browser.conftest import RecorderHarness, Watch, assert_whole

_WITHOUT_LOCKS = "Object.defineProperty(Navigator.prototype, 'locks', { get: () => undefined });"
_WITHOUT_WORKERS = "window.Worker = class { constructor() { throw new Error('no worker'); } };"
_PICK_DATABASE = """window.databases = [];
const { open } = IDBFactory.prototype;
IDBFactory.prototype.open = function call(...options) {
  const opening = open.apply(this, options);
  opening.addEventListener('success', () => databases.push(opening.result));
  return opening;
};"""
_WITHOUT_WEBM = """const supported = MediaRecorder.isTypeSupported;
MediaRecorder.isTypeSupported = (type) => !type.includes('webm') && supported.call(MediaRecorder, type);"""


def test_without_locks_a_note_says_who_owns_it(harness: RecorderHarness) -> None:
    harness.open(before=_WITHOUT_LOCKS)
    harness.record()
    harness.wait_for_seconds(3)
    other = Page(harness.browsers[-1])
    harness.open(other, before=_WITHOUT_LOCKS)
    assert other.run("harness.left().then((left) => left.length)") == 0
    harness.page.close()
    harness.wait("harness.left().then((left) => left.length === 1)", other)


def test_without_files_the_rows_of_indexeddb_survive_a_reload(harness: RecorderHarness, watch: Watch) -> None:
    harness.open(before=_WITHOUT_WORKERS)
    start = harness.record()
    harness.wait_for_seconds(5)
    assert harness.run("harness.recorder.state.disk") == "rows"
    harness.page.cut()
    harness.wait_for_seconds(9)
    harness.page.reconnect()
    harness.open(before=_WITHOUT_WORKERS)
    harness.take_up()
    harness.run("harness.recorder.send()")
    harness.wait("harness.recorder.state.phase === 'finished'")
    film = watch(harness.run("harness.recorder.state.receipt.recording_id"))
    assert_whole(film, start, range(int(film.duration)))
    assert film.duration > 6


def test_without_webm_it_records_mp4(harness: RecorderHarness, watch: Watch) -> None:
    harness.open(before=_WITHOUT_WEBM)
    harness.record()
    harness.wait_for_seconds(6)
    receipt = harness.finish()
    assert receipt["filename"].endswith(".mp4")
    assert watch(receipt["recording_id"]).duration > 5


def test_sound_alone_is_24_kbit_a_second(harness: RecorderHarness, watch: Watch) -> None:
    harness.record("{ type: 'board' }", "harness.stream({ picture: false })")
    harness.wait_for_seconds(10)
    receipt = harness.finish()
    assert harness.run("harness.recorder.state.mime").startswith("audio/webm")
    state = harness.run("harness.recorder.state")
    assert state["recordedBytes"] * 8 / state["recordedMs"] < 32
    film = watch(receipt["recording_id"])
    assert len(film.onsets) >= 4


def test_a_note_of_a_clock_that_was_ahead_keeps_nobody_out(harness: RecorderHarness) -> None:
    harness.open(before=_WITHOUT_LOCKS)
    harness.record()
    harness.wait_for_seconds(3)
    note = f"astegni-recordings/{harness.run('harness.recorder.state.id')}"
    harness.open(before=_WITHOUT_LOCKS)
    harness.run(f"localStorage.setItem('{note}', Date.now() + 3_600_000)")
    assert harness.run("harness.left().then((left) => left.length)") == 1


def test_rows_whose_database_the_browser_has_closed_are_opened_again(harness: RecorderHarness) -> None:
    harness.open(before=_WITHOUT_WORKERS + _PICK_DATABASE)
    harness.page.cut()
    harness.record()
    harness.wait_for_seconds(5)
    # As when the browser's own process for databases has crashed.
    harness.run("databases.at(-1).close(); databases.at(-1).dispatchEvent(new Event('close'))")
    harness.wait_for_seconds(9)
    assert harness.run("[harness.recorder.state.warnings, harness.recorder.state.memoryBytes]") == [[], 0]
    harness.page.reconnect()
    assert harness.finish()["gaps"] == []
