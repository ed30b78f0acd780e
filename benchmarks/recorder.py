"""What `/recorder.js` costs: processor time beside a bare MediaRecorder, and bytes that are sent twice at a break."""

import shutil
import time
from pathlib import Path

from benchmarks.harness.figure import Figure, Limit, Reading, median, spread
from benchmarks.harness.scale import Scale
from benchmarks.material.full_stack import FullStack, running_full_stack, wait_for
from tests.browser.chromium import Chromium, Page
from tests.chaos.harness.proxy import Proxy

_FLAGS = (
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
)
# The fake microphone beeps; something is drawn on the canvas five times a second.
_PREPARE = """(async () => {
  const { Recorder } = await import('/recorder.js');
  const voice = await navigator.mediaDevices.getUserMedia({ audio: true });
  const canvas = Object.assign(document.createElement('canvas'), { width: 1280, height: 720 });
  const context = canvas.getContext('2d');
  setInterval(() => context.fillRect(Math.random() * 1280, Math.random() * 720, 40, 4), 200);
  const screen = new MediaStream([...canvas.captureStream(5).getTracks(), ...voice.getTracks()]);
  const bits = { audioBitsPerSecond: 24_000, videoBitsPerSecond: 600_000 };
  const types = { board: 'audio/webm;codecs=opus', screen: 'video/webm;codecs=vp8,opus' };
  const streams = { board: voice, screen };
  const { fetch } = window;
  Object.assign(window, { isBroken: false, cut: null, sentTwice: [], storedBefore: 0 });
  window.fetch = async (address, options) => {
    const counts = options?.method === 'PATCH' && !isBroken;
    const response = await fetch(address, options).catch((error) => {
      if (counts) cut = { at: Number(options.headers['Upload-Offset']), size: options.body.length };
      throw error;
    });
    if (cut && options?.method === 'HEAD') {
      // What the server has stored of the request that was cut off is not sent again.
      sentTwice.push([cut.at + cut.size - Number(response.headers.get('Upload-Offset')), cut.size]);
      cut = null;
    }
    return response;
  };
  window.bare = (type) => {
    const chunks = [];
    const recorder = new MediaRecorder(streams[type], { mimeType: types[type], ...bits });
    recorder.ondataavailable = ({ data }) => chunks.push(data);
    recorder.start(2_000);
    const stored = () => chunks.reduce((sum, { size }) => sum + size, 0);
    return { stop: async () => recorder.stop(), get state() { return { phase: 'finished', storedBytes: stored() }; } };
  };
  window.ours = async (type, session, token) => {
    const recorder = new Recorder({ type, session, token: () => token });
    await recorder.start(streams[type]);
    return recorder;
  };
})()"""
_NAMES = {"board": "voice alone", "screen": "board of 1280x720 and voice"}


def measure_recorder(scale: Scale) -> Figure:
    """Measure in a real browser; without one the figure says so."""
    figure = Figure("The recorder of the browser (`/recorder.js`)")
    program = shutil.which("chromium")
    if program is None:
        figure.notes.append("THE RECORDER WAS NOT MEASURED: `chromium` is not installed.")
        return figure
    with running_full_stack(upload_abandoned_after=86_400) as full_stack:
        with full_stack.tutor() as client:
            session_id = full_stack.open_lesson(client)
        full_stack.settle()
        folder = full_stack.folder / "chromium"
        folder.mkdir()
        with Proxy(int(full_stack.address.rpartition(":")[2])) as link:
            recordings = _Recordings(full_stack, session_id, Chromium(program, Path(folder), *_FLAGS), link)
            try:
                figure.readings += [recordings.own_cost(type_, scale) for type_ in _NAMES]
                figure.readings.append(recordings.sent_twice(scale))
            finally:
                recordings.browser.close()
    figure.notes.append(
        "Processor time of all processes of the browser while it records, minus that of a bare MediaRecorder with the "
        "same stream, in turns: detecting a broken microphone, digests, files and requests. Nobody reads the level."
    )
    return figure


class _Recordings:
    """Recordings of one page, whose link to the API can be cut."""

    def __init__(self, full_stack: FullStack, session_id: int, browser: Chromium, link: Proxy) -> None:
        self.full_stack = full_stack
        self.session_id = session_id
        self.browser = browser
        self.link = link
        self.page: Page = browser.first_page
        self.page.open(f"http://127.0.0.1:{link.port}/record")
        self.page.run(_PREPARE)

    def own_cost(self, type_: str, scale: Scale) -> Reading:
        """Percent of a core that our recorder takes more than the browser's."""
        bare, ours = [], []
        for _ in range(scale.recorder_repeats):
            bare.append(self._percent(f"bare('{type_}')", scale.recorder_seconds))
            ours.append(self._percent(self._ours(type_), scale.recorder_seconds))
        more = [with_ours - without for with_ours, without in zip(ours, bare, strict=True)]
        what = f"{_NAMES[type_]}: own cost, beside {median(bare):.1f} % of MediaRecorder"
        return Reading(what, median(more), "% of a core", spread(more), limit=Limit("value", "<", 3))

    def sent_twice(self, scale: Scale) -> Reading:
        """Bytes of a request that a break cut off and that are sent again, the most of a break, beside a slice."""
        # A slice is on the way most of the time, so that a break cuts it off.
        self.link.uplink = 10_000.0
        self.page.run(f"{self._ours('screen')}.then((recorder) => {{ window.recorder = recorder; }})")
        for _ in range(scale.recorder_breaks):
            # The browser of a busy machine may take seconds for its first picture.
            self.page.run("storedBefore = recorder.state.storedBytes")
            wait_for(lambda: self.page.run("recorder.state.storedBytes > storedBefore"), pause=0.1, timeout=120)
            time.sleep(3)
            self.page.run("isBroken = true")
            self.link.refuse()
            time.sleep(2)
            self.link.refuse(False)
            self.page.run("isBroken = false; recorder.wake()")
        self.link.uplink = None
        self.page.run("recorder.stop()")
        self._wait_until_sent()
        breaks = self.page.run("sentTwice") or [[0, 1]]
        most, slice_size = max(breaks, key=lambda sizes: sizes[0] / sizes[1])
        what = f"sent twice per break, the most of {len(breaks)}, beside the slice that was cut off"
        kilobytes = [lost / 1000 for lost, _ in breaks]
        peer = slice_size / 1000
        return Reading(what, most / 1000, "kB", spread(kilobytes), peer, "slice", Limit("ratio", "≤", 1))

    def _ours(self, type_: str) -> str:
        return f"ours('{type_}', {self.session_id}, '{self.full_stack.tutor_token}')"

    def _percent(self, start: str, seconds: float) -> float:
        self.page.run(f"window.recorder = null; Promise.resolve({start}).then((started) => {{ recorder = started; }})")
        # The requests that create the upload are made once, not with each slice.
        wait_for(lambda: self.page.run("window.recorder?.state.storedBytes > 0"), pause=0.1, timeout=120)
        time.sleep(2)
        before = self.browser.processor_seconds()
        start_time = time.monotonic()
        time.sleep(seconds)
        used = self.browser.processor_seconds() - before
        percent = 100 * used / (time.monotonic() - start_time)
        self.page.run("recorder.stop()")
        self._wait_until_sent()
        return percent

    def _wait_until_sent(self) -> None:
        wait_for(lambda: self.page.run("recorder.state.phase") == "finished", pause=0.1, timeout=120)
