"""`leftRecordings` finds what is on the device, whatever was missing or failed while it was recorded."""

from typing import Any

from tests.browser.conftest import RecorderHarness

_WITHOUT_WORKERS = "window.Worker = class { constructor() { throw new Error('no worker'); } };"
# While `refusing`, the disk's worker refuses everything; while `hanging`, it does not answer.
_REFUSING_DISK = """window.refusing = false;
window.hanging = false;
const { Worker: Original } = window;
window.Worker = class extends Original {
  postMessage(message) {
    if (refusing) this.onmessage({ data: 'The quota has been exceeded.' });
    else if (!hanging) super.postMessage(message);
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


def _send_what_is_left(harness: RecorderHarness) -> Any:
    """The receipt of the recording that the next page finds and sends."""
    harness.page.reconnect()
    harness.open()
    harness.take_up()
    harness.run("harness.recorder.send()")
    harness.wait("harness.recorder.state.phase === 'finished'")
    return harness.run("harness.recorder.state.receipt")


def test_what_was_recorded_while_nobody_was_signed_in(harness: RecorderHarness) -> None:
    harness.record("{ token: () => { throw new Error('no network to renew it'); } }")
    harness.wait_for_seconds(3)
    assert _send_what_is_left(harness)["gaps"] == []


def test_what_the_page_before_a_reload_releases_a_moment_later(harness: RecorderHarness) -> None:
    harness.record()
    harness.wait_for_seconds(3)
    name = harness.run("`astegni-recordings/${harness.recorder.state.id}`")
    harness.open()
    harness.run(f"navigator.locks.request('{name}', () => new Promise((end) => setTimeout(end, 500))); 0")
    harness.take_up()


def test_what_an_earlier_page_wrote_to_the_other_disk(harness: RecorderHarness) -> None:
    harness.open(before=_WITHOUT_WORKERS)
    harness.page.cut()
    harness.record()
    harness.wait_for_seconds(3)
    assert harness.run("harness.recorder.state.disk") == "rows"
    assert _send_what_is_left(harness)["gaps"] == []
    assert harness.run("harness.left().then((left) => left.length)") == 0


def test_what_begins_with_an_entry_that_the_disk_refused(harness: RecorderHarness) -> None:
    harness.open(before=_REFUSING_DISK)
    # The disk is found first.
    harness.run("new Recorder({ token: () => null }).take()")
    harness.page.cut()
    harness.run("refusing = true")
    harness.record()
    harness.wait("harness.recorder.state.warnings.includes('disk-full')")
    harness.run("refusing = false")
    length = harness.run("harness.recorder.state.recordedMs") / 1000
    harness.wait_for_seconds(length + 5)
    receipt = _send_what_is_left(harness)
    assert receipt["session_id"] == harness.session
    assert receipt["length"] > 0


def test_a_pause_that_the_disk_refused(harness: RecorderHarness) -> None:
    harness.open(before=_REFUSING_DISK)
    harness.page.cut()
    harness.record()
    harness.wait_for_seconds(3)
    harness.run("refusing = true; harness.recorder.pause()")
    harness.run("harness.recorder.resume()")
    harness.wait("harness.recorder.state.warnings.includes('disk-full')")
    harness.run("refusing = false")
    length = harness.run("harness.recorder.state.recordedMs") / 1000
    harness.wait_for_seconds(length + 5)
    assert "pause" in [mark["kind"] for mark in _send_what_is_left(harness)["marks"]]


def test_while_the_disk_hangs_the_recording_is_sent(harness: RecorderHarness) -> None:
    harness.open(before=_REFUSING_DISK)
    harness.record("{ type: 'board' }", "harness.stream({ picture: false })")
    harness.wait("harness.recorder.state.storedBytes > 0")
    # The recorder waits for it as long as the test does.
    harness.run("const sooner = setTimeout; window.setTimeout = (act, time) => time < 30_000 && sooner(act, time)")
    harness.run("hanging = true")
    for _slice in range(4):
        stored = harness.run("harness.recorder.state.storedBytes")
        harness.wait(f"harness.recorder.state.storedBytes > {stored}")


def test_what_cannot_be_read_now_is_sent_later(harness: RecorderHarness) -> None:
    harness.open(before=_FAILING_READS)
    harness.page.cut()
    harness.record()
    harness.wait_for_seconds(7)
    harness.run("failing = true")
    harness.page.reconnect()
    harness.run("harness.recorder.wake()")
    harness.wait("failures")
    harness.run("failing = false")
    assert harness.finish()["gaps"] == []


def test_a_recording_that_could_not_be_opened_is_opened_the_next_time(harness: RecorderHarness) -> None:
    harness.page.cut()
    harness.record()
    harness.wait_for_seconds(3)
    harness.page.reconnect()
    harness.open(before=_FAILING_READS)
    harness.take_up()
    harness.run("failing = true")
    assert "could not be read" in harness.run("harness.recorder.send().catch(({ message }) => message)")
    harness.run("failing = false; harness.recorder.send()")
    harness.wait("harness.recorder.state.phase === 'finished'")
