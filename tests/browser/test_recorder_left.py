"""`leftRecordings` finds what is on the device, whatever was missing or failed while it was recorded."""

from typing import Any

from tests.browser.conftest import Studio

_WITHOUT_WORKERS = "window.Worker = class { constructor() { throw new Error('no worker'); } };"
# While `refusing`, the disk's worker refuses everything.
_REFUSING_DISK = """window.refusing = false;
const { Worker: Original } = window;
window.Worker = class extends Original {
  postMessage(message) {
    if (refusing) this.onmessage({ data: 'The quota has been exceeded.' });
    else super.postMessage(message);
  }
};"""
# While `failing`, no file can be read, as when the device is out of memory.
_FAILING_READS = """window.failing = false;
window.failures = 0;
const { getFile } = FileSystemFileHandle.prototype;
FileSystemFileHandle.prototype.getFile = function call() {
  if (!failing) return getFile.call(this);
  failures += 1;
  return Promise.reject(new DOMException('The file could not be read.', 'NotReadableError'));
};"""


def _send_what_is_left(studio: Studio) -> Any:
    """The receipt of the recording that the next page finds and sends."""
    studio.page.reconnect()
    studio.open()
    studio.take_up()
    studio.run("studio.recorder.send()")
    studio.wait("studio.recorder.state.phase === 'finished'")
    return studio.run("studio.recorder.state.receipt")


def test_what_was_recorded_while_nobody_was_signed_in(studio: Studio) -> None:
    studio.record("{ token: () => { throw new Error('no network to renew it'); } }")
    studio.wait_for_seconds(3)
    assert _send_what_is_left(studio)["gaps"] == []


def test_what_the_page_before_a_reload_releases_a_moment_later(studio: Studio) -> None:
    studio.record()
    studio.wait_for_seconds(3)
    name = studio.run("`astegni-recordings/${studio.recorder.state.id}`")
    studio.open()
    studio.run(f"navigator.locks.request('{name}', () => new Promise((end) => setTimeout(end, 500))); 0")
    studio.take_up()


def test_what_an_earlier_page_wrote_to_the_other_disk(studio: Studio) -> None:
    studio.open(before=_WITHOUT_WORKERS)
    studio.page.cut()
    studio.record()
    studio.wait_for_seconds(3)
    assert studio.run("studio.recorder.state.disk") == "rows"
    assert _send_what_is_left(studio)["gaps"] == []
    assert studio.run("studio.left().then((left) => left.length)") == 0


def test_what_begins_with_an_entry_that_the_disk_refused(studio: Studio) -> None:
    studio.open(before=_REFUSING_DISK)
    # The disk is found first.
    studio.run("new Recorder({ token: () => null }).take()")
    studio.page.cut()
    studio.run("refusing = true")
    studio.record()
    studio.wait("studio.recorder.state.warnings.includes('disk-full')")
    studio.run("refusing = false")
    length = studio.run("studio.recorder.state.recordedMs") / 1000
    studio.wait_for_seconds(length + 5)
    receipt = _send_what_is_left(studio)
    assert receipt["session_id"] == studio.session
    assert receipt["length"] > 0


def test_what_cannot_be_read_now_is_sent_later(studio: Studio) -> None:
    studio.open(before=_FAILING_READS)
    studio.page.cut()
    studio.record()
    studio.wait_for_seconds(7)
    studio.run("failing = true")
    studio.page.reconnect()
    studio.run("studio.recorder.wake()")
    studio.wait("failures")
    studio.run("failing = false")
    assert studio.finish()["gaps"] == []


def test_a_recording_that_could_not_be_opened_is_opened_the_next_time(studio: Studio) -> None:
    studio.page.cut()
    studio.record()
    studio.wait_for_seconds(3)
    studio.page.reconnect()
    studio.open(before=_FAILING_READS)
    studio.take_up()
    studio.run("failing = true")
    assert "could not be read" in studio.run("studio.recorder.send().catch(({ message }) => message)")
    studio.run("failing = false; studio.recorder.send()")
    studio.wait("studio.recorder.state.phase === 'finished'")
