"""`/recorder.js` ends each recording with an event, even when a worker, the page or the browser does not answer."""

from typing import Any

import httpx2

from tests.browser.conftest import Studio, Watch

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
  studio.recorder = new Recorder({ session: %d, type: 'screen', token: slowAtFirst });
  studio.watch(studio.recorder);
  await studio.recorder.take();
  const media = new MediaRecorder(studio.stream(), { mimeType: 'video/webm;codecs=vp8,opus' });
  media.start(500);
  %s
})()"""


def _names(studio: Studio) -> Any:
    return studio.run("studio.events.map(([name]) => name)")


def test_a_disk_worker_that_died_is_replaced_and_the_recording_ends(studio: Studio, watch: Watch) -> None:
    studio.open(before=_PICK_WORKER)
    studio.record()
    studio.wait_for_seconds(3)
    studio.run("workers[0].terminate()")
    receipt = studio.finish()
    assert receipt["gaps"] == []
    assert studio.run("workers.length") >= 2
    assert watch(receipt["recording_id"]).duration > 2


def test_stop_is_not_lost_while_start_still_waits(studio: Studio) -> None:
    studio.run(
        f"studio.events = []; studio.recorder = new Recorder({{ session: {studio.session}, type: 'screen', "
        "token: () => localStorage.getItem('token') }); studio.watch(studio.recorder); "
        "studio.recorder.start(studio.stream()); studio.recorder.stop(); 0"
    )
    studio.wait("studio.events.some(([name]) => name === 'finished' || name === 'discarded')")


def test_a_recording_of_nothing_ends_with_an_event(studio: Studio) -> None:
    studio.record(stream="document.createElement('canvas').captureStream(1)")
    studio.run("studio.recorder.stop()")
    assert _names(studio) == ["discarded"]


def test_what_a_given_recorder_had_before_the_token_came_is_kept(studio: Studio, watch: Watch) -> None:
    studio.run(_GIVEN % (studio.session, "setTimeout(() => media.stop(), 3000); await studio.recorder.start(media);"))
    studio.wait("studio.recorder.state.phase === 'finished'")
    receipt = studio.run("studio.recorder.state.receipt")
    assert watch(receipt["recording_id"]).duration > 1.5


def test_a_given_recorder_that_stopped_before_the_token_came_ends_the_recording(studio: Studio) -> None:
    studio.run(_GIVEN % (studio.session, "setTimeout(() => media.stop(), 1200); await studio.recorder.start(media);"))
    studio.wait("studio.recorder.state.phase === 'finished'")
    assert studio.run("studio.recorder.state.receipt.recording_id") is not None


def test_a_slice_that_the_browser_does_not_give_is_a_gap_and_the_others_arrive(studio: Studio) -> None:
    studio.open(before=_LOSE_SLICE)
    studio.record()
    studio.wait_for_seconds(4)
    studio.run("losing = 1")
    studio.wait("losing === 0")
    length = studio.run("studio.recorder.state.recordedMs") / 1000
    studio.wait_for_seconds(length + 4)
    receipt = studio.finish()
    (gap,) = receipt["gaps"]
    assert gap["kind"] == "gap"


def test_behind_a_time_in_which_the_canvas_had_no_size_the_recording_goes_on(studio: Studio) -> None:
    studio.record()
    studio.wait_for_seconds(3)
    # The browser gives neither a picture nor, before the next picture, the sound.
    studio.run("studio.isPainting = false; studio.width = canvas.width; canvas.width = 0")
    length = studio.run("studio.recorder.state.recordedMs") / 1000
    studio.wait_for_seconds(length + 3)
    recorded = studio.run("studio.recorder.state.recordedBytes")
    studio.run("canvas.width = studio.width; studio.isPainting = true; 0")
    studio.wait(f"studio.recorder.state.storedBytes > {recorded}")
    assert studio.finish()["state"] == "finished"
    assert studio.run("errors") == []


def test_bytes_that_the_last_page_sent_and_did_not_write_are_passed_over(studio: Studio) -> None:
    studio.record()
    studio.wait("studio.recorder.state.storedBytes > 0")
    studio.wait("studio.recorder.state.waitingBytes === 0")
    studio.page.open("about:blank")
    (upload,) = studio.get(f"/v1/uploads?session_id={studio.session}")["items"]
    response = httpx2.patch(
        f"{studio.api}/v1/uploads/{upload['id']}",
        content=b"\0" * 100,
        headers={
            "Authorization": f"Bearer {studio.token}",
            "Tus-Resumable": "1.0.0",
            "Content-Type": "application/offset+octet-stream",
            "Upload-Offset": str(upload["offset"]),
        },
    )
    assert response.status_code == 204, response.text
    studio.open()
    studio.take_up()
    studio.run("studio.recorder.send()")
    studio.wait("studio.recorder.state.phase === 'finished'")
    assert studio.run("studio.recorder.state.receipt.length") == upload["offset"] + 100


def test_a_wake_lock_that_is_granted_after_the_end_is_released(studio: Studio) -> None:
    studio.open(before=_LATE_WAKE_LOCK)
    studio.record()
    studio.wait("studio.recorder.state.storedBytes > 0")
    studio.finish()
    studio.run("grant()")
    studio.wait("locks.length && locks.every(({ released }) => released)")
