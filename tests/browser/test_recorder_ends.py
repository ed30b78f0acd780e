"""`/recorder.js` ends each recording with an event, even when a worker, the page or the browser does not answer."""

from typing import Any

import httpx2

from tests.browser.conftest import RecorderHarness, Watch

_PICK_WORKER = """const { Worker: Original } = window;
window.workers = [];
window.Worker = class extends Original {
  constructor(...options) { super(...options); workers.push(this); }
};"""
_LOSE_SLICE = """const read = Blob.prototype.arrayBuffer;
window.losing = 0;
Blob.prototype.arrayBuffer = function arrayBuffer() {
  if (losing) { losing -= 1; return Promise.reject(new Error('lost')); }
  return read.call(this);
};"""
_LATE_WAKE_LOCK = """window.locks = [];
const granted = new Promise((resolve) => { window.grant = resolve; });
const { request } = WakeLock.prototype;
WakeLock.prototype.request = async function call(type) {
  await granted;
  locks.push(await request.call(this, type));
  return locks.at(-1);
};"""
_GIVEN = """(async () => {
  let timeout = 2500;
  const slowAtFirst = () => new Promise((resolve) => {
    setTimeout(resolve, timeout, localStorage.getItem('token'));
    timeout = 0;
  });
  harness.recorder = new Recorder({ session: %d, type: 'screen', token: slowAtFirst });
  harness.watch(harness.recorder);
  await harness.recorder.take();
  const media = new MediaRecorder(harness.stream(), { mimeType: 'video/webm;codecs=vp8,opus' });
  media.start(500);
  %s
})()"""


def _names(harness: RecorderHarness) -> Any:
    return harness.run("harness.events.map(([name]) => name)")


def test_a_disk_worker_that_died_is_replaced_and_the_recording_ends(harness: RecorderHarness, watch: Watch) -> None:
    harness.open(before=_PICK_WORKER)
    harness.record()
    harness.wait_for_seconds(3)
    harness.run("workers[0].terminate()")
    receipt = harness.finish()
    assert receipt["gaps"] == []
    assert harness.run("workers.length") >= 2
    assert watch(receipt["recording_id"]).duration > 2


def test_stop_is_not_lost_while_start_still_waits(harness: RecorderHarness) -> None:
    harness.run(
        f"harness.events = []; harness.recorder = new Recorder({{ session: {harness.session}, type: 'screen', "
        "token: () => localStorage.getItem('token') }); harness.watch(harness.recorder); "
        "harness.recorder.start(harness.stream()); harness.recorder.stop(); 0"
    )
    harness.wait("harness.events.some(([name]) => name === 'finished' || name === 'discarded')")


def test_a_recording_of_nothing_ends_with_an_event(harness: RecorderHarness) -> None:
    harness.record(stream="document.createElement('canvas').captureStream(1)")
    harness.run("harness.recorder.stop()")
    assert _names(harness) == ["discarded"]


def test_what_a_given_recorder_had_before_the_token_came_is_kept(harness: RecorderHarness, watch: Watch) -> None:
    harness.run(
        _GIVEN % (harness.session, "setTimeout(() => media.stop(), 3000); await harness.recorder.start(media);")
    )
    harness.wait("harness.recorder.state.phase === 'finished'")
    receipt = harness.run("harness.recorder.state.receipt")
    assert watch(receipt["recording_id"]).duration > 1.5


def test_a_given_recorder_that_stopped_before_the_token_came_ends_the_recording(harness: RecorderHarness) -> None:
    harness.run(
        _GIVEN % (harness.session, "setTimeout(() => media.stop(), 1200); await harness.recorder.start(media);")
    )
    harness.wait("harness.recorder.state.phase === 'finished'")
    assert harness.run("harness.recorder.state.receipt.recording_id") is not None


def test_a_slice_that_the_browser_does_not_give_is_a_gap_and_the_others_arrive(harness: RecorderHarness) -> None:
    harness.open(before=_LOSE_SLICE)
    harness.record()
    harness.wait_for_seconds(4)
    harness.run("losing = 1")
    harness.wait("losing === 0")
    length = harness.run("harness.recorder.state.recordedMs") / 1000
    harness.wait_for_seconds(length + 4)
    receipt = harness.finish()
    (gap,) = receipt["gaps"]
    assert gap["kind"] == "gap"


def test_behind_a_time_in_which_the_canvas_had_no_size_the_recording_goes_on(harness: RecorderHarness) -> None:
    harness.record()
    harness.wait_for_seconds(3)
    # The browser gives neither a picture nor, before the next picture, the sound.
    harness.run("harness.isPainting = false; harness.width = canvas.width; canvas.width = 0")
    length = harness.run("harness.recorder.state.recordedMs") / 1000
    harness.wait_for_seconds(length + 3)
    recorded = harness.run("harness.recorder.state.recordedBytes")
    harness.run("canvas.width = harness.width; harness.isPainting = true; 0")
    harness.wait(f"harness.recorder.state.storedBytes > {recorded}")
    assert harness.finish()["state"] == "finished"
    assert harness.run("errors") == []


def test_bytes_that_the_last_page_sent_and_did_not_write_are_passed_over(harness: RecorderHarness) -> None:
    harness.record()
    harness.wait("harness.recorder.state.storedBytes > 0")
    harness.wait("harness.recorder.state.waitingBytes === 0")
    harness.page.open("about:blank")
    (upload,) = harness.get(f"/v1/uploads?session_id={harness.session}")["items"]
    response = httpx2.patch(
        f"{harness.api}/v1/uploads/{upload['id']}",
        content=b"\0" * 100,
        headers={
            "Authorization": f"Bearer {harness.token}",
            "Tus-Resumable": "1.0.0",
            "Content-Type": "application/offset+octet-stream",
            "Upload-Offset": str(upload["offset"]),
        },
    )
    assert response.status_code == 204, response.text
    harness.open()
    harness.take_up()
    harness.run("harness.recorder.send()")
    harness.wait("harness.recorder.state.phase === 'finished'")
    assert harness.run("harness.recorder.state.receipt.length") == upload["offset"] + 100


def test_a_wake_lock_that_is_granted_after_the_end_is_released(harness: RecorderHarness) -> None:
    harness.open(before=_LATE_WAKE_LOCK)
    harness.record()
    harness.wait("harness.recorder.state.storedBytes > 0")
    harness.finish()
    harness.run("grant()")
    harness.wait("locks.length && locks.every(({ released }) => released)")
