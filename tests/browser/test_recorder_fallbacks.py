"""`/recorder.js` where a browser lacks what it prefers: locks, files, workers, WebM, a picture."""

from tests.browser.chromium import Page
from tests.browser.conftest import Studio, Watch, assert_whole

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


def test_without_locks_a_note_says_who_owns_it(studio: Studio) -> None:
    studio.open(before=_WITHOUT_LOCKS)
    studio.record()
    studio.wait_for_seconds(3)
    other = Page(studio.browsers[-1])
    studio.open(other, before=_WITHOUT_LOCKS)
    assert other.run("studio.left().then((left) => left.length)") == 0
    studio.page.close()
    studio.wait("studio.left().then((left) => left.length === 1)", other)


def test_without_files_the_rows_of_indexeddb_survive_a_reload(studio: Studio, watch: Watch) -> None:
    studio.open(before=_WITHOUT_WORKERS)
    start = studio.record()
    studio.wait_for_seconds(5)
    assert studio.run("studio.recorder.state.disk") == "rows"
    studio.page.cut()
    studio.wait_for_seconds(9)
    studio.page.reconnect()
    studio.open(before=_WITHOUT_WORKERS)
    studio.take_up()
    studio.run("studio.recorder.send()")
    studio.wait("studio.recorder.state.phase === 'finished'")
    film = watch(studio.run("studio.recorder.state.receipt.recording_id"))
    assert_whole(film, start, range(int(film.duration)))
    assert film.duration > 6


def test_without_webm_it_records_mp4(studio: Studio, watch: Watch) -> None:
    studio.open(before=_WITHOUT_WEBM)
    studio.record()
    studio.wait_for_seconds(6)
    receipt = studio.finish()
    assert receipt["filename"].endswith(".mp4")
    assert watch(receipt["recording_id"]).duration > 5


def test_sound_alone_is_24_kbit_a_second(studio: Studio, watch: Watch) -> None:
    studio.record("{ type: 'board' }", "studio.stream({ picture: false })")
    studio.wait_for_seconds(10)
    receipt = studio.finish()
    assert studio.run("studio.recorder.state.mime").startswith("audio/webm")
    state = studio.run("studio.recorder.state")
    assert state["recordedBytes"] * 8 / state["recordedMs"] < 32
    film = watch(receipt["recording_id"])
    assert len(film.onsets) >= 4


def test_a_note_of_a_clock_that_was_ahead_keeps_nobody_out(studio: Studio) -> None:
    studio.open(before=_WITHOUT_LOCKS)
    studio.record()
    studio.wait_for_seconds(3)
    note = f"astegni-recordings/{studio.run('studio.recorder.state.id')}"
    studio.open(before=_WITHOUT_LOCKS)
    studio.run(f"localStorage.setItem('{note}', Date.now() + 3_600_000)")
    assert studio.run("studio.left().then((left) => left.length)") == 1


def test_rows_whose_database_the_browser_has_closed_are_opened_again(studio: Studio) -> None:
    studio.open(before=_WITHOUT_WORKERS + _PICK_DATABASE)
    studio.page.cut()
    studio.record()
    studio.wait_for_seconds(5)
    # As when the browser's own process for databases has crashed.
    studio.run("databases.at(-1).close(); databases.at(-1).dispatchEvent(new Event('close'))")
    studio.wait_for_seconds(9)
    assert studio.run("[studio.recorder.state.warnings, studio.recorder.state.memoryBytes]") == [[], 0]
    studio.page.reconnect()
    assert studio.finish()["gaps"] == []
